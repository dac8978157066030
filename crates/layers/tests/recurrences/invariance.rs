//! A sample's states are its own: they depend neither on the other samples of the batch nor on its later events.

use fain_layers::{Execution, ResetGate};
use proptest::prelude::*;
use tch::{Kind, Tensor};

use crate::problem::{CELLS, Layer, Problem, config, difference, numbers, select};

const EXECUTIONS: [Execution; 2] = [Execution::Plain, Execution::Auto];

/// Whether two results agree: to the last bit from the kernels; libtorch rounds a product of other height differently.
fn agree(got: &Tensor, expected: &Tensor, execution: Execution) -> bool {
    match execution {
        Execution::Auto => got.size() == expected.size() && numbers(got) == numbers(expected),
        Execution::Plain => difference(got, expected) < 1e-5,
    }
}

proptest! {
    #![proptest_config(config(32))]

    #[test]
    fn a_sample_alone_has_the_states_it_has_among_others(problem in Problem::up_to(12, 8, 20)) {
        let batch = problem.batch(Kind::Float);
        for cell in CELLS {
            for execution in EXECUTIONS {
                let layer = Layer::new(&problem, cell, ResetGate::After, execution, Kind::Float);
                let together = batch.states(layer.recurrence.as_ref());
                for (row, range) in problem.offsets().windows(2).enumerate() {
                    let (_, single) = select(&problem, &batch, &[row]);
                    let apart = single.states(layer.recurrence.as_ref());
                    let own = together.narrow(0, i64::from(range[0]), i64::from(range[1] - range[0]));
                    prop_assert!(agree(&own, &apart, execution), "{cell:?} {execution:?} row {row}");
                }
            }
        }
    }

    #[test]
    fn permuting_the_batch_permutes_the_states(
        (problem, order) in Problem::up_to(12, 8, 20).prop_flat_map(|problem| {
            let order: Vec<usize> = (0..problem.lengths.len()).collect();
            (Just(problem), Just(order).prop_shuffle())
        })
    ) {
        let batch = problem.batch(Kind::Float);
        let (_, permuted) = select(&problem, &batch, &order);
        let offsets = problem.offsets();
        let events: Vec<i64> =
            order.iter().flat_map(|&row| i64::from(offsets[row])..i64::from(offsets[row + 1])).collect();
        for cell in CELLS {
            for execution in EXECUTIONS {
                let layer = Layer::new(&problem, cell, ResetGate::After, execution, Kind::Float);
                let expected = batch.states(layer.recurrence.as_ref()).index_select(0, &Tensor::from_slice(&events));
                let got = permuted.states(layer.recurrence.as_ref());
                prop_assert!(agree(&got, &expected, execution), "{cell:?} {execution:?}");
            }
        }
    }

    #[test]
    fn a_gradient_flows_to_earlier_events_of_the_same_sample_only(
        (problem, event) in Problem::up_to(6, 6, 6)
            .prop_filter("there are events", |problem| problem.events() > 0)
            .prop_flat_map(|problem| {
                let events = problem.events();
                (Just(problem), 0..events)
            })
    ) {
        let offsets = problem.offsets();
        let row = (0..problem.lengths.len()).find(|&row| event < i64::from(offsets[row + 1])).unwrap();
        let seen = i64::from(offsets[row])..=event;
        for cell in CELLS {
            for execution in EXECUTIONS {
                let layer = Layer::new(&problem, cell, ResetGate::After, execution, Kind::Double);
                let batch = problem.batch(Kind::Double);
                batch.states(layer.recurrence.as_ref()).narrow(0, event, 1).sum(Kind::Double).backward();
                for (index, gradient) in numbers(&batch.inputs.grad()).chunks(problem.width as usize).enumerate() {
                    let zero = gradient.iter().all(|&entry| entry == 0.0);
                    prop_assert!(zero || seen.contains(&(index as i64)), "{cell:?} {execution:?} event {index}");
                    // The event itself always counts, unless its score is exactly 0.
                    prop_assert!(!zero || index as i64 != event, "{cell:?} {execution:?}");
                }
                if let Some(initial) = &batch.initial {
                    for (index, gradient) in numbers(&initial.grad()).chunks(problem.hidden as usize).enumerate() {
                        let zero = gradient.iter().all(|&entry| entry == 0.0);
                        prop_assert_eq!(!zero, index == row, "{:?} {:?}", cell, execution);
                    }
                }
            }
        }
    }
}
