//! What DIEN's reader of a history promises, for every evolution, in plain operations and fused.

use std::collections::BTreeMap;

use fain_autograd::check_leaves;
use fain_layers::{
    ActivationConfig, AttentionNormalization, AttentionScoring, AuxiliaryLossConfig, AuxiliaryNetConfig,
    AuxiliaryScorer, CandidateProjection, DienInterest, DienInterestConfig, EvolutionKind, Execution, Interest,
    InterestInput, InterestLayer, Jagged, LayerError, Mode, ResetGate, TargetAttentionConfig,
};
use fain_tests::draw_variables;
use proptest::prelude::*;
use tch::{Device, Kind, Tensor, nn};

use crate::problem::{Problem, SLOPES, config, difference, draw, gradient, numbers};

const KINDS: [EvolutionKind; 5] =
    [EvolutionKind::Gru, EvolutionKind::Aigru, EvolutionKind::Agru, EvolutionKind::Augru, EvolutionKind::AugruOfficial];
const MODES: [Mode; 2] = [Mode::Training, Mode::Evaluation];

struct Layer {
    name: String,
    dien: DienInterest,
    variables: BTreeMap<String, Tensor>,
}

impl Layer {
    fn forward(&self, batch: &Batch, mode: Mode) -> Interest {
        self.dien.forward(&batch.input(), mode).unwrap()
    }
}

/// Every evolution with the paper's attention and the authors', computed in both ways.
fn layers(problem: &Problem, kind: Kind) -> Vec<Layer> {
    let network = TargetAttentionConfig {
        hidden: vec![3],
        activation: ActivationConfig::DiceAffine,
        projection: CandidateProjection::DensePrelu,
        normalization: AttentionNormalization::Softmax,
        ..TargetAttentionConfig::of(AttentionScoring::Mlp)
    };
    let net = AuxiliaryNetConfig { hidden: vec![3], ..AuxiliaryNetConfig::default() };
    let auxiliary =
        AuxiliaryLossConfig { scorer: AuxiliaryScorer::Mlp(net), weight: 0.5, ..AuxiliaryLossConfig::default() };
    let mut layers = Vec::new();
    for (index, evolution) in KINDS.into_iter().enumerate() {
        for (attention, reset, execution) in [
            (DienInterestConfig::attention(), ResetGate::After, Execution::Auto),
            (network.clone(), ResetGate::After, Execution::Plain),
            (network.clone(), ResetGate::Before, Execution::Auto),
        ] {
            let name = format!("{evolution:?} {:?} {reset:?} {execution:?}", attention.scoring);
            let (hidden, auxiliary) = (Some(problem.hidden), Some(auxiliary.clone()));
            let config = DienInterestConfig { hidden, reset, attention, evolution, auxiliary };
            let mut store = nn::VarStore::new(Device::Cpu);
            let dien = DienInterest::with_execution(&store.root(), problem.width, &config, execution).unwrap();
            let variables = draw_variables(&mut store, problem.seed.wrapping_add(10 + index as u64), kind).unwrap();
            layers.push(Layer { name, dien, variables });
        }
    }
    layers
}

struct Batch {
    candidate: Tensor,
    history: Jagged,
    negative: Jagged,
}

impl Batch {
    fn new(problem: &Problem, kind: Kind) -> Self {
        Self {
            candidate: draw(problem.seed ^ 1, &[problem.rows(), problem.width], kind),
            history: problem.jagged(2, problem.width, kind),
            negative: problem.jagged(3, problem.width, kind),
        }
    }

    /// The same batch whose tensors are leaves.
    fn leaves(problem: &Problem, kind: Kind) -> Self {
        let Self { candidate, history, negative } = Self::new(problem, kind);
        let leaf = |jagged: Jagged| problem.shape(jagged.values().set_requires_grad(true));
        Self { candidate: candidate.set_requires_grad(true), history: leaf(history), negative: leaf(negative) }
    }

    /// The samples `rows`, in that order.
    fn part(&self, problem: &Problem, rows: &[usize]) -> Self {
        let index: Vec<i64> = rows.iter().map(|&row| row as i64).collect();
        Self {
            candidate: self.candidate.index_select(0, &Tensor::from_slice(&index)),
            history: problem.part(rows, &self.history),
            negative: problem.part(rows, &self.negative),
        }
    }

    fn input(&self) -> InterestInput<'_> {
        InterestInput {
            candidate: &self.candidate,
            history: &self.history,
            negative: Some(&self.negative),
            times: None,
        }
    }
}

/// A loss that hears the vector and the auxiliary loss.
fn loss(problem: &Problem, interest: &Interest) -> Tensor {
    let weights = draw(problem.seed ^ 4, &interest.vector.size(), interest.vector.kind());
    (&interest.vector * weights).sum(interest.vector.kind()) + interest.auxiliary.as_ref().unwrap()
}

proptest! {
    #![proptest_config(config(32))]

    #[test]
    fn a_sample_does_not_depend_on_its_batch_mates(problem in Problem::any()) {
        let batch = Batch::new(&problem, Kind::Double);
        for layer in layers(&problem, Kind::Double) {
            let together = layer.forward(&batch, Mode::Evaluation).vector;
            prop_assert_eq!(together.size(), [problem.rows(), problem.hidden]);
            for row in 0..problem.lengths.len() {
                let apart = layer.forward(&batch.part(&problem, &[row]), Mode::Evaluation).vector;
                let difference = difference(&numbers(&together.get(row as i64)), &numbers(&apart));
                prop_assert!(difference < 1e-12, "{} row {row}: off by {difference}", layer.name);
            }
        }
    }

    #[test]
    fn permuting_the_batch_permutes_the_result(
        (problem, order) in Problem::any().prop_flat_map(|problem| {
            let order: Vec<usize> = (0..problem.lengths.len()).collect();
            (Just(problem), Just(order).prop_shuffle())
        })
    ) {
        let batch = Batch::new(&problem, Kind::Double);
        let rows = Tensor::from_slice(&order.iter().map(|&row| row as i64).collect::<Vec<i64>>());
        for layer in layers(&problem, Kind::Double) {
            for mode in MODES {
                let (ordered, permuted) = (layer.forward(&batch, mode), layer.forward(&batch.part(&problem, &order), mode));
                for (name, got, expected) in [
                    ("vector", permuted.vector, ordered.vector.index_select(0, &rows)),
                    ("auxiliary", permuted.auxiliary.unwrap(), ordered.auxiliary.unwrap()),
                ] {
                    let difference = difference(&numbers(&got), &numbers(&expected));
                    prop_assert!(difference < 1e-10, "{} {mode:?} {name}: off by {difference}", layer.name);
                }
            }
        }
    }

    #[test]
    fn an_empty_history_gives_zeros_and_gets_zero_gradients(mut problem in Problem::any(), all in any::<bool>()) {
        problem.lengths.push(0);
        if all {
            problem.lengths.fill(0);
        }
        for layer in layers(&problem, Kind::Float) {
            for mode in MODES {
                let batch = Batch::leaves(&problem, Kind::Float);
                let interest = layer.forward(&batch, mode);
                let loss = loss(&problem, &interest);
                loss.backward();
                let (vector, of_candidate) = (numbers(&interest.vector), gradient(&batch.candidate));
                for (row, _) in problem.lengths.iter().enumerate().filter(|(_, length)| **length == 0) {
                    for (entries, width) in [(&vector, problem.hidden), (&of_candidate, problem.width)] {
                        let entries = &entries[row * width as usize..][..width as usize];
                        prop_assert!(entries.iter().all(|&entry| entry == 0.0), "{} {mode:?}: {entries:?}", layer.name);
                    }
                }
                for leaf in [batch.history.values(), batch.negative.values()].into_iter().chain(layer.variables.values()) {
                    let gradient = if leaf.requires_grad() { gradient(leaf) } else { numbers(leaf) };
                    prop_assert!(gradient.iter().all(|entry| entry.is_finite()), "{} {mode:?}", layer.name);
                    let zero = gradient.iter().all(|&entry| entry == 0.0);
                    prop_assert!(!all || zero || !leaf.requires_grad(), "{} {mode:?}", layer.name);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(config(4))]

    #[test]
    fn gradients_equal_finite_differences(problem in Problem::any()) {
        for layer in layers(&problem, Kind::Double) {
            let batch = Batch::leaves(&problem, Kind::Double);
            let mut leaves = vec![
                ("candidate", &batch.candidate),
                ("history", batch.history.values()),
                ("negative", batch.negative.values()),
            ];
            let parameters = layer.variables.iter().filter(|(_, variable)| variable.requires_grad());
            leaves.extend(parameters.map(|(name, variable)| (name.as_str(), variable)));
            for mode in MODES {
                let loss = || Ok::<_, LayerError>(loss(&problem, &layer.dien.forward(&batch.input(), mode)?));
                let result = check_leaves(loss, &leaves, &SLOPES);
                prop_assert!(result.is_ok(), "{} {mode:?}: {}", layer.name, result.unwrap_err());
            }
        }
    }
}

#[test]
fn the_auxiliary_loss_comes_with_its_weight_and_only_with_negatives() {
    let problem = Problem { lengths: vec![3, 0, 2], width: 2, hidden: 2, seed: 5 };
    let batch = Batch::new(&problem, Kind::Double);
    let losses: Vec<f64> = [1.0, 0.25]
        .into_iter()
        .map(|weight| {
            let auxiliary = Some(AuxiliaryLossConfig { weight, ..AuxiliaryLossConfig::default() });
            let mut store = nn::VarStore::new(Device::Cpu);
            let config = DienInterestConfig { auxiliary, ..DienInterestConfig::default() };
            let layer = DienInterest::new(&store.root(), 2, &config).unwrap();
            draw_variables(&mut store, 6, Kind::Double).unwrap();
            let without = layer.forward(&InterestInput { negative: None, ..batch.input() }, Mode::Training).unwrap();
            assert!(without.auxiliary.is_none());
            f64::try_from(layer.forward(&batch.input(), Mode::Training).unwrap().auxiliary.unwrap()).unwrap()
        })
        .collect();
    assert!(losses[0] > 0.0);
    assert!(difference(&[losses[1]], &[0.25 * losses[0]]) < 1e-15, "{losses:?}");
    // A layer without the loss does not read negatives.
    let store = nn::VarStore::new(Device::Cpu);
    let layer = DienInterest::new(&store.root(), 2, &DienInterestConfig::default()).unwrap();
    let input = Batch::new(&problem, Kind::Float);
    assert!(layer.forward(&input.input(), Mode::Training).unwrap().auxiliary.is_none());
}
