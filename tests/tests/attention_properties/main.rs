//! What target attention promises, on random layers and batches: every scoring, projection, activation and
//! normalisation.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod gradients;
mod naive;
mod problem;

use fain_layers::Mode;
use problem::{Problem, numbers};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use tch::{Kind, Tensor};

const MODES: [Mode; 2] = [Mode::Training, Mode::Evaluation];

/// The same problems in every run: a gradient next to a kink must not fail once in a thousand runs.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() }
}

/// The largest difference between two lists, as a share of `1 + |expected|`; infinite for a NaN.
fn difference(got: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let shares = got.iter().zip(expected).map(|(got, expected)| (got - expected).abs() / (1.0 + expected.abs()));
    shares.fold(0.0, |worst, share| if share.is_nan() { f64::INFINITY } else { worst.max(share) })
}

/// Row `row` of a problem as a problem of its own, with its part of the values.
fn alone(problem: &Problem, row: usize, values: &Tensor) -> (Problem, Tensor) {
    let (offsets, length) = (problem.offsets(), problem.lengths[row]);
    let part = values.narrow(0, i64::from(offsets[row]), i64::from(length));
    (Problem { lengths: vec![length], ..problem.clone() }, part)
}

proptest! {
    #![proptest_config(config(32))]

    #[test]
    fn it_equals_its_definition(problem in Problem::any()) {
        for mode in MODES {
            for layer in problem.layers(Kind::Double) {
                let expected = naive::forward(&problem, &layer, mode).concat();
                let history = problem.history(&problem.values(Kind::Double));
                let got = layer.attention.forward(&problem.candidate(&layer, Kind::Double), &history, mode).unwrap();
                prop_assert_eq!(got.size(), [problem.rows(), problem.width]);
                let difference = difference(&numbers(&got), &expected);
                prop_assert!(difference < 1e-10, "{} {mode:?}: off by {difference}", layer.name);
            }
        }
    }

    #[test]
    fn a_row_does_not_depend_on_its_batch_mates(problem in Problem::any()) {
        let values = problem.values(Kind::Float);
        for layer in problem.layers(Kind::Float) {
            let candidate = problem.candidate(&layer, Kind::Float);
            let forward = |problem: &Problem, candidate: &Tensor, values: &Tensor| {
                layer.attention.forward(candidate, &problem.history(values), Mode::Evaluation).unwrap()
            };
            let together = forward(&problem, &candidate, &values);
            for row in 0..problem.lengths.len() {
                let (single, part) = alone(&problem, row, &values);
                let apart = forward(&single, &candidate.narrow(0, row as i64, 1), &part);
                let together = together.narrow(0, row as i64, 1);
                let difference = difference(&numbers(&together), &numbers(&apart));
                prop_assert!(difference < 1e-6, "{} row {row}: off by {difference}", layer.name);
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
        let values = problem.values(Kind::Double);
        let rows = Tensor::from_slice(&order.iter().map(|&row| row as i64).collect::<Vec<i64>>());
        let parts: Vec<Tensor> = order.iter().map(|&row| alone(&problem, row, &values).1).collect();
        let lengths = order.iter().map(|&row| problem.lengths[row]).collect();
        let permuted = Problem { lengths, ..problem.clone() };
        for mode in MODES {
            for layer in problem.layers(Kind::Double) {
                let candidate = problem.candidate(&layer, Kind::Double);
                let forward = |problem: &Problem, candidate: &Tensor, values: &Tensor| {
                    layer.attention.forward(candidate, &problem.history(values), mode).unwrap()
                };
                let expected = forward(&problem, &candidate, &values).index_select(0, &rows);
                let got = forward(&permuted, &candidate.index_select(0, &rows), &Tensor::cat(&parts, 0));
                let difference = difference(&numbers(&got), &numbers(&expected));
                prop_assert!(difference < 1e-10, "{} {mode:?}: off by {difference}", layer.name);
            }
        }
    }

    #[test]
    fn an_empty_history_gives_zeros_and_gets_zero_gradients(mut problem in Problem::any(), all in any::<bool>()) {
        problem.lengths.push(0);
        if all {
            problem.lengths.fill(0);
        }
        for mode in MODES {
            for layer in problem.layers(Kind::Float) {
                let candidate = problem.candidate(&layer, Kind::Float).set_requires_grad(true);
                let values = problem.values(Kind::Float).set_requires_grad(true);
                let output = layer.attention.forward(&candidate, &problem.history(&values), mode).unwrap();
                (&output * problem.loss_weights(Kind::Float)).sum(Kind::Float).backward();
                let row = |tensor: &Tensor, row: usize| numbers(&tensor.get(row as i64));
                let zeros = |width: i64| vec![0.0; width as usize];
                let gradient = candidate.grad();
                let gradient = if gradient.defined() { gradient } else { candidate.zeros_like() };
                for (index, &length) in problem.lengths.iter().enumerate() {
                    if length == 0 {
                        prop_assert_eq!(row(&output, index), zeros(problem.width), "{} {:?}", layer.name, mode);
                        prop_assert_eq!(row(&gradient, index), zeros(layer.candidate), "{} {:?}", layer.name, mode);
                    }
                }
                let mut gradients = vec![gradient, values.grad()];
                for variable in layer.variables.values() {
                    let gradient = variable.grad();
                    if gradient.defined() {
                        prop_assert!(!all || numbers(&gradient).iter().all(|&entry| entry == 0.0), "{}", layer.name);
                        gradients.push(gradient);
                    }
                    // Buffers as well: an empty batch must not turn the running statistics into NaN.
                    gradients.push(variable.shallow_clone());
                }
                for tensor in gradients {
                    prop_assert!(numbers(&tensor).iter().all(|entry| entry.is_finite()), "{} {mode:?}", layer.name);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(config(4))]

    #[test]
    fn gradients_equal_finite_differences(problem in Problem::any()) {
        for mode in MODES {
            for layer in problem.layers(Kind::Double) {
                let result = gradients::check(&problem, &layer, mode);
                prop_assert!(result.is_ok(), "{} {mode:?}: {}", layer.name, result.unwrap_err());
            }
        }
    }
}
