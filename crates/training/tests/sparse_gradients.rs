//! Where theory says that sparse and dense gradients give the same steps, they do; elsewhere rows that the gradient does
//! not hold stay to the last bit.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fain_training::{AdagradConfig, AdamConfig, Optimizer, OptimizerConfig, UpdateRule};
use proptest::prelude::*;
use tch::{Kind, Tensor};

/// So small an epsilon that it does not matter before or after which root it is added.
const ADAM: AdamConfig = AdamConfig { beta1: 0.9, beta2: 0.999, epsilon: 1e-30 };
/// Rules that leave a row with a zero gradient where it is.
const STILL_WITHOUT_GRADIENT: [UpdateRule; 2] =
    [UpdateRule::Sgd {}, UpdateRule::Adagrad(AdagradConfig { epsilon: 1e-10 })];
/// Rules whose means move a row long after its gradient.
const WITH_MEANS: [UpdateRule; 2] = [UpdateRule::Adam(ADAM), UpdateRule::AdamW(ADAM)];

/// Rows that are looked up in a step, with the coefficients of their values in the loss.
type Lookups = Vec<(i64, f64)>;

/// A table `[V, 2]` and the lookups of some steps.
#[derive(Debug, Clone)]
struct Problem {
    rows: i64,
    start: Vec<f64>,
    steps: Vec<Lookups>,
}

/// Coefficients and values that keep gradients away from 0, where Adam and Adagrad turn a rounding error into a step.
fn problem(least: usize) -> impl Strategy<Value = Problem> {
    (1i64..6).prop_flat_map(move |rows| {
        let lookup = (0..rows, 0.5..2.0f64);
        let start = prop::collection::vec(-0.4..0.4f64, 2 * rows as usize);
        let steps = prop::collection::vec(prop::collection::vec(lookup, least..10), 1..5);
        (Just(rows), start, steps).prop_map(|(rows, start, steps)| Problem { rows, start, steps })
    })
}

/// The table and its optimiser.
fn optimizer(problem: &Problem, config: OptimizerConfig) -> (Tensor, Optimizer) {
    let table = Tensor::from_slice(&problem.start).reshape([problem.rows, 2]).set_requires_grad(true);
    let named = vec![("table".to_owned(), table.shallow_clone())];
    (table, Optimizer::new(named, config).unwrap())
}

/// `Σ c·r·(1 + r/2)`, from two lookups of the same table, as a candidate and its history are.
fn loss(table: &Tensor, lookups: &Lookups, sparse: bool) -> Tensor {
    let part = |lookups: &[(i64, f64)]| {
        let ids: Vec<i64> = lookups.iter().map(|(row, _)| *row).collect();
        let coefficients: Vec<f64> = lookups.iter().map(|(_, coefficient)| *coefficient).collect();
        let rows = Tensor::embedding(table, &Tensor::from_slice(&ids), -1, false, sparse);
        let factor: Tensor = &rows * 0.5 + 1.0;
        (&rows * factor * Tensor::from_slice(&coefficients).unsqueeze(1)).sum(Kind::Double)
    };
    let (first, second) = lookups.split_at(lookups.len() / 3);
    part(first) + part(second)
}

/// The table after the steps of a problem.
fn run(problem: &Problem, config: OptimizerConfig, sparse: bool) -> Vec<f64> {
    let (table, mut optimizer) = optimizer(problem, config);
    for lookups in &problem.steps {
        let loss = loss(&table, lookups, sparse);
        let gradients = Tensor::run_backward(&[&loss], &[&table], false, false);
        assert_eq!(gradients[0].is_sparse(), sparse);
        optimizer.step(&gradients).unwrap();
    }
    numbers(&table)
}

fn numbers(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.detach().reshape([-1])).unwrap()
}

fn assert_same(problem: &Problem, config: OptimizerConfig) {
    let (dense, sparse) = (run(problem, config, false), run(problem, config, true));
    for (dense, sparse) in dense.iter().zip(&sparse) {
        assert!((dense - sparse).abs() < 1e-12, "{config:?}: {dense} dense, {sparse} sparse");
    }
    assert!(problem.steps.iter().all(Vec::is_empty) || sparse != problem.start, "{config:?}: nothing has moved");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn without_weight_decay_a_zero_gradient_moves_nothing(problem in problem(0)) {
        for rule in STILL_WITHOUT_GRADIENT {
            assert_same(&problem, OptimizerConfig { learning_rate: 0.05, weight_decay: 0.0, rule });
        }
    }

    #[test]
    fn when_every_row_is_touched_all_rules_agree(problem in problem(0), weight_decay in prop_oneof![Just(0.0), 0.0..0.1f64]) {
        let mut problem = problem;
        for lookups in &mut problem.steps {
            lookups.extend((0..problem.rows).map(|row| (row, 1.0)));
        }
        for rule in STILL_WITHOUT_GRADIENT.into_iter().chain(WITH_MEANS) {
            assert_same(&problem, OptimizerConfig { learning_rate: 0.05, weight_decay, rule });
        }
    }

    #[test]
    fn rows_that_are_not_looked_up_stay_with_their_state(problem in problem(1), weight_decay in 0.0..0.1f64) {
        for rule in STILL_WITHOUT_GRADIENT.into_iter().chain(WITH_MEANS) {
            let config = OptimizerConfig { learning_rate: 0.05, weight_decay, rule };
            let (table, mut optimizer) = optimizer(&problem, config);
            for lookups in &problem.steps {
                let all = |optimizer: &Optimizer| {
                    let state = optimizer.state().into_iter().map(|(_, tensor)| tensor);
                    let tensors: Vec<Vec<f64>> = state.chain([table.shallow_clone()]).map(|each| numbers(&each)).collect();
                    tensors
                };
                let before = all(&optimizer);
                optimizer.backward_step(&loss(&table, lookups, true)).unwrap();
                let after = all(&optimizer);
                for (before, after) in before.iter().zip(&after) {
                    for row in 0..problem.rows {
                        let columns = 2 * row as usize..2 * row as usize + 2;
                        let touched = lookups.iter().any(|(looked_up, _)| *looked_up == row);
                        prop_assert_eq!(before[columns.clone()] != after[columns], touched, "{:?}, row {}", config, row);
                    }
                }
            }
        }
    }
}
