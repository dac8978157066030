//! The loss of inner products against its definition, and what must not change it.

use fain_kernels::{InstructionSet, PairGradients, Pool, Real, Serial, inner_pair_loss, inner_pair_loss_with};
use proptest::prelude::*;

use crate::{Case, FACTOR, Threads, pairs, sets};

/// Without layers.
fn case(lengths: &[u32], distance: usize, width: usize, seed: u64) -> Case {
    Case::of_histories(lengths, distance, [width, width], &[], seed)
}

/// The loss, and the gradients of states, clicks and others, by the formulas.
fn expected(case: &Case) -> (f64, Vec<Vec<f64>>) {
    let (width, rows) = (case.widths[0], case.pairs());
    let scale = FACTOR / (2 * rows.len().max(1)) as f64;
    let mut gradients: Vec<Vec<f64>> = case.operands[..3].iter().map(|numbers| vec![0.0; numbers.len()]).collect();
    let mut sum = 0.0;
    for [state, event] in rows {
        for (kind, sign) in [(1, -1.0), (2, 1.0)] {
            let (h, e) = (&case.operands[0][state * width..][..width], &case.operands[kind][event * width..][..width]);
            let logit: f64 = h.iter().zip(e).map(|(h, e)| h * e).sum();
            sum += (sign * logit).exp().ln_1p();
            let slope = sign * scale / (1.0 + (-sign * logit).exp());
            for column in 0..width {
                gradients[0][state * width + column] += slope * e[column];
                gradients[kind][event * width + column] += slope * h[column];
            }
        }
    }
    (scale * sum, gradients)
}

fn run<T: Real>(case: &Case, set: InstructionSet, pool: &dyn Pool, of: fn(f64) -> T) -> (T, Vec<Vec<T>>) {
    let operands: Vec<Vec<T>> =
        case.operands[..3].iter().map(|numbers| numbers.iter().map(|&number| of(number)).collect()).collect();
    let mut gradients: Vec<Vec<T>> = operands.iter().map(|numbers| vec![of(9.0); numbers.len()]).collect();
    let (offsets, width) = (case.offsets(), case.widths[0]);
    let pairs = pairs(&offsets, case.distance, &operands);
    let [states, clicks, others] = &mut gradients[..] else { unreachable!() };
    let mut by = PairGradients { states, clicks, others, layers: Vec::new() };
    let loss = inner_pair_loss_with(set, width, &pairs, Some(&mut by), pool).unwrap();
    let alone = inner_pair_loss_with(set, width, &pairs, None, pool).unwrap();
    assert!(alone == loss, "without gradients {alone:?}, with them {loss:?}");
    (loss, gradients)
}

fn check(case: &Case) {
    let (expected, expected_gradients) = expected(case);
    for set in sets() {
        let (loss, gradients) = run::<f64>(case, set, &Serial, |number| number);
        let (single, single_gradients) = run::<f32>(case, set, &Serial, |number| number as f32);
        assert!((loss - expected).abs() <= 1e-13 * (1.0 + expected), "{set:?}: {loss}, not {expected}");
        assert!((f64::from(single) - expected).abs() <= 1e-5 * (1.0 + expected), "{set:?}: {single}, not {expected}");
        for place in 0..3 {
            for (index, &exact) in expected_gradients[place].iter().enumerate() {
                let (double, single) = (gradients[place][index], f64::from(single_gradients[place][index]));
                assert!((double - exact).abs() <= 1e-13, "{set:?} {place} {index}: {double}, not {exact}");
                assert!((single - exact).abs() <= 1e-5, "{set:?} {place} {index}: {single} in f32, not {exact}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn loss_and_gradients_are_those_of_the_formulas(
        lengths in prop::collection::vec(0u32..60, 0..10),
        distance in 0usize..4,
        width in 1usize..40,
        seed: u64,
    ) {
        check(&case(&lengths, distance, width, seed));
    }
}

#[test]
fn several_tasks_are_joined_to_one_result() {
    let lengths: Vec<u32> = (0..120).map(|sample| sample % 41).collect();
    check(&case(&lengths, 1, 16, 3));
}

#[test]
fn any_pool_gives_the_same_bits() {
    let lengths: Vec<u32> = (0..200).map(|sample| sample % 37).collect();
    let case = case(&lengths, 1, 18, 9);
    for set in sets() {
        let bits = |pool: &dyn Pool| -> Vec<u32> {
            let (loss, gradients) = run::<f32>(&case, set, pool, |number| number as f32);
            gradients.iter().flatten().chain([&loss]).map(|number| number.to_bits()).collect()
        };
        let serial = bits(&Serial);
        for threads in [2, 3] {
            assert!(bits(&Threads(threads)) == serial, "{set:?} {threads}");
        }
    }
}

#[test]
fn lengths_are_checked() {
    let rows = vec![vec![0.0f32; 6]; 3];
    let message = |width, offsets: &[u32]| {
        inner_pair_loss(width, &pairs(offsets, 1, &rows), None, &Serial).unwrap_err().to_string()
    };
    assert_eq!(message(0, &[0, 2]), "state width is 0: at least 1 is needed");
    assert_eq!(message(3, &[0, 3]), "states has 6 numbers: 9 are needed");
    let [mut states, mut clicks, mut others] = [6, 6, 5].map(|length| vec![0.0f32; length]);
    let layers = Vec::new();
    let mut gradients = PairGradients { states: &mut states, clicks: &mut clicks, others: &mut others, layers };
    let result = inner_pair_loss(3, &pairs(&[0, 2], 1, &rows), Some(&mut gradients), &Serial);
    assert_eq!(result.unwrap_err().to_string(), "gradient of others has 5 numbers: 6 are needed");
}
