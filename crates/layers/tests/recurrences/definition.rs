//! The plain operations equal the equations.

use fain_layers::{Execution, ResetGate};
use proptest::prelude::*;
use tch::{Kind, Tensor};

use crate::naive;
use crate::problem::{CELLS, Layer, Problem, config, difference};

proptest! {
    #![proptest_config(config(32))]

    #[test]
    fn plain_states_equal_the_equations(problem in Problem::up_to(6, 5, 6)) {
        let batch = problem.batch(Kind::Double);
        for cell in CELLS {
            for reset in [ResetGate::After, ResetGate::Before] {
                let layer = Layer::new(&problem, cell, reset, Execution::Plain, Kind::Double);
                let got = batch.states(layer.recurrence.as_ref());
                prop_assert_eq!(got.size(), [problem.events(), problem.hidden]);
                let expected = naive::states(&problem, &batch, &layer, reset);
                let expected = Tensor::from_slice(&expected).reshape([-1, problem.hidden]);
                let off = difference(&got, &expected);
                prop_assert!(off < 1e-13, "{cell:?} {reset:?}: off by {off}");
            }
        }
    }
}
