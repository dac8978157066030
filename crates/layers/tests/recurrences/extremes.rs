//! No events, scores at their ends, and numbers far from 0.

use fain_layers::{AttentionalGruKind, Execution, ResetGate};
use proptest::prelude::*;
use tch::{Kind, Tensor};

use crate::problem::{CELLS, Cell, Layer, Problem, config, numbers};

const WAYS: [(Execution, ResetGate); 3] =
    [(Execution::Plain, ResetGate::After), (Execution::Plain, ResetGate::Before), (Execution::Auto, ResetGate::After)];

#[test]
fn a_batch_without_events_has_no_states_and_zero_gradients() {
    for rows in [1, 3] {
        let problem = Problem { lengths: vec![0; rows], width: 3, hidden: 2, bias: true, initial: true, seed: 1 };
        for cell in CELLS {
            for (execution, reset) in WAYS {
                for kind in [Kind::Float, Kind::Double] {
                    let layer = Layer::new(&problem, cell, reset, execution, kind);
                    let results = problem.batch(kind).run(&layer);
                    assert_eq!(results["states"].size(), [0, 2]);
                    assert_eq!(results["inputs"].size(), [0, 3]);
                    for name in ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "initial"] {
                        assert!(results[name].numel() > 0);
                        assert!(numbers(&results[name]).iter().all(|&entry| entry == 0.0), "{cell:?} {name}");
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(config(32))]

    #[test]
    fn nothing_is_nan_or_infinite(
        problem in Problem::up_to(6, 4, 9),
        score in prop_oneof![Just(0.0), Just(1.0), Just(1e4), Just(-1e4)],
        scale in prop_oneof![Just(0.0), Just(1.0), Just(1e3), Just(-1e3)],
    ) {
        for cell in CELLS {
            for (execution, reset) in WAYS {
                let layer = Layer::new(&problem, cell, reset, execution, Kind::Float);
                let mut batch = problem.batch(Kind::Float);
                batch.inputs = (batch.inputs.detach() * scale).set_requires_grad(true);
                batch.scores = batch.scores.detach().fill_(score).set_requires_grad(true);
                for (name, result) in batch.run(&layer) {
                    prop_assert!(numbers(&result).iter().all(|entry| entry.is_finite()), "{cell:?} {execution:?} {name}");
                }
            }
        }
    }

    #[test]
    fn a_score_of_zero_keeps_the_state_and_one_of_agru_replaces_it(mut problem in Problem::up_to(6, 4, 9)) {
        problem.initial = true;
        for (execution, reset) in WAYS {
            let run = |kind, score: f64| {
                let layer = Layer::new(&problem, Cell::Attentional(kind), reset, execution, Kind::Double);
                let mut batch = problem.batch(Kind::Double);
                batch.scores = batch.scores.detach().fill_(score);
                let initial = batch.layout.expand(batch.initial.as_ref().unwrap()).unwrap();
                (numbers(&batch.states(layer.recurrence.as_ref())), numbers(&initial))
            };
            for kind in [AttentionalGruKind::Agru, AttentionalGruKind::Augru] {
                let (states, initial) = run(kind, 0.0);
                prop_assert_eq!(states, initial, "{:?} {:?}", kind, execution);
            }
            // The authors' gate keeps nothing at a score of 1: what is left is the candidate, as AGRU's.
            for kind in [AttentionalGruKind::Agru, AttentionalGruKind::AugruOfficial] {
                let (states, initial) = run(kind, 1.0);
                prop_assert!(states.iter().all(|state| state.abs() < 1.0));
                prop_assert!(states.is_empty() || states != initial);
            }
            let (states, initial) = run(AttentionalGruKind::AugruOfficial, 0.0);
            prop_assert!(states.is_empty() || states != initial, "it does not keep the state");
        }
    }
}

#[test]
fn saturated_gates_are_exact() {
    let problem = Problem { lengths: vec![3], width: 1, hidden: 1, bias: true, initial: true, seed: 1 };
    for (execution, reset) in WAYS {
        let layer = Layer::new(&problem, Cell::Gru, reset, execution, Kind::Float);
        // z is 1: the state stays to the last bit, whatever the rest does.
        tch::no_grad(|| layer.variables["bias_ih"].shallow_clone().copy_(&Tensor::from_slice(&[0.5, 1e4, 0.25])));
        let batch = problem.batch(Kind::Float);
        let kept = numbers(batch.initial.as_ref().unwrap())[0];
        assert_eq!(numbers(&batch.states(layer.recurrence.as_ref())), [kept; 3], "{execution:?}");
        // z is 0 and the candidate saturated.
        tch::no_grad(|| layer.variables["bias_ih"].shallow_clone().copy_(&Tensor::from_slice(&[0.5, -1e4, -1e4])));
        assert_eq!(numbers(&batch.states(layer.recurrence.as_ref())), [-1.0; 3], "{execution:?}");
    }
}
