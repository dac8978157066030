//! Random recurrences and random batches for them.

use std::collections::BTreeMap;

use fain_layers::{
    AttentionalGru, AttentionalGruConfig, AttentionalGruKind, Execution, Gru, GruConfig, Jagged, JaggedLayout,
    LayerError, Recurrence, ResetGate,
};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use tch::{Device, Kind, Tensor, nn};

/// The same problems in every run: rounding must not fail a test once in a thousand runs.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(11), failure_persistence: None, ..ProptestConfig::default() }
}

/// The gated recurrences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cell {
    Gru,
    Attentional(AttentionalGruKind),
}

pub(crate) const CELLS: [Cell; 5] = [
    Cell::Gru,
    Cell::Attentional(AttentionalGruKind::Aigru),
    Cell::Attentional(AttentionalGruKind::Agru),
    Cell::Attentional(AttentionalGruKind::Augru),
    Cell::Attentional(AttentionalGruKind::AugruOfficial),
];

/// A batch's shape and a layer's, with the seed of all numbers.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    /// Events of each sample.
    pub(crate) lengths: Vec<u32>,
    /// `D`.
    pub(crate) width: i64,
    /// `H`.
    pub(crate) hidden: i64,
    pub(crate) bias: bool,
    /// Whether there are states before the first events.
    pub(crate) initial: bool,
    pub(crate) seed: u64,
}

impl Problem {
    /// Batches of up to `rows` samples with up to `events` events, of widths up to `width`. One batch in ten has no
    /// events.
    pub(crate) fn up_to(rows: usize, events: u32, width: i64) -> impl Strategy<Value = Self> {
        let lengths = prop_oneof![
            9 => prop::collection::vec(0..=events, 1..=rows),
            1 => prop::collection::vec(Just(0u32), 1..=rows),
        ];
        (lengths, 1..=width, 1..=width, any::<bool>(), any::<bool>(), any::<u64>()).prop_map(
            |(lengths, width, hidden, bias, initial, seed)| Self { lengths, width, hidden, bias, initial, seed },
        )
    }

    pub(crate) fn rows(&self) -> i64 {
        self.lengths.len() as i64
    }

    pub(crate) fn events(&self) -> i64 {
        self.lengths.iter().copied().map(i64::from).sum()
    }

    pub(crate) fn offsets(&self) -> Vec<u32> {
        let mut offsets = vec![0];
        for length in &self.lengths {
            offsets.push(offsets[offsets.len() - 1] + length);
        }
        offsets
    }

    pub(crate) fn layout(&self) -> JaggedLayout {
        JaggedLayout::new(&self.offsets(), Device::Cpu).unwrap()
    }

    /// The batch, with numbers between −1 and 1; scores are between −1 and 1 as well, as they need not be weights.
    pub(crate) fn batch(&self, kind: Kind) -> Batch {
        let leaf = |stream: u64, size: &[i64]| tensor(self.seed ^ stream, size, kind).set_requires_grad(true);
        Batch {
            layout: self.layout(),
            inputs: leaf(1, &[self.events(), self.width]),
            scores: leaf(2, &[self.events(), 1]),
            initial: self.initial.then(|| leaf(3, &[self.rows(), self.hidden])),
            loss_weights: tensor(self.seed ^ 4, &[self.events(), self.hidden], kind),
        }
    }
}

/// What a recurrence gets, each a leaf that requires a gradient.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) layout: JaggedLayout,
    pub(crate) inputs: Tensor,
    pub(crate) scores: Tensor,
    pub(crate) initial: Option<Tensor>,
    /// `[N, H]`: the loss is `Σ states · loss_weights`.
    pub(crate) loss_weights: Tensor,
}

impl Batch {
    pub(crate) fn states(&self, recurrence: &dyn Recurrence) -> Tensor {
        let inputs = Jagged::new(self.inputs.shallow_clone(), self.layout.clone()).unwrap();
        let states = recurrence.forward(&inputs, &self.scores, self.initial.as_ref()).unwrap();
        assert!(states.layout().same_as(&self.layout));
        states.values().shallow_clone()
    }

    /// States and all gradients by name, after a backward pass from the loss.
    pub(crate) fn run(&self, layer: &Layer) -> BTreeMap<String, Tensor> {
        let states = self.states(layer.recurrence.as_ref());
        (&states * &self.loss_weights).sum(states.kind()).f_backward().unwrap();
        let mut results: BTreeMap<String, Tensor> =
            layer.variables.iter().map(|(name, variable)| (name.clone(), variable.grad())).collect();
        results.insert("inputs".to_owned(), self.inputs.grad());
        if layer.cell != Cell::Gru {
            results.insert("scores".to_owned(), self.scores.grad());
        }
        if let Some(initial) = &self.initial {
            results.insert("initial".to_owned(), initial.grad());
        }
        results.insert("states".to_owned(), states.detach());
        results
    }
}

/// A recurrence whose parameters have random values, and what it is made of.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) cell: Cell,
    pub(crate) recurrence: Box<dyn Recurrence>,
    pub(crate) variables: BTreeMap<String, Tensor>,
}

impl Layer {
    pub(crate) fn new(problem: &Problem, cell: Cell, reset: ResetGate, execution: Execution, kind: Kind) -> Self {
        let mut store = nn::VarStore::new(Device::Cpu);
        let recurrence = build(&store.root(), problem, cell, reset, execution);
        store.set_kind(kind);
        let variables: BTreeMap<String, Tensor> = store.variables().into_iter().collect();
        for (index, (_, variable)) in variables.iter().enumerate() {
            let value = tensor(problem.seed ^ (10 + index as u64), &variable.size(), kind);
            tch::no_grad(|| variable.shallow_clone().copy_(&value));
        }
        Self { cell, recurrence, variables }
    }
}

fn build(
    variables: &nn::Path<'_>,
    problem: &Problem,
    cell: Cell,
    reset: ResetGate,
    execution: Execution,
) -> Box<dyn Recurrence> {
    let &Problem { hidden, bias, width, .. } = problem;
    match cell {
        Cell::Gru => {
            let gru = Gru::new(variables, width, GruConfig { hidden, bias, reset }).unwrap();
            Box::new(Deaf(gru.with_execution(execution)))
        }
        Cell::Attentional(kind) => {
            let config = AttentionalGruConfig { kind, hidden, bias, reset };
            Box::new(AttentionalGru::new(variables, width, config).unwrap().with_execution(execution))
        }
    }
}

/// A GRU as a recurrence that does not listen to scores.
#[derive(Debug)]
struct Deaf(Gru);

impl Recurrence for Deaf {
    fn hidden(&self) -> i64 {
        self.0.hidden()
    }

    fn forward(&self, inputs: &Jagged, _scores: &Tensor, initial: Option<&Tensor>) -> Result<Jagged, LayerError> {
        self.0.forward(inputs, initial)
    }
}

/// Numbers between −1 and 1. libtorch's generator is shared by all tests of a process, so it is of no use here.
pub(crate) fn tensor(seed: u64, size: &[i64], kind: Kind) -> Tensor {
    let mut state = seed;
    let count: i64 = size.iter().product();
    let numbers: Vec<f64> = (0..count)
        .map(|_| {
            // SplitMix64.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut bits = state;
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            bits ^= bits >> 31;
            (bits >> 11) as f64 / (1u64 << 52) as f64 - 1.0
        })
        .collect();
    Tensor::from_slice(&numbers).reshape(size).to_kind(kind)
}

/// All entries, in order.
pub(crate) fn numbers(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.detach().to_kind(Kind::Double).reshape([-1])).unwrap()
}

/// The largest difference between two tensors, as a share of one plus the largest expected entry; infinite for a NaN.
pub(crate) fn difference(got: &Tensor, expected: &Tensor) -> f64 {
    assert_eq!(got.size(), expected.size());
    let (got, expected) = (numbers(got), numbers(expected));
    let scale = expected.iter().fold(1.0, |scale: f64, entry| scale.max(entry.abs()));
    let shares = got.iter().zip(&expected).map(|(got, expected)| (got - expected).abs() / scale);
    shares.fold(0.0, |worst, share| if share.is_nan() { f64::INFINITY } else { worst.max(share) })
}

/// The rows of a batch in another order, perhaps not all of them.
pub(crate) fn select(problem: &Problem, batch: &Batch, order: &[usize]) -> (Problem, Batch) {
    let offsets = problem.offsets();
    let events: Vec<i64> = order.iter().flat_map(|&row| i64::from(offsets[row])..i64::from(offsets[row + 1])).collect();
    let rows: Vec<i64> = order.iter().map(|&row| row as i64).collect();
    let lengths = order.iter().map(|&row| problem.lengths[row]).collect();
    let selected = Problem { lengths, ..problem.clone() };
    let take = |tensor: &Tensor, index: &[i64]| {
        tensor.detach().index_select(0, &Tensor::from_slice(index)).set_requires_grad(true)
    };
    let batch = Batch {
        layout: selected.layout(),
        inputs: take(&batch.inputs, &events),
        scores: take(&batch.scores, &events),
        initial: batch.initial.as_ref().map(|initial| take(initial, &rows)),
        loss_weights: batch.loss_weights.index_select(0, &Tensor::from_slice(&events)),
    };
    (selected, batch)
}
