//! The loss over pairs against its definition, what must not change it, and its errors.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod inner;

use fain_kernels::{
    DenseLayer, DenseLayerGradients, InstructionSet, PairGradients, PairNetwork, Pairs, Pool, Real, Serial, pair_loss,
    pair_loss_with,
};
use proptest::prelude::*;

/// Numbers from -1 to 1 that depend on the seed alone.
fn numbers(seed: u64, count: usize) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

#[derive(Clone, Debug)]
struct Case {
    /// Rows of each sample.
    lengths: Vec<u32>,
    distance: usize,
    widths: [usize; 2],
    /// Widths of the hidden layers.
    hidden: Vec<usize>,
    /// States, clicks, others; then weight and bias of every layer.
    operands: Vec<Vec<f64>>,
}

impl Case {
    /// Pairs side by side.
    fn new(count: u32, widths: [usize; 2], hidden: &[usize], seed: u64) -> Self {
        Self::of_histories(&[count], 0, widths, hidden, seed)
    }

    fn of_histories(lengths: &[u32], distance: usize, widths: [usize; 2], hidden: &[usize], seed: u64) -> Self {
        let count = lengths.iter().sum::<u32>() as usize;
        let mut sizes = vec![count * widths[0], count * widths[1], count * widths[1]];
        let mut inputs = widths[0] + widths[1];
        for &outputs in hidden.iter().chain([&1]) {
            sizes.extend([inputs * outputs, outputs]);
            inputs = outputs;
        }
        let operands = (0u64..).zip(sizes).map(|(index, size)| numbers(seed.wrapping_add(index << 32), size)).collect();
        Self { lengths: lengths.to_vec(), distance, widths, hidden: hidden.to_vec(), operands }
    }

    fn offsets(&self) -> Vec<u32> {
        let ends = self.lengths.iter().scan(0, |end, length| {
            *end += length;
            Some(*end)
        });
        std::iter::once(0).chain(ends).collect()
    }

    /// The rows of each pair: of the state, and of the events.
    fn pairs(&self) -> Vec<[usize; 2]> {
        let samples = self.offsets().into_iter().zip(&self.lengths);
        let rows =
            samples.flat_map(|(start, &length)| (0..length as usize).map(move |row| (start as usize, row, length)));
        let paired = rows.filter(|&(_, row, length)| row + self.distance < length as usize);
        paired.map(|(start, row, _)| [start + row, start + row + self.distance]).collect()
    }

    /// The loss by the formulas.
    fn loss(&self) -> f64 {
        let [of_state, of_event] = self.widths;
        let mut sum = 0.0;
        let pairs = self.pairs();
        for &[state, event] in &pairs {
            for (kind, sign) in [(1, -1.0), (2, 1.0)] {
                let mut values = self.operands[0][state * of_state..][..of_state].to_vec();
                values.extend(&self.operands[kind][event * of_event..][..of_event]);
                for layer in 0..=self.hidden.len() {
                    let (weight, bias) = (&self.operands[3 + 2 * layer], &self.operands[4 + 2 * layer]);
                    let rows = weight.chunks(values.len()).zip(bias);
                    let sums: Vec<f64> = rows
                        .map(|(row, bias)| row.iter().zip(&values).map(|(w, x)| w * x).sum::<f64>() + bias)
                        .collect();
                    let last = layer == self.hidden.len();
                    values = sums.iter().map(|&z| if last { z } else { 1.0 / (1.0 + (-z).exp()) }).collect();
                }
                sum += (sign * values[0]).exp().ln_1p();
            }
        }
        FACTOR * sum / (2 * pairs.len().max(1)) as f64
    }

    /// The loss and the gradients of all operands.
    fn run<T: Real>(&self, set: InstructionSet, pool: &dyn Pool, of: fn(f64) -> T) -> (T, Vec<Vec<T>>) {
        let operands: Vec<Vec<T>> =
            self.operands.iter().map(|numbers| numbers.iter().map(|&number| of(number)).collect()).collect();
        let mut gradients: Vec<Vec<T>> = operands.iter().map(|numbers| vec![of(9.0); numbers.len()]).collect();
        let (rows, layers) = operands.split_at(3);
        let layers: Vec<_> = layers.chunks(2).map(|layer| DenseLayer { weight: &layer[0], bias: &layer[1] }).collect();
        let offsets = self.offsets();
        let (pairs, network) = (pairs(&offsets, self.distance, rows), network(&layers));
        let (by_rows, by_layers) = gradients.split_at_mut(3);
        let [states, clicks, others] = by_rows else { unreachable!() };
        let layers = by_layers.chunks_mut(2).map(|layer| {
            let (weight, bias) = layer.split_at_mut(1);
            DenseLayerGradients { weight: &mut weight[0], bias: &mut bias[0] }
        });
        let mut by = PairGradients { states, clicks, others, layers: layers.collect() };
        let [of_state, of_event] = self.widths;
        let loss = pair_loss_with(set, of_state, of_event, &pairs, &network, Some(&mut by), pool).unwrap();
        let alone = pair_loss_with(set, of_state, of_event, &pairs, &network, None, pool).unwrap();
        assert!(alone == loss, "without gradients {alone:?}, with them {loss:?}");
        (loss, gradients)
    }
}

/// Of the loss.
const FACTOR: f64 = 3.0;

fn pairs<'a, T>(offsets: &'a [u32], distance: usize, rows: &'a [Vec<T>]) -> Pairs<'a, T> {
    Pairs { offsets, distance, states: &rows[0], clicks: &rows[1], others: &rows[2], factor: FACTOR }
}

fn network<'a, T: Copy>(layers: &'a [DenseLayer<'a, T>]) -> PairNetwork<'a, T> {
    let last = layers.len() - 1;
    PairNetwork { first: layers[0], hidden: &layers[1..last], last: layers[last] }
}

fn sets() -> impl Iterator<Item = InstructionSet> {
    InstructionSet::ALL.into_iter().filter(|set| set.is_available())
}

/// Holds every instruction set and both types to the formulas.
fn check(case: &Case, seed: u64) {
    let expected = case.loss();
    for set in sets() {
        let (loss, gradients) = case.run::<f64>(set, &Serial, |number| number);
        let (single, single_gradients) = case.run::<f32>(set, &Serial, |number| number as f32);
        assert!((loss - expected).abs() <= 1e-13 * (1.0 + expected), "{set:?}: {loss}, not {expected}");
        assert!((f64::from(single) - expected).abs() <= 1e-5 * (1.0 + expected), "{set:?}: {single}, not {expected}");
        for (place, (double, single)) in gradients.iter().zip(&single_gradients).enumerate() {
            let largest = double.iter().fold(0.0f64, |largest, number| largest.max(number.abs()));
            for (double, &single) in double.iter().zip(single) {
                let error = (f64::from(single) - double).abs();
                assert!(error <= 1e-4 * largest + 1e-7, "{set:?} {place}: {single} in f32, not {double}");
            }
            // Along a random direction, and for the last number.
            let random = numbers(seed.wrapping_add(place as u64), double.len());
            let one: Vec<f64> = (1..=double.len()).map(|index| f64::from(u8::from(index == double.len()))).collect();
            for direction in [random, one] {
                let moved = |step: f64| {
                    let mut moved = case.clone();
                    for (number, direction) in moved.operands[place].iter_mut().zip(&direction) {
                        *number += step * direction;
                    }
                    moved.loss()
                };
                let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                let slope: f64 = double.iter().zip(&direction).map(|(gradient, direction)| gradient * direction).sum();
                assert!(
                    (slope - expected).abs() <= 1e-8 * (1.0 + expected.abs()),
                    "{set:?} {place}: {slope}, not {expected}"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn loss_and_gradients_are_those_of_the_formulas(
        lengths in prop::collection::vec(0u32..25, 0..8),
        distance in 0usize..4,
        widths in prop::array::uniform2(1usize..40),
        hidden in prop::collection::vec(1usize..40, 1..4),
        seed: u64,
    ) {
        check(&Case::of_histories(&lengths, distance, widths, &hidden, seed), seed ^ 1);
    }
}

#[test]
fn several_tasks_are_joined_to_one_result() {
    check(&Case::new(2 * 960 + 1, [16, 16], &[100, 50], 5), 6);
    let lengths: Vec<u32> = (0..90).map(|sample| sample % 40).collect();
    check(&Case::of_histories(&lengths, 1, [16, 18], &[33, 50], 7), 8);
}

#[test]
fn rows_without_a_pair_get_zeros() {
    let case = Case::of_histories(&[0, 1, 3, 2, 100, 0, 7, 2], 2, [3, 16], &[20], 4);
    let rows: Vec<usize> = case.pairs().into_iter().map(|[state, _]| state).collect();
    assert_eq!((rows.len(), rows[0], rows[1]), (1 + 98 + 5, 1, 6));
    for set in sets() {
        let (_, gradients) = case.run::<f32>(set, &Serial, |number| number as f32);
        for (place, width, distance) in [(0, 3, 0), (1, 16, 2), (2, 16, 2)] {
            for (row, numbers) in gradients[place].chunks(width).enumerate() {
                let paired = rows.iter().any(|paired| paired + distance == row);
                assert_eq!(numbers.iter().any(|&number| number != 0.0), paired, "{set:?} {place} {row}: {numbers:?}");
            }
        }
    }
}

#[test]
fn no_pairs_give_zeros() {
    for set in sets() {
        let (loss, gradients) = Case::new(0, [3, 5], &[7, 2], 1).run::<f32>(set, &Serial, |number| number as f32);
        assert_eq!(loss.to_bits(), 0);
        assert!(gradients.iter().flatten().all(|&number| number.to_bits() == 0));
    }
}

#[test]
fn far_logits_stay_finite() {
    let mut case = Case::new(5, [2, 2], &[3], 2);
    for factor in [1e3, -1e3] {
        // The weight and bias of the last layer.
        case.operands[5].fill(factor);
        case.operands[6].fill(factor);
        let expected = case.loss_of_far_logits();
        for set in sets() {
            let (loss, gradients) = case.run::<f32>(set, &Serial, |number| number as f32);
            assert!((f64::from(loss) - expected).abs() <= 1e-4 * expected, "{set:?}: {loss}, not {expected}");
            assert!(gradients.iter().flatten().all(|number| number.is_finite()));
        }
    }
}

impl Case {
    /// As [`Case::loss`] where `log(1 + exp(z))` is `max(0, z)`: there `exp` is infinite.
    fn loss_of_far_logits(&self) -> f64 {
        let units = |pair: usize, kind: usize| {
            let mut values = self.operands[0][pair * self.widths[0]..][..self.widths[0]].to_vec();
            values.extend(&self.operands[kind][pair * self.widths[1]..][..self.widths[1]]);
            let rows = self.operands[3].chunks(values.len()).zip(&self.operands[4]);
            let sigmoids = rows.map(|(row, bias)| {
                1.0 / (1.0 + (-row.iter().zip(&values).map(|(w, x)| w * x).sum::<f64>() - bias).exp())
            });
            sigmoids.zip(&self.operands[5]).map(|(unit, weight)| unit * weight).sum::<f64>() + self.operands[6][0]
        };
        let pairs = self.pairs();
        let losses = pairs.iter().map(|&[pair, _]| (-units(pair, 1)).max(0.0) + units(pair, 2).max(0.0));
        FACTOR * losses.sum::<f64>() / (2 * pairs.len()) as f64
    }
}

/// Threads of the standard library, which take the tasks from behind.
struct Threads(usize);

impl Pool for Threads {
    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        std::thread::scope(|scope| {
            for thread in 0..self.0 {
                scope.spawn(move || (0..tasks).rev().skip(thread).step_by(self.0).for_each(task));
            }
        });
    }
}

#[test]
fn any_pool_gives_the_same_bits() {
    let case = Case::new(4000, [9, 5], &[21, 10], 3);
    let bits = |set, pool: &dyn Pool| -> Vec<u64> {
        let (loss, gradients) = case.run::<f64>(set, pool, |number| number);
        gradients.iter().flatten().chain([&loss]).map(|number| number.to_bits()).collect()
    };
    for set in sets() {
        let serial = bits(set, &Serial);
        for threads in [2, 3] {
            assert!(bits(set, &Threads(threads)) == serial, "{set:?} {threads}");
        }
    }
}

#[test]
fn lengths_are_checked() {
    let of_offsets = |offsets: &[u32], widths: [usize; 2], rows: [usize; 3], layers: &[(usize, usize)]| {
        let rows = rows.map(|length| vec![0.0f32; length]).to_vec();
        let layers: Vec<_> = layers.iter().map(|&(weight, bias)| (vec![0.0f32; weight], vec![0.0f32; bias])).collect();
        let layers: Vec<_> = layers.iter().map(|(weight, bias)| DenseLayer { weight, bias }).collect();
        let result = pair_loss(widths[0], widths[1], &pairs(offsets, 1, &rows), &network(&layers), None, &Serial);
        result.unwrap_err().to_string()
    };
    let message = |widths, rows, layers: &[(usize, usize)]| of_offsets(&[0, 2], widths, rows, layers);
    let layers = [(20, 4), (4, 1)];
    assert_eq!(message([0, 2], [6, 4, 4], &layers), "state width is 0: at least 1 is needed");
    assert_eq!(message([3, 0], [6, 4, 4], &layers), "event width is 0: at least 1 is needed");
    assert_eq!(of_offsets(&[0, 3], [3, 2], [6, 6, 6], &layers), "states has 6 numbers: 9 are needed");
    let none = "offsets is empty: one number more than there are samples is needed";
    assert_eq!(of_offsets(&[], [3, 2], [0; 3], &layers), none);
    assert_eq!(of_offsets(&[0, 2, 1], [3, 2], [0; 3], &layers), "offsets[2] is 1: at least 2 is needed");
    assert_eq!(message([3, 2], [7, 4, 4], &layers), "states has 7 numbers: 6 are needed");
    assert_eq!(message([3, 2], [6, 5, 4], &layers), "clicks has 5 numbers: 4 are needed");
    assert_eq!(message([3, 2], [6, 4, 3], &layers), "others has 3 numbers: 4 are needed");
    assert_eq!(message([3, 2], [6, 4, 4], &[(19, 4), (4, 1)]), "weight has 19 numbers: 20 are needed");
    assert_eq!(message([3, 2], [6, 4, 4], &[(20, 4), (8, 2)]), "the last layer's bias has 2 numbers: 1 are needed");
    assert_eq!(message([3, 2], [6, 4, 4], &[(0, 0), (4, 1)]), "a layer's bias is 0: at least 1 is needed");
}

#[test]
fn buffers_of_gradients_are_checked() {
    let rows = vec![vec![0.0f32; 6], vec![0.0; 4], vec![0.0; 4]];
    let layers =
        [DenseLayer { weight: &[0.0; 20][..], bias: &[0.0; 4][..] }, DenseLayer { weight: &[0.0; 4], bias: &[0.0] }];
    let message = |rows_of: [usize; 3], layers_of: &[(usize, usize)]| {
        let [mut states, mut clicks, mut others] = rows_of.map(|length| vec![0.0f32; length]);
        let mut buffers: Vec<_> =
            layers_of.iter().map(|&(weight, bias)| (vec![0.0f32; weight], vec![0.0f32; bias])).collect();
        let by_layers = buffers.iter_mut().map(|(weight, bias)| DenseLayerGradients { weight, bias }).collect();
        let mut gradients =
            PairGradients { states: &mut states, clicks: &mut clicks, others: &mut others, layers: by_layers };
        let result = pair_loss(3, 2, &pairs(&[0, 2], 1, &rows), &network(&layers), Some(&mut gradients), &Serial);
        result.unwrap_err().to_string()
    };
    let all = [(20, 4), (4, 1)];
    assert_eq!(message([5, 4, 4], &all), "gradient of states has 5 numbers: 6 are needed");
    assert_eq!(message([6, 3, 4], &all), "gradient of clicks has 3 numbers: 4 are needed");
    assert_eq!(message([6, 4, 5], &all), "gradient of others has 5 numbers: 4 are needed");
    assert_eq!(message([6, 4, 4], &all[..1]), "gradients of layers has 1 numbers: 2 are needed");
    assert_eq!(message([6, 4, 4], &[(20, 4), (3, 1)]), "gradient of weight has 3 numbers: 4 are needed");
    assert_eq!(message([6, 4, 4], &[(20, 3), (4, 1)]), "gradient of bias has 3 numbers: 4 are needed");
}
