//! The bidirectional LSTM against its equations.

use std::collections::BTreeMap;

use fain_autograd::{GradientCheck, check_gradients};
use fain_layers::{BiLstm, BiLstmConfig, Directions, Jagged, LayerError};
use proptest::prelude::*;
use tch::{Device, Kind, Tensor, nn};

use crate::problem::{Problem, config, difference, numbers, select, tensor};

const DIRECTIONS: [Directions; 2] = [Directions::Concatenation, Directions::Sum];

fn build(problem: &Problem, directions: Directions, kind: Kind) -> (BiLstm, BTreeMap<String, Tensor>) {
    let mut store = nn::VarStore::new(Device::Cpu);
    let config = BiLstmConfig { hidden: problem.hidden, directions };
    let lstm = BiLstm::new(&store.root(), problem.width, config).unwrap();
    store.set_kind(kind);
    let variables: BTreeMap<String, Tensor> = store.variables().into_iter().collect();
    for (index, (_, variable)) in variables.iter().enumerate() {
        let value = tensor(problem.seed ^ (10 + index as u64), &variable.size(), kind);
        tch::no_grad(|| variable.shallow_clone().copy_(&value));
    }
    (lstm, variables)
}

/// One direction over the events of a sample, in the order given: `[T, H]`.
fn naive(events: &[Tensor], hidden: i64, parameters: &BTreeMap<String, Tensor>, suffix: &str) -> Vec<Tensor> {
    let of = |name: &str| &parameters[&format!("{name}_l0{suffix}")];
    let zeros = || Tensor::zeros([hidden], (Kind::Double, Device::Cpu));
    let (mut state, mut memory) = (zeros(), zeros());
    let step = |event: &Tensor| {
        let gates = of("weight_ih").mv(event) + of("bias_ih") + of("weight_hh").mv(&state) + of("bias_hh");
        let gate = |index: i64| gates.narrow(0, index * hidden, hidden);
        memory = gate(1).sigmoid() * &memory + gate(0).sigmoid() * gate(2).tanh();
        state = gate(3).sigmoid() * memory.tanh();
        state.shallow_clone()
    };
    events.iter().map(step).collect()
}

proptest! {
    #![proptest_config(config(32))]

    #[test]
    fn it_equals_the_equations_in_both_directions(problem in Problem::up_to(6, 5, 6)) {
        for directions in DIRECTIONS {
            let (lstm, variables) = build(&problem, directions, Kind::Double);
            let batch = problem.batch(Kind::Double);
            let history = Jagged::new(batch.inputs.shallow_clone(), batch.layout.clone()).unwrap();
            let got = lstm.forward(&history).unwrap();
            prop_assert_eq!(got.values().size(), [problem.events(), lstm.outputs()]);

            let mut rows: Vec<Tensor> = Vec::new();
            for range in problem.offsets().windows(2) {
                let mut events: Vec<Tensor> =
                    (range[0]..range[1]).map(|event| batch.inputs.get(i64::from(event))).collect();
                let forward = naive(&events, problem.hidden, &variables, "");
                events.reverse();
                let mut backward = naive(&events, problem.hidden, &variables, "_reverse");
                backward.reverse();
                rows.extend(forward.iter().zip(&backward).map(|(forward, backward)| match directions {
                    Directions::Concatenation => Tensor::cat(&[forward, backward], 0),
                    Directions::Sum => forward + backward,
                }));
            }
            if rows.is_empty() {
                continue;
            }
            let expected = Tensor::stack(&rows, 0);
            let off = difference(got.values(), &expected);
            prop_assert!(off < 1e-13, "{directions:?}: off by {off}");

            let weights = tensor(problem.seed ^ 5, &expected.size(), Kind::Double);
            let leaves: Vec<&Tensor> = variables.values().chain([&batch.inputs]).collect();
            let gradients = |output: &Tensor| {
                Tensor::run_backward(&[(output * &weights).sum(Kind::Double)], &leaves, false, false)
            };
            for (got, expected) in gradients(got.values()).iter().zip(gradients(&expected)) {
                prop_assert!(difference(got, &expected) < 1e-12, "{directions:?}");
            }
        }
    }

    #[test]
    fn a_sample_alone_reads_what_it_reads_among_others(problem in Problem::up_to(8, 6, 9)) {
        let batch = problem.batch(Kind::Double);
        for directions in DIRECTIONS {
            let (lstm, _) = build(&problem, directions, Kind::Double);
            let forward = |inputs: &Tensor, layout: &fain_layers::JaggedLayout| {
                lstm.forward(&Jagged::new(inputs.shallow_clone(), layout.clone()).unwrap()).unwrap()
            };
            let together = forward(&batch.inputs, &batch.layout);
            for (row, range) in problem.offsets().windows(2).enumerate() {
                let (_, single) = select(&problem, &batch, &[row]);
                let apart = forward(&single.inputs, &single.layout);
                let own = together.values().narrow(0, i64::from(range[0]), i64::from(range[1] - range[0]));
                prop_assert!(difference(&own, apart.values()) < 1e-13, "{directions:?} row {row}");
            }
        }
    }
}

#[test]
fn parameters_are_named_as_in_pytorch() {
    let problem = Problem { lengths: vec![1], width: 3, hidden: 2, bias: true, initial: false, seed: 1 };
    let (lstm, variables) = build(&problem, Directions::Concatenation, Kind::Float);
    assert_eq!(lstm.outputs(), 4);
    let shapes: Vec<(&str, Vec<i64>)> = variables.iter().map(|(name, value)| (name.as_str(), value.size())).collect();
    let expected = [
        ("bias_hh_l0", vec![8]),
        ("bias_hh_l0_reverse", vec![8]),
        ("bias_ih_l0", vec![8]),
        ("bias_ih_l0_reverse", vec![8]),
        ("weight_hh_l0", vec![8, 2]),
        ("weight_hh_l0_reverse", vec![8, 2]),
        ("weight_ih_l0", vec![8, 3]),
        ("weight_ih_l0_reverse", vec![8, 3]),
    ];
    assert_eq!(shapes, expected);
    assert_eq!(build(&problem, Directions::Sum, Kind::Float).0.outputs(), 2);
}

#[test]
fn a_batch_without_events_gives_nothing_and_zero_gradients() {
    for lengths in [vec![0], vec![0, 0, 0]] {
        let problem = Problem { lengths, width: 3, hidden: 2, bias: true, initial: false, seed: 1 };
        for directions in DIRECTIONS {
            let (lstm, variables) = build(&problem, directions, Kind::Float);
            let batch = problem.batch(Kind::Float);
            let history = Jagged::new(batch.inputs.shallow_clone(), batch.layout.clone()).unwrap();
            let output = lstm.forward(&history).unwrap();
            assert_eq!(output.values().size(), [0, lstm.outputs()]);
            assert_eq!(numbers(&output.last().unwrap()), vec![0.0; problem.lengths.len() * lstm.outputs() as usize]);
            output.values().sum(Kind::Float).backward();
            assert_eq!(batch.inputs.grad().size(), [0, 3]);
            for (name, variable) in &variables {
                assert!(numbers(&variable.grad()).iter().all(|&entry| entry == 0.0), "{name}");
            }
        }
    }
}

#[test]
fn another_width_is_refused() {
    let problem = Problem { lengths: vec![2], width: 3, hidden: 2, bias: true, initial: false, seed: 1 };
    let (lstm, _) = build(&problem, Directions::Sum, Kind::Float);
    let history = Jagged::new(Tensor::zeros([2, 4], (Kind::Float, Device::Cpu)), problem.layout()).unwrap();
    let error = lstm.forward(&history).unwrap_err().to_string();
    assert_eq!(error, "inputs has shape [2, 4], but [N, D] = [2, 3] is needed");
}

#[test]
fn gradients_equal_differences() {
    let problem = Problem { lengths: vec![2, 0, 3], width: 2, hidden: 2, bias: true, initial: false, seed: 2 };
    let (lstm, _) = build(&problem, Directions::Sum, Kind::Double);
    let batch = problem.batch(Kind::Double);
    let function = |inputs: &[Tensor]| -> Result<Vec<Tensor>, LayerError> {
        let history = Jagged::new(inputs[0].shallow_clone(), batch.layout.clone())?;
        Ok(vec![lstm.forward(&history)?.values().shallow_clone()])
    };
    let report = check_gradients(function, &[batch.inputs.shallow_clone()], &GradientCheck::default()).unwrap();
    assert_eq!(report.entries, 10);
}
