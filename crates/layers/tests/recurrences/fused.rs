//! The fused kernels equal the plain operations, forward and backward.

use fain_layers::{Execution, Jagged, ResetGate};
use proptest::prelude::*;
use tch::{Kind, Tensor};

use crate::problem::{CELLS, Layer, Problem, config, difference, numbers, tensor};

/// Compares everything that a forward and a backward pass give.
fn compare(problem: &Problem, kind: Kind, tolerance: f64) -> Result<(), TestCaseError> {
    for cell in CELLS {
        let run = |execution| {
            let layer = Layer::new(problem, cell, ResetGate::After, execution, kind);
            problem.batch(kind).run(&layer)
        };
        let (plain, fused) = (run(Execution::Plain), run(Execution::Auto));
        prop_assert!(plain.keys().eq(fused.keys()));
        for (name, expected) in &plain {
            let off = difference(&fused[name], expected);
            prop_assert!(off < tolerance, "{cell:?} {name}: off by {off}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn fused_equals_plain_in_float64(problem in Problem::up_to(20, 8, 40)) {
        compare(&problem, Kind::Double, 1e-12)?;
    }

    #[test]
    fn fused_equals_plain_in_float32(problem in Problem::up_to(20, 8, 40)) {
        compare(&problem, Kind::Float, 2e-5)?;
    }
}

fn problem() -> Problem {
    Problem { lengths: vec![3, 0, 70, 1, 2], width: 5, hidden: 7, bias: true, initial: true, seed: 5 }
}

#[test]
fn a_view_is_as_good_as_a_copy() {
    let problem = problem();
    for cell in CELLS {
        let layer = Layer::new(&problem, cell, ResetGate::After, Execution::Auto, Kind::Double);
        let batch = problem.batch(Kind::Double);
        let expected = batch.run(&layer);
        // The same numbers, column by column in memory, and a gradient that is one number stretched to all states.
        let columns = |tensor: &Tensor| tensor.detach().transpose(0, 1).contiguous().set_requires_grad(true);
        let (inputs, scores) = (columns(&batch.inputs), columns(&batch.scores));
        let initial = batch.initial.as_ref().map(columns).unwrap();
        let history = Jagged::new(inputs.transpose(0, 1), batch.layout.clone()).unwrap();
        let states =
            layer.recurrence.forward(&history, &scores.transpose(0, 1), Some(&initial.transpose(0, 1))).unwrap();
        assert_eq!(numbers(states.values()), numbers(&expected["states"]), "{cell:?}");
        for variable in layer.variables.values() {
            let _zeros = variable.grad().zero_();
        }
        (states.values() * &batch.loss_weights).sum(Kind::Double).backward();
        assert_eq!(numbers(&inputs.grad().transpose(0, 1)), numbers(&expected["inputs"]), "{cell:?}");
        assert_eq!(numbers(&initial.grad().transpose(0, 1)), numbers(&expected["initial"]), "{cell:?}");
    }
}

/// A sample without events, whose last state is zeros, is among them.
#[test]
fn last_states_are_those_among_all() {
    let problem = problem();
    for cell in CELLS {
        let run = |execution, alone: bool| {
            let layer = Layer::new(&problem, cell, ResetGate::After, execution, Kind::Double);
            let batch = problem.batch(Kind::Double);
            let history = Jagged::new(batch.inputs.shallow_clone(), batch.layout.clone()).unwrap();
            let (recurrence, initial) = (layer.recurrence.as_ref(), batch.initial.as_ref());
            let last = if alone {
                recurrence.last(&history, &batch.scores, initial).unwrap()
            } else {
                recurrence.forward(&history, &batch.scores, initial).unwrap().last().unwrap()
            };
            (&last * tensor(77, &last.size(), Kind::Double)).sum(Kind::Double).backward();
            let operands = [&batch.inputs, &batch.scores].into_iter().chain(initial);
            let gradients = operands.chain(layer.variables.values()).map(Tensor::grad).filter(Tensor::defined);
            std::iter::once(last.detach()).chain(gradients).collect::<Vec<Tensor>>()
        };
        let expected = run(Execution::Plain, false);
        for execution in [Execution::Plain, Execution::Auto] {
            let got = run(execution, true);
            assert_eq!(got.len(), expected.len(), "{cell:?} {execution:?}");
            for (place, (got, expected)) in got.iter().zip(&expected).enumerate() {
                let off = difference(got, expected);
                assert!(off < 1e-12, "{cell:?} {execution:?}, tensor {place}: off by {off}");
            }
        }
    }
}

#[test]
fn what_needs_no_gradient_gets_none() {
    let problem = problem();
    for cell in CELLS {
        let layer = Layer::new(&problem, cell, ResetGate::After, Execution::Auto, Kind::Float);
        let expected = problem.batch(Kind::Float).run(&layer);
        for variable in layer.variables.values() {
            let _fixed = variable.set_requires_grad(false);
            let _zeros = variable.grad().zero_();
        }
        let mut batch = problem.batch(Kind::Float);
        batch.scores = batch.scores.detach();
        batch.initial = batch.initial.map(|initial| initial.detach());
        let states = batch.states(layer.recurrence.as_ref());
        (&states * &batch.loss_weights).sum(Kind::Float).backward();
        assert_eq!(numbers(&batch.inputs.grad()), numbers(&expected["inputs"]), "{cell:?}");
        assert!(!batch.scores.grad().defined());
        // Without anything to train, nothing is recorded.
        batch.inputs = batch.inputs.detach();
        let states = batch.states(layer.recurrence.as_ref());
        assert!(!states.requires_grad());
        assert_eq!(numbers(&states), numbers(&expected["states"]), "{cell:?}");
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let lengths = (0..300).map(|row| row % 11).collect();
    let problem = Problem { lengths, width: 12, hidden: 9, bias: true, initial: true, seed: 6 };
    let threads = tch::get_num_threads();
    for cell in CELLS {
        let run = |threads| {
            tch::set_num_threads(threads);
            let layer = Layer::new(&problem, cell, ResetGate::After, Execution::Auto, Kind::Float);
            problem.batch(Kind::Float).run(&layer)
        };
        let (one, three) = (run(1), run(3));
        for (name, expected) in &one {
            assert_eq!(numbers(&three[name]), numbers(expected), "{cell:?} {name}");
        }
    }
    tch::set_num_threads(threads);
}

#[test]
fn other_kinds_and_gates_are_computed_plainly() {
    let problem = problem();
    for cell in CELLS {
        for (kind, reset) in [(Kind::BFloat16, ResetGate::After), (Kind::Float, ResetGate::Before)] {
            let run = |execution| {
                let layer = Layer::new(&problem, cell, reset, execution, kind);
                problem.batch(kind).run(&layer)
            };
            let (plain, automatic) = (run(Execution::Plain), run(Execution::Auto));
            for (name, expected) in &plain {
                assert_eq!(automatic[name].kind(), kind);
                assert_eq!(numbers(&automatic[name]), numbers(expected), "{cell:?} {name}");
            }
        }
    }
}
