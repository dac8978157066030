//! Both passes against the formulas.

use fain_kernels::{InstructionSet, Serial, column_statistics_with};
use proptest::prelude::*;

use crate::case::{Case, KINDS, Kind, Number, cases, numbers, sets};

fn assert_close<T: Number>(results: &[T], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(results.len(), expected.len(), "{what}");
    for (index, (result, expected)) in results.iter().zip(expected).enumerate() {
        let error = (result.double() - expected).abs();
        assert!(error <= tolerance * (1.0 + expected.abs()), "{what} {index}: {result:?}, not {expected}");
    }
}

/// Holds every instruction set and both types to the formulas.
fn check(case: &Case, seed: u64) {
    let (output, (mean, variance)) = (case.output(), case.statistics());
    for set in sets() {
        let (double, single) = (case.run::<f64>(set, &Serial), case.run::<f32>(set, &Serial));
        assert_close(&double.output, &output, 1e-12, "output");
        assert_close(&single.output, &output, 2e-3, "output in f32");
        if case.kind != Kind::RowDice {
            assert_close(&double.mean, &mean, 1e-13, "mean");
            assert_close(&double.variance, &variance, 1e-12, "variance");
            assert_close(&single.mean, &mean, 1e-5, "mean in f32");
            assert_close(&single.variance, &variance, 1e-5, "variance in f32");
        }
        for (place, (double, single)) in double.gradients.iter().zip(&single.gradients).enumerate() {
            assert_close(single, double, 2e-2, &format!("gradient {place} in f32"));
            // Along a random direction, and for one number.
            let random = numbers(seed, double.len());
            let one: Vec<f64> = (0..double.len()).map(|index| f64::from(u8::from(index == double.len() / 2))).collect();
            for direction in [random, one] {
                let moved = |step: f64| {
                    let mut moved = case.clone();
                    for (number, direction) in moved.operands()[place].iter_mut().zip(&direction) {
                        *number += step * direction;
                    }
                    moved.loss()
                };
                let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                let slope: f64 = double.iter().zip(&direction).map(|(gradient, direction)| gradient * direction).sum();
                let scale: f64 =
                    double.iter().zip(&direction).map(|(gradient, direction)| (gradient * direction).abs()).sum();
                assert!((slope - expected).abs() <= 1e-5 * (1.0 + scale), "{set:?} {place}: {slope}, not {expected}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn outputs_and_gradients_are_those_of_the_formulas(case in cases(), seed: u64) {
        check(&case, seed);
    }
}

#[test]
fn several_tasks_are_joined_to_one_result() {
    for kind in KINDS {
        check(&Case::new(kind, 2100, 67, false, 5), 6);
    }
}

#[test]
fn columns_far_from_zero_keep_their_variance() {
    // In f32 the squares of these numbers leave no digit for a variance of 1/12.
    let rows = 3000;
    let offset = 4096.0;
    let input: Vec<f32> = numbers(1, 2 * rows).iter().map(|number| (offset + number * 0.5) as f32).collect();
    let exact: Vec<f64> = (0..2)
        .map(|column| {
            let column: Vec<f64> = input.iter().skip(column).step_by(2).map(|&x| f64::from(x)).collect();
            let mean = column.iter().sum::<f64>() / rows as f64;
            column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / rows as f64
        })
        .collect();
    for set in sets() {
        let (mut mean, mut variance) = ([0.0f32; 2], [0.0f32; 2]);
        column_statistics_with(set, 2, &input, &mut mean, &mut variance, &Serial).unwrap();
        for (variance, exact) in variance.iter().zip(&exact) {
            assert!((f64::from(*variance) - exact).abs() < 1e-3 * exact, "{set:?}: {variance}, not {exact}");
        }
    }
}

#[test]
fn no_rows_give_zeros_and_no_nan() {
    for kind in KINDS {
        let case = Case::new(kind, 0, 5, false, 1);
        let results = case.run::<f32>(InstructionSet::best(), &Serial);
        assert!(results.output.is_empty() && results.gradients[0].is_empty());
        let columns = results.gradients[1..].iter().chain([&results.mean, &results.variance]).flatten();
        assert!(columns.into_iter().all(|&number| number.to_bits() == 0));
    }
}

#[test]
fn a_constant_column_and_a_constant_row_stay_finite() {
    for kind in KINDS {
        let mut case = Case::new(kind, 40, 6, false, 3);
        case.input.fill(2.5);
        for set in sets() {
            let results = case.run::<f32>(set, &Serial);
            assert!(results.output.iter().chain(results.gradients.iter().flatten()).all(|number| number.is_finite()));
            assert!(results.variance.iter().all(|&variance| variance.to_bits() == 0));
        }
    }
}
