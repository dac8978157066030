//! Both passes against the formulas.

use fain_kernels::{AugruGate, Cell, Serial};
use proptest::prelude::*;

use crate::case::{CELLS, Case, cases, numbers, sets};
use crate::naive::{Data, Dual, states};

fn close(result: f64, expected: f64, tolerance: f64, scale: f64) -> bool {
    (result - expected).abs() <= tolerance * scale.max(1.0)
}

fn largest(numbers: &[f64]) -> f64 {
    numbers.iter().fold(0.0, |largest, number| number.abs().max(largest))
}

/// The derivative of `Σ gradient · states` along a direction, from the formulas.
fn slope(case: &Case, direction: &Data<f64>) -> f64 {
    let directions = direction.buffers();
    let data = case.data.map(|place, index, &value| Dual { value, slope: directions[place].1[index] });
    states(case.cell, case.width, case.hidden, &case.offsets, &data)
        .iter()
        .zip(&case.gradient)
        .map(|(state, gradient)| state.slope * gradient)
        .sum()
}

/// Holds every instruction set and both types to the formulas.
fn check(case: &Case, seed: u64) {
    let expected = states(case.cell, case.width, case.hidden, &case.offsets, &case.data);
    // One direction in which everything moves, one for each buffer alone, and some single numbers of each.
    let random = numbers(seed, case.data.buffers().iter().map(|(_, buffer)| buffer.len()).max().unwrap_or(0));
    let mut directions = vec![case.data.map(|_, index, _| random[index])];
    for (place, (_, buffer)) in case.data.buffers().iter().enumerate() {
        if buffer.is_empty() || (place == 1 && !case.cell.takes_scores()) {
            continue;
        }
        directions.push(case.data.map(|at, index, _| if at == place { random[index] } else { 0.0 }));
        for number in [0, buffer.len() / 2, buffer.len() - 1] {
            directions.push(case.data.map(|at, index, _| f64::from(u8::from(at == place && index == number))));
        }
    }
    let slopes: Vec<f64> = directions.iter().map(|direction| slope(case, direction)).collect();

    for set in sets() {
        let double = case.run::<f64>(set, &Serial).unwrap();
        let single = case.run::<f32>(set, &Serial).unwrap();
        for (index, &expected) in expected.iter().enumerate() {
            assert!(close(double.states[index], expected, 1e-13, 1.0), "{set:?}: state {index}");
            assert!(close(f64::from(single.states[index]), expected, 1e-4, 1.0), "{set:?}: state {index} in f32");
        }
        for (direction, &expected) in directions.iter().zip(&slopes) {
            let mut result = 0.0;
            let mut scale = 0.0;
            for ((_, gradient), (_, direction)) in double.gradients.buffers().iter().zip(direction.buffers()) {
                for (gradient, direction) in gradient.iter().zip(direction) {
                    result += gradient * direction;
                    scale += (gradient * direction).abs();
                }
            }
            assert!(close(result, expected, 1e-11, scale), "{set:?}: slope {result} is not {expected}");
        }
        for ((name, single), (_, double)) in single.gradients.buffers().iter().zip(double.gradients.buffers()) {
            let scale = largest(double);
            for (index, (&single, &double)) in single.iter().zip(double).enumerate() {
                let single = f64::from(single);
                assert!(close(single, double, 1e-3, scale), "{set:?}: {name} {index} in f32: {single} is not {double}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn both_passes_do_what_the_formulas_say(case in cases(), seed: u64) {
        check(&case, seed);
    }
}

#[test]
fn usual_widths_do_what_the_formulas_say() {
    let lengths = [7, 0, 3, 12, 1, 1, 0, 5, 9, 2, 2, 4];
    for (index, sizes) in [(16, 16), (36, 36), (64, 64), (18, 36), (64, 16), (1, 1), (3, 65)].into_iter().enumerate() {
        for cell in CELLS {
            check(&Case::new(cell, sizes, &lengths, (index % 2 == 0, index % 3 == 0), index as u64), 5);
        }
    }
}

/// Enough samples for several tasks and blocks, and enough events for the record of the backward pass to run full.
#[test]
fn many_samples_do_what_the_formulas_say() {
    let lengths: Vec<u32> = (0..300).map(|sample| sample * 7919 % 31).collect();
    for (cell, sizes) in [(Cell::Gru, (5, 9)), (Cell::Agru, (16, 16)), (Cell::Augru(AugruGate::Paper), (20, 12))] {
        check(&Case::new(cell, sizes, &lengths, (true, true), 11), 12);
    }
    let long = [1000, 0, 3];
    check(&Case::new(Cell::Augru(AugruGate::Official), (4, 6), &long, (true, false), 13), 14);
}

#[test]
fn histories_without_events_give_nothing() {
    for cell in CELLS {
        for lengths in [&[0, 0, 0][..], &[0], &[]] {
            let case = Case::new(cell, (5, 7), lengths, (true, true), 3);
            for set in sets() {
                let results = case.run::<f32>(set, &Serial).unwrap();
                assert!(results.states.is_empty());
                for (name, gradient) in results.gradients.buffers() {
                    assert!(gradient.iter().all(|&number| number == 0.0), "{name}");
                }
            }
        }
    }
}

#[test]
fn a_batch_of_one_does_what_the_formulas_say() {
    for cell in CELLS {
        check(&Case::new(cell, (16, 16), &[1], (false, false), 21), 22);
        check(&Case::new(cell, (36, 36), &[50], (true, true), 23), 24);
    }
}
