//! What must not change a bit of the result.

use fain_kernels::{AugruGate, Cell, InstructionSet, Serial};
use proptest::prelude::*;

use crate::case::{CELLS, Case, Number, Results, Threads, sets};

fn bits<T: Number>(results: &Results<T>) -> Vec<u64> {
    let mut bits: Vec<u64> =
        results.states.iter().chain(&results.saved).map(|number| number.double().to_bits()).collect();
    for (_, buffer) in results.gradients.buffers() {
        bits.extend(buffer.iter().map(|number| number.double().to_bits()));
    }
    bits
}

fn any_pool_gives_the_same_bits<T: Number>() {
    let lengths: Vec<u32> = (0..400).map(|sample| sample * 104_729 % 37).collect();
    for cell in CELLS {
        let case = Case::new(cell, (11, 19), &lengths, (true, true), 1);
        for set in sets() {
            let serial = bits(&case.run::<T>(set, &Serial).unwrap());
            for threads in [1, 2, 3, 7] {
                assert!(bits(&case.run::<T>(set, &Threads(threads)).unwrap()) == serial, "{cell:?} {set:?} {threads}");
            }
        }
    }
}

#[test]
fn any_pool_gives_the_same_bits_in_f32() {
    any_pool_gives_the_same_bits::<f32>();
}

#[test]
fn any_pool_gives_the_same_bits_in_f64() {
    any_pool_gives_the_same_bits::<f64>();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// A sample's states and gradients are those that it has alone.
    #[test]
    fn batch_mates_change_nothing(
        cell in prop::sample::select(&CELLS[..]),
        lengths in prop::collection::vec(0u32..12, 1..90),
        sizes in (1usize..40, 1usize..40),
        seed: u64,
    ) {
        let case = Case::new(cell, sizes, &lengths, (true, true), seed);
        let (width, hidden) = sizes;
        let set = InstructionSet::best();
        let together = case.run::<f32>(set, &Serial).unwrap();
        for sample in [0, lengths.len() / 2, lengths.len() - 1] {
            let rows = case.offsets[sample] as usize..case.offsets[sample + 1] as usize;
            let mut alone = case.clone();
            alone.offsets = vec![0, lengths[sample]];
            alone.data.inputs = case.data.inputs[rows.start * width..rows.end * width].to_vec();
            alone.data.scores = case.data.scores[rows.clone()].to_vec();
            alone.data.initial = case.data.initial[sample * hidden..(sample + 1) * hidden].to_vec();
            alone.gradient = case.gradient[rows.start * hidden..rows.end * hidden].to_vec();
            let alone = alone.run::<f32>(set, &Serial).unwrap();
            let gradients = &together.gradients;
            prop_assert_eq!(&alone.states, &together.states[rows.start * hidden..rows.end * hidden]);
            prop_assert_eq!(&alone.gradients.inputs, &gradients.inputs[rows.start * width..rows.end * width]);
            prop_assert_eq!(&alone.gradients.scores, &gradients.scores[rows]);
            prop_assert_eq!(&alone.gradients.initial, &gradients.initial[sample * hidden..(sample + 1) * hidden]);
        }
    }
}

/// NaN in one sample is not hidden, and does not reach the others.
#[test]
fn not_a_number_stays_in_its_sample() {
    for cell in CELLS {
        for set in sets() {
            let clean = Case::new(cell, (6, 20), &[3, 4, 2], (true, true), 8);
            let mut dirty = clean.clone();
            // The second event of the second sample.
            dirty.data.inputs[4 * 6] = f64::NAN;
            let clean = clean.run::<f32>(set, &Serial).unwrap().states;
            let dirty = dirty.run::<f32>(set, &Serial).unwrap().states;
            for row in 0..9 {
                let part = row * 20..(row + 1) * 20;
                if (4..7).contains(&row) {
                    assert!(dirty[part].iter().all(|state| state.is_nan()), "{cell:?} {set:?} row {row}");
                } else {
                    assert_eq!(dirty[part.clone()], clean[part], "{cell:?} {set:?} row {row}");
                }
            }
        }
    }
}

/// Sums of gates in the thousands saturate: the states stay in -1 to 1 and all gradients are finite.
#[test]
fn large_weights_saturate() {
    for cell in [Cell::Gru, Cell::Augru(AugruGate::Official)] {
        for set in sets() {
            let mut case = Case::new(cell, (8, 24), &[9, 0, 30], (true, false), 4);
            for weight in case.data.input_weight.iter_mut().chain(&mut case.data.hidden_weight) {
                *weight *= 1e4;
            }
            let results = case.run::<f32>(set, &Serial).unwrap();
            assert!(results.states.iter().all(|state| (-1.0..=1.0).contains(state)));
            assert!(results.saved.iter().all(|number| number.is_finite()));
            for (name, gradient) in results.gradients.buffers() {
                assert!(gradient.iter().all(|number| number.is_finite()), "{name}");
            }
        }
    }
}

/// A gradient is the same whether it is wanted alone or with the others, and what is not wanted is not touched.
#[test]
fn each_gradient_can_be_had_alone() {
    for cell in CELLS {
        let case = Case::new(cell, (9, 21), &[5, 0, 40, 1, 17], (true, true), 6);
        let set = InstructionSet::best();
        let all = case.run::<f32>(set, &Serial).unwrap().gradients;
        for place in 0..7 {
            let mut wanted = [false; 7];
            wanted[place] = true;
            let alone = case.run_for::<f32>([set, set], wanted, &Serial).unwrap().gradients;
            for (index, ((name, alone), (_, all))) in alone.buffers().into_iter().zip(all.buffers()).enumerate() {
                if index == place {
                    assert_eq!(alone, all, "{cell:?} {name}");
                } else if name != "scores" || cell.takes_scores() {
                    assert!(alone.iter().all(|number| number.is_nan()), "{cell:?} {name}");
                }
            }
        }
    }
}

/// The layout of what is saved does not depend on the instruction set.
#[test]
fn the_passes_may_use_different_instructions() {
    for cell in CELLS {
        let case = Case::new(cell, (9, 21), &[5, 0, 40, 1, 17], (true, false), 7);
        let expected = case.run::<f64>(InstructionSet::Portable, &Serial).unwrap().gradients;
        for forward in sets() {
            for backward in sets() {
                let mixed = case.run_for::<f64>([forward, backward], [true; 7], &Serial).unwrap().gradients;
                for ((name, mixed), (_, expected)) in mixed.buffers().iter().zip(expected.buffers()) {
                    for (mixed, expected) in mixed.iter().zip(expected) {
                        assert!((mixed - expected).abs() < 1e-11, "{cell:?} {forward:?} {backward:?} {name}");
                    }
                }
            }
        }
    }
}

/// Gradients of the last states alone give what they give among zeros.
#[test]
fn the_gradient_of_last_states_needs_no_zeros() {
    for cell in CELLS {
        for set in sets() {
            let mut case = Case::new(cell, (9, 21), &[5, 0, 40, 1, 17], (true, true), 9);
            let last: Vec<usize> = case.last_rows().flatten().collect();
            for (row, gradient) in case.gradient.chunks_exact_mut(21).enumerate() {
                if !last.contains(&row) {
                    gradient.fill(0.0);
                }
            }
            let expected = case.run::<f32>(set, &Serial).unwrap().gradients;
            case.last = true;
            let gradients = case.run::<f32>(set, &Serial).unwrap().gradients;
            for ((name, gradient), (_, expected)) in gradients.buffers().into_iter().zip(expected.buffers()) {
                assert_eq!(gradient, expected, "{cell:?} {set:?} {name}");
            }
        }
    }
}
