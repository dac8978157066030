//! A cell of one's own, run step by step.

use std::sync::atomic::{AtomicI64, Ordering};

use fain_layers::{
    AttentionalGruKind, Execution, Jagged, JaggedLayout, LayerError, Recurrence, RecurrentCell, ResetGate, Unrolled,
};
use proptest::prelude::*;
use tch::{Device, Kind, Tensor};

use crate::problem::{Cell, Layer, Problem, config, difference};

/// AGRU as a researcher would write it.
#[derive(Debug)]
struct Agru {
    hidden: i64,
    input: (Tensor, Option<Tensor>),
    state: (Tensor, Option<Tensor>),
}

impl Agru {
    /// Shares the parameters of a layer.
    fn new(problem: &Problem, layer: &Layer) -> Self {
        let side = |side: &str| {
            let parameter = |name: &str| layer.variables.get(&format!("{name}_{side}")).map(Tensor::shallow_clone);
            (parameter("weight").unwrap(), parameter("bias"))
        };
        Self { hidden: problem.hidden, input: side("ih"), state: side("hh") }
    }
}

impl RecurrentCell for Agru {
    fn hidden(&self) -> i64 {
        self.hidden
    }

    fn step(&self, inputs: &Tensor, scores: &Tensor, state: &Tensor) -> Result<Tensor, LayerError> {
        let input = inputs.f_linear(&self.input.0, self.input.1.as_ref())?.f_chunk(2, 1)?;
        let from_state = state.f_linear(&self.state.0, self.state.1.as_ref())?.f_chunk(2, 1)?;
        let reset = input[0].f_add(&from_state[0])?.f_sigmoid()?;
        let candidate = input[1].f_add(&reset.f_mul(&from_state[1])?)?.f_tanh()?;
        let kept = scores.f_rsub_scalar(1.0)?.f_mul(state)?;
        Ok(kept.f_add(&scores.f_mul(&candidate)?)?)
    }
}

proptest! {
    #![proptest_config(config(32))]

    #[test]
    fn an_own_cell_is_as_good_as_a_built_in_one(problem in Problem::up_to(8, 6, 9)) {
        let cell = Cell::Attentional(AttentionalGruKind::Agru);
        let mut layer = Layer::new(&problem, cell, ResetGate::After, Execution::Plain, Kind::Double);
        let expected = problem.batch(Kind::Double).run(&layer);
        for variable in layer.variables.values() {
            let _zeros = variable.grad().zero_();
        }
        layer.recurrence = Box::new(Unrolled::new(Agru::new(&problem, &layer)));
        prop_assert_eq!(layer.recurrence.hidden(), problem.hidden);
        prop_assert_eq!(layer.recurrence.kind(), "recurrence");
        for (name, got) in problem.batch(Kind::Double).run(&layer) {
            let off = difference(&got, &expected[&name]);
            prop_assert!(off < 1e-13, "{name}: off by {off}");
        }
    }
}

/// Gives a state of a width of choice, and counts its steps.
#[derive(Debug)]
struct Odd {
    hidden: i64,
    width: i64,
    steps: &'static AtomicI64,
}

impl RecurrentCell for Odd {
    fn hidden(&self) -> i64 {
        self.hidden
    }

    fn step(&self, _inputs: &Tensor, _scores: &Tensor, state: &Tensor) -> Result<Tensor, LayerError> {
        self.steps.fetch_add(1, Ordering::Relaxed);
        Ok(Tensor::f_zeros([state.size()[0], self.width], (state.kind(), state.device()))?)
    }
}

fn history(offsets: &[u32]) -> (Jagged, Tensor) {
    let layout = JaggedLayout::new(offsets, Device::Cpu).unwrap();
    let zeros = |width: i64| Tensor::zeros([layout.events(), width], (Kind::Float, Device::Cpu));
    let scores = zeros(1);
    (Jagged::new(zeros(3), layout.clone()).unwrap(), scores)
}

#[test]
fn a_state_of_another_width_is_named() {
    static STEPS: AtomicI64 = AtomicI64::new(0);
    let cell = Unrolled::new(Odd { hidden: 4, width: 2, steps: &STEPS });
    let (events, scores) = history(&[0, 2, 3]);
    let error = cell.forward(&events, &scores, None).unwrap_err().to_string();
    assert_eq!(error, "state after a step has shape [2, 2], but [M, H] = [2, 4] is needed");
    assert_eq!(STEPS.load(Ordering::Relaxed), 1);
}

#[test]
fn a_cell_is_asked_once_per_time_step_and_not_without_events() {
    static STEPS: AtomicI64 = AtomicI64::new(0);
    let cell = Unrolled::new(Odd { hidden: 4, width: 4, steps: &STEPS });
    for (offsets, steps) in [(&[0u32, 2, 2, 5][..], 3), (&[0, 1], 1), (&[0, 0, 0], 0), (&[0, 0], 0)] {
        STEPS.store(0, Ordering::Relaxed);
        let (events, scores) = history(offsets);
        let states = cell.forward(&events, &scores, None).unwrap();
        assert_eq!(states.values().size(), [events.layout().events(), 4]);
        assert_eq!(STEPS.load(Ordering::Relaxed), steps, "{offsets:?}");
    }
}
