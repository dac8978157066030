//! The auxiliary loss, net and loss together, against its plain operations.

use fain_autograd::{GradientCheck, background, check_gradients, overlap};
use fain_layers::{
    AuxiliaryAverage, AuxiliaryLoss, AuxiliaryLossConfig, AuxiliaryNetConfig, AuxiliaryScorer, Execution, Gru,
    GruConfig, Jagged, JaggedLayout, LayerError, Linear, Mode,
};
use proptest::prelude::*;
use tch::{Device, Kind, Tensor, nn};

use crate::problem::numbers;

#[derive(Clone, Debug)]
struct Problem {
    lengths: Vec<u32>,
    /// Of states and events.
    widths: [i64; 2],
    /// The inner product where there are none.
    hidden: Vec<i64>,
    average: AuxiliaryAverage,
    seed: u64,
}

impl Problem {
    fn tensor(&self, index: u64, size: &[i64], kind: Kind) -> Tensor {
        let count = size.iter().product::<i64>() as usize;
        Tensor::from_slice(&numbers(self.seed.wrapping_add(index << 32), count)).reshape(size).to_kind(kind)
    }

    fn loss(&self, execution: Execution, kind: Kind) -> (Vec<Tensor>, AuxiliaryLoss) {
        let mut store = nn::VarStore::new(Device::Cpu);
        let net = AuxiliaryNetConfig { hidden: self.hidden.clone(), ..AuxiliaryNetConfig::default() };
        let scorer = if self.hidden.is_empty() { AuxiliaryScorer::InnerProduct } else { AuxiliaryScorer::Mlp(net) };
        let config = AuxiliaryLossConfig { scorer, average: self.average, ..Default::default() };
        let loss = AuxiliaryLoss::new(&store.root(), self.widths[0], self.widths[1], &config).unwrap();
        store.set_kind(kind);
        let mut variables: Vec<(String, Tensor)> = store.variables().into_iter().collect();
        variables.sort_by(|left, right| left.0.cmp(&right.0));
        tch::no_grad(|| {
            for (index, (_, variable)) in (10..).zip(&mut variables) {
                variable.copy_(&self.tensor(index, &variable.size(), kind));
            }
        });
        (variables.into_iter().map(|(_, variable)| variable).collect(), loss.with_execution(execution))
    }

    /// The loss, and after it the gradients of states, history, negative and the variables.
    fn run(&self, execution: Execution, kind: Kind) -> Vec<Tensor> {
        let (variables, loss) = self.loss(execution, kind);
        let mut offsets = vec![0u32];
        for length in &self.lengths {
            offsets.push(offsets[offsets.len() - 1] + length);
        }
        let layout = JaggedLayout::new(&offsets, Device::Cpu).unwrap();
        let events = i64::from(offsets[offsets.len() - 1]);
        let [of_state, of_event] = self.widths;
        let rows = [(0, of_state), (1, of_event), (2, of_event)]
            .map(|(index, width)| self.tensor(index, &[events, width], kind).set_requires_grad(true));
        let [states, history, negative] =
            rows.each_ref().map(|rows| Jagged::new(rows.shallow_clone(), layout.clone()).unwrap());
        let value = loss.forward(&states, &history, &negative, Mode::Training).unwrap();
        let without = tch::no_grad(|| loss.forward(&states, &history, &negative, Mode::Evaluation)).unwrap();
        assert_eq!(value.detach(), without);
        let mut results = vec![value.detach()];
        let inputs: Vec<&Tensor> = rows.iter().chain(&variables).collect();
        if value.requires_grad() {
            // The gradient of the loss is 1, then it is not, and the graph is used twice.
            let scaled = &value * -4.0;
            let alone = Tensor::run_backward(&[&value], &inputs, true, false);
            let first = Tensor::run_backward(&[&scaled], &inputs, true, false);
            assert_eq!(first, Tensor::run_backward(&[&scaled], &inputs, false, false));
            // A power of two: no digit is lost.
            assert_eq!(first, alone.iter().map(|gradient| gradient * -4.0).collect::<Vec<Tensor>>());
            results.extend(first);
        }
        results
    }
}

/// Holds each result to its twin, by the largest difference against the largest number.
fn compare(problem: &Problem, kind: Kind, tolerance: f64) {
    let (plain, fused) = (problem.run(Execution::Plain, kind), problem.run(Execution::Auto, kind));
    assert_eq!(plain.len(), fused.len());
    for (place, (plain, fused)) in plain.iter().zip(&fused).enumerate() {
        assert_eq!(plain.size(), fused.size(), "{place}");
        if plain.numel() > 0 {
            let largest = |tensor: &Tensor| f64::try_from(tensor.abs().max().to_kind(Kind::Double)).unwrap();
            let (difference, scale) = (largest(&(plain - fused)), largest(plain));
            assert!(difference <= tolerance * scale, "{problem:?}: {place}: {difference} of {scale}");
        }
    }
}

fn problems() -> impl Strategy<Value = Problem> {
    let average = prop::sample::select(vec![AuxiliaryAverage::Entries, AuxiliaryAverage::Pairs]);
    let widths = (prop::array::uniform2(1i64..20), prop::collection::vec(1i64..30, 0..4));
    (prop::collection::vec(0u32..12, 1..20), widths, average, any::<u64>()).prop_map(
        |(lengths, ([state, event], hidden), average, seed)| {
            let widths = [state, if hidden.is_empty() { state } else { event }];
            Problem { lengths, widths, hidden, average, seed }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn fused_is_plain_in_both_precisions(problem in problems()) {
        compare(&problem, Kind::Double, 1e-11);
        compare(&problem, Kind::Float, 1e-3);
    }
}

fn problem(lengths: &[u32]) -> Problem {
    let lengths = lengths.to_vec();
    Problem { lengths, widths: [16, 16], hidden: vec![100, 50], average: AuxiliaryAverage::Entries, seed: 7 }
}

#[test]
fn batches_without_pairs_and_with_one_pair() {
    let lengths = [&[0][..], &[0, 0, 0], &[1], &[1, 0, 1], &[2], &[0, 2, 0]];
    for (lengths, hidden) in lengths.iter().flat_map(|lengths| [(*lengths, vec![100, 50]), (*lengths, vec![])]) {
        let problem = Problem { hidden, ..problem(lengths) };
        compare(&problem, Kind::Double, 1e-11);
        let results = problem.run(Execution::Auto, Kind::Float);
        let pairs: u32 = lengths.iter().map(|length| length.saturating_sub(1)).sum();
        assert_eq!(results.len() > 1, pairs > 0, "{lengths:?}");
        assert_eq!(f64::try_from(&results[0]).unwrap() > 0.0, pairs > 0, "{lengths:?}");
        let strange = |result: &Tensor| i64::try_from(result.isfinite().logical_not().sum(Kind::Int64)).unwrap();
        assert_eq!(results.iter().map(strange).sum::<i64>(), 0, "{lengths:?}");
    }
}

#[test]
fn the_derivative_is_that_of_the_function() {
    derivative(&Problem { widths: [3, 2], hidden: vec![5, 4], ..problem(&[1]) });
    derivative(&Problem { widths: [3, 3], hidden: Vec::new(), ..problem(&[1]) });
}

fn derivative(problem: &Problem) {
    let [of_state, of_event] = problem.widths;
    let (_variables, loss) = problem.loss(Execution::Auto, Kind::Double);
    let rows = [(0, of_state), (1, of_event), (2, of_event)]
        .map(|(index, width)| problem.tensor(index, &[7, width], Kind::Double).set_requires_grad(true));
    let of_pairs = |inputs: &[Tensor]| {
        Ok::<_, LayerError>(vec![loss.of_pairs(&inputs[0], &inputs[1], &inputs[2], Mode::Training)?])
    };
    let report = check_gradients(of_pairs, &rows, &GradientCheck::default()).unwrap();
    assert_eq!(report.entries, 7 * (of_state + 2 * of_event) as usize);
}

/// One loss with its inputs, and the gradients of all of them.
struct Scene {
    variables: Vec<Tensor>,
    loss: AuxiliaryLoss,
    rows: [Tensor; 3],
    layout: JaggedLayout,
}

impl Scene {
    /// With two threads.
    fn new() -> Self {
        // libtorch takes the number for all threads at its first call, and that for this one from then on.
        let _first = tch::get_num_threads();
        tch::set_num_threads(2);
        let problem = problem(&[400; 9]);
        let (variables, loss) = problem.loss(Execution::Auto, Kind::Float);
        let offsets: Vec<u32> = (0..=9).map(|sample| 400 * sample).collect();
        let rows = [0, 1, 2].map(|index| problem.tensor(index, &[3600, 16], Kind::Float).set_requires_grad(true));
        Self { variables, loss, rows, layout: JaggedLayout::new(&offsets, Device::Cpu).unwrap() }
    }

    fn forward(&self) -> Tensor {
        let [states, history, negative] =
            self.rows.each_ref().map(|rows| Jagged::new(rows.shallow_clone(), self.layout.clone()).unwrap());
        self.loss.forward(&states, &history, &negative, Mode::Training).unwrap()
    }

    fn backward(&self, loss: &Tensor, keep: bool) -> Result<Vec<Tensor>, tch::TchError> {
        let inputs: Vec<&Tensor> = self.rows.iter().chain(&self.variables).collect();
        Tensor::f_run_backward(&[loss], &inputs, keep, false)
    }
}

fn number(scalar: &Tensor) -> f64 {
    f64::try_from(scalar.detach()).unwrap()
}

#[test]
fn computed_beside_other_things_it_is_the_same_to_the_last_bit() {
    let scene = Scene::new();
    let at_once = scene.forward();
    assert!(number(&at_once) > 0.0);
    let gradients = scene.backward(&at_once, false).unwrap();
    overlap(|| {
        let loss = scene.forward();
        assert!(number(&loss).is_nan(), "it was not left to others");
        // The second one is computed at once.
        assert_eq!(scene.forward(), at_once);
        assert_eq!(scene.backward(&loss, true).unwrap(), gradients);
        assert_eq!(loss, at_once);
        assert_eq!(scene.backward(&loss, false).unwrap(), gradients);
        // Without gradients there is nothing to wait for.
        assert_eq!(tch::no_grad(|| scene.forward()), at_once);
    });
    let loss = overlap(|| scene.forward());
    assert_eq!(scene.backward(&loss, false).unwrap(), gradients);
    assert_eq!(loss, at_once);
    overlap(|| drop(scene.forward()));
}

#[test]
fn rows_that_are_changed_while_it_is_computed_are_an_error() {
    let mut scene = Scene::new();
    let loss = overlap(|| scene.forward());
    let _changed = tch::no_grad(|| scene.rows[1].fill_(0.0));
    let error = scene.backward(&loss, false).unwrap_err().to_string();
    assert!(error.contains("modified by an inplace operation"), "{error}");
}

type Operation<'a> = &'a dyn Fn() -> Result<(), LayerError>;

/// How many threads libtorch has for its own operations shows in whether they can be left another job.
#[test]
fn before_large_operations_of_libtorch_the_threads_are_taken_back() {
    let scene = Scene::new();
    let store = nn::VarStore::new(Device::Cpu);
    let map = |inputs: i64, outputs: i64| Linear::new(&(store.root() / inputs), inputs, outputs).unwrap();
    let (small, large) = (map(64, 64), map(1024, 512));
    let rows = |width: i64| Tensor::zeros([3, width], (Kind::Float, Device::Cpu));
    let gru = Gru::new(&store.root(), 16, GruConfig { hidden: 4, ..GruConfig::default() }).unwrap();
    let gru = gru.with_execution(Execution::Plain);
    let operations: [(Operation<'_>, bool); 3] = [
        (&|| small.forward(&rows(64)).map(drop), false),
        (&|| large.forward(&rows(1024)).map(drop), true),
        (&|| gru.forward(&Jagged::new(scene.rows[1].detach(), scene.layout.clone())?, None).map(drop), true),
    ];
    for (place, (operation, taken_back)) in operations.into_iter().enumerate() {
        overlap(|| {
            let loss = scene.forward();
            assert!(!background(|| ()).is_left());
            operation().unwrap();
            assert_eq!(background(|| ()).is_left(), taken_back, "{place}");
            scene.backward(&loss, false).unwrap();
            assert!(number(&loss) > 0.0, "{place}");
        });
    }
}

#[test]
fn inner_products_are_not_left_to_others() {
    let (variables, loss) = Problem { hidden: Vec::new(), ..problem(&[1]) }.loss(Execution::Auto, Kind::Float);
    let scene = Scene { variables, loss, ..Scene::new() };
    assert!(number(&overlap(|| scene.forward())) > 0.0);
}
