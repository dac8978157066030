//! Gradients equal central differences.

use fain_autograd::{GradientCheck, check_gradients};
use fain_layers::{Execution, Jagged, LayerError, ResetGate};
use tch::{Kind, Tensor};

use crate::problem::{CELLS, Layer, Problem};

/// Checks the gradients of inputs, scores, initial states and parameters.
fn check(problem: &Problem, reset: ResetGate, execution: Execution) {
    for cell in CELLS {
        let batch = problem.batch(Kind::Double);
        let parameters = Layer::new(problem, cell, reset, execution, Kind::Double).variables;
        let mut leaves = vec![batch.inputs.shallow_clone(), batch.scores.shallow_clone()];
        leaves.extend(batch.initial.as_ref().map(Tensor::shallow_clone));
        let given = leaves.len();
        leaves.extend(parameters.values().map(Tensor::shallow_clone));
        let expected = leaves.iter().map(Tensor::numel).sum::<usize>();
        let function = |leaves: &[Tensor]| -> Result<Vec<Tensor>, LayerError> {
            let layer = Layer::new(problem, cell, reset, execution, Kind::Double);
            for (variable, leaf) in layer.variables.values().zip(&leaves[given..]) {
                // The copy is recorded: what the layer's variable gets flows on to the leaf.
                variable.f_set_requires_grad(false)?.f_copy_(leaf)?;
            }
            let history = Jagged::new(leaves[0].shallow_clone(), batch.layout.clone())?;
            let initial = batch.initial.is_some().then(|| &leaves[2]);
            Ok(vec![layer.recurrence.forward(&history, &leaves[1], initial)?.values().shallow_clone()])
        };
        let report = check_gradients(function, &leaves, &GradientCheck::default());
        let report = report.unwrap_or_else(|error| panic!("{cell:?} {reset:?} {execution:?}: {error}"));
        assert_eq!(report.entries, expected);
    }
}

fn problem(bias: bool, initial: bool) -> Problem {
    Problem { lengths: vec![2, 0, 4, 1], width: 2, hidden: 3, bias, initial, seed: 3 }
}

#[test]
fn fused_gradients_equal_differences() {
    check(&problem(true, true), ResetGate::After, Execution::Auto);
    check(&problem(false, false), ResetGate::After, Execution::Auto);
}

#[test]
fn plain_gradients_equal_differences() {
    for reset in [ResetGate::After, ResetGate::Before] {
        check(&problem(true, true), reset, Execution::Plain);
        check(&problem(false, false), reset, Execution::Plain);
    }
}

#[test]
fn plain_gradients_can_be_differentiated_again_and_fused_ones_say_that_they_cannot() {
    let problem = problem(true, false);
    for cell in CELLS {
        let second = |execution| {
            let layer = Layer::new(&problem, cell, ResetGate::After, execution, Kind::Double);
            let batch = problem.batch(Kind::Double);
            let states = batch.states(layer.recurrence.as_ref()).square().sum(Kind::Double);
            let first = Tensor::f_run_backward(&[states], &[&batch.inputs], true, true)?;
            let penalty = first[0].square().sum(Kind::Double);
            Tensor::f_run_backward(&[penalty], &[&batch.inputs], false, false)
        };
        let plain = second(Execution::Plain).unwrap();
        assert!(f64::try_from(plain[0].abs().sum(Kind::Double)).unwrap() > 0.0);
        let message = second(Execution::Auto).unwrap_err().to_string();
        assert!(message.contains("Recurrence"), "{message}");
    }
}
