//! Hidden layers against their definition, for every instruction set and pool.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fain_kernels::{
    DenseLayer, HiddenActivation, HiddenGradients, HiddenLayer, HiddenRows, HiddenUpstream, InstructionSet,
    KernelError, Normalization, Pool, Serial, hidden_backward_with, hidden_forward_with, hidden_stride,
};
use proptest::prelude::*;

const EPSILON: f64 = 1e-3;

fn sets() -> impl Iterator<Item = InstructionSet> {
    InstructionSet::ALL.into_iter().filter(|set| set.is_available())
}

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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Identity,
    Slope,
    Sigmoid,
    Dice,
    RowDice,
}

const KINDS: [Kind; 5] = [Kind::Identity, Kind::Slope, Kind::Sigmoid, Kind::Dice, Kind::RowDice];

/// Two layers of the same kind, each with a dense map, without the statistics of rows.
#[derive(Clone, Debug)]
struct Case {
    kind: Kind,
    normed: bool,
    widths: [usize; 3],
    input: Vec<f64>,
    layers: [Learned; 2],
    /// Of the output.
    gradient: Vec<f64>,
}

#[derive(Clone, Debug)]
struct Learned {
    mean: Vec<f64>,
    variance: Vec<f64>,
    scale: Vec<f64>,
    shift: Vec<f64>,
    alpha: Vec<f64>,
    weight: Vec<f64>,
    bias: Vec<f64>,
}

impl Learned {
    fn new(seed: u64, width: usize, outputs: usize) -> Self {
        let draw = |index: u64, count: usize| numbers(seed.wrapping_add(index << 32), count);
        Self {
            mean: draw(1, width),
            variance: draw(2, width).iter().map(|number| number.abs() + 0.1).collect(),
            scale: draw(3, width),
            shift: draw(4, width),
            alpha: draw(5, width),
            weight: draw(6, width * outputs),
            bias: draw(7, outputs),
        }
    }

    fn norm(&self, alpha: bool) -> Normalization<'_, f64> {
        Normalization {
            mean: &self.mean,
            variance: &self.variance,
            epsilon: 1e-5,
            scale: Some(&self.scale),
            shift: Some(&self.shift),
            alpha: alpha.then_some(&self.alpha[..]),
        }
    }

    fn layer(&self, kind: Kind, normed: bool) -> HiddenLayer<'_, f64> {
        HiddenLayer {
            norm: normed.then(|| self.norm(false)),
            activation: match kind {
                Kind::Identity => HiddenActivation::Identity,
                Kind::Slope => HiddenActivation::Slope(&self.alpha),
                Kind::Sigmoid => HiddenActivation::Sigmoid,
                Kind::Dice => HiddenActivation::Dice(self.norm(true)),
                Kind::RowDice => HiddenActivation::RowDice { alpha: self.alpha[0], epsilon: EPSILON },
            },
        }
    }

    fn dense(&self) -> DenseLayer<'_, f64> {
        DenseLayer { weight: &self.weight, bias: &self.bias }
    }

    /// A row by the formulas.
    fn row(&self, row: &[f64], kind: Kind, normed: bool) -> Vec<f64> {
        let normalize = |index: usize, x: f64| {
            (x - self.mean[index]) / (self.variance[index] + 1e-5).sqrt() * self.scale[index] + self.shift[index]
        };
        let logistic = |z: f64| 1.0 / (1.0 + (-z).exp());
        let dice = |x: f64, z: f64, alpha: f64| (logistic(z) + (1.0 - logistic(z)) * alpha) * x;
        let y: Vec<f64> = row.iter().enumerate().map(|(i, &x)| if normed { normalize(i, x) } else { x }).collect();
        let mean = y.iter().sum::<f64>() / y.len() as f64;
        let spread = y.iter().map(|y| (y - mean).powi(2) + EPSILON).sum::<f64>().sqrt();
        let value = |(index, &y): (usize, &f64)| match kind {
            Kind::Identity => y,
            Kind::Slope => y.max(0.0) + self.alpha[index] * y.min(0.0),
            Kind::Sigmoid => logistic(y),
            Kind::Dice => dice(y, normalize(index, y), self.alpha[index]),
            Kind::RowDice => dice(y, (y - mean) / spread, self.alpha[0]),
        };
        let values: Vec<f64> = y.iter().enumerate().map(value).collect();
        let outputs = self.weight.chunks(values.len()).zip(&self.bias);
        outputs.map(|(weight, bias)| weight.iter().zip(&values).map(|(w, v)| w * v).sum::<f64>() + bias).collect()
    }
}

/// What the layers give one by one.
#[derive(PartialEq)]
struct Steps {
    /// The output of the first, and its means and variances.
    between: Vec<f64>,
    statistics: [Vec<f64>; 2],
    by_input: Vec<f64>,
    gradients: [HiddenGradients<f64>; 2],
}

impl Case {
    fn new(kind: Kind, normed: bool, rows: usize, widths: [usize; 3], seed: u64) -> Self {
        let layers =
            [0, 1].map(|index| Learned::new(seed.wrapping_add(100 + index as u64), widths[index], widths[index + 1]));
        let input = numbers(seed, rows * widths[0]).iter().map(|number| 3.0 * number).collect();
        Self { kind, normed, widths, input, layers, gradient: numbers(seed.wrapping_add(9), rows * widths[2]) }
    }

    fn rows(&self) -> usize {
        self.input.len() / self.widths[0]
    }

    fn hidden(&self) -> [HiddenLayer<'_, f64>; 2] {
        self.layers.each_ref().map(|layer| layer.layer(self.kind, self.normed))
    }

    fn rows_of_input(&self) -> HiddenRows<'_, f64> {
        HiddenRows { numbers: &self.input, stride: self.widths[0] }
    }

    /// Both layers in one pass, without what fills up the rows.
    fn at_once(&self, set: InstructionSet, pool: &dyn Pool) -> Vec<f64> {
        let stride = hidden_stride::<f64>(self.widths[2]);
        let mut output = vec![f64::NAN; self.rows() * stride];
        let dense = self.layers.each_ref().map(Learned::dense);
        let input = self.rows_of_input();
        hidden_forward_with(set, self.widths[0], &input, &self.hidden(), &dense, &mut output, None, pool).unwrap();
        output.chunks(stride).flat_map(|row| &row[..self.widths[2]]).copied().collect()
    }

    /// Layer by layer, forward and back.
    fn steps(&self, set: InstructionSet, pool: &dyn Pool) -> Steps {
        let ([first, second], rows) = (self.hidden(), self.rows());
        let [dense_first, dense_second] = self.layers.each_ref().map(Learned::dense);
        let [width, middle, outputs] = self.widths;
        let (across, last) = (hidden_stride::<f64>(middle), hidden_stride::<f64>(outputs));
        let mut between = vec![f64::NAN; rows * across];
        let (mut mean, mut variance) = (vec![f64::NAN; middle], vec![f64::NAN; middle]);
        let wanted = (across > 1).then_some((&mut mean[..], &mut variance[..]));
        let input = self.rows_of_input();
        hidden_forward_with(set, width, &input, &[first], &[dense_first], &mut between, wanted, pool).unwrap();
        let mut flowing = vec![0.0; rows * last];
        for (row, gradient) in flowing.chunks_mut(last).zip(self.gradient.chunks(outputs)) {
            row[..outputs].copy_from_slice(gradient);
        }
        let rows_between = HiddenRows { numbers: &between, stride: across };
        let mut by_between = vec![f64::NAN; between.len()];
        let upstream = HiddenUpstream { gradient: &flowing, correction: None };
        let of_second = hidden_backward_with(
            set,
            middle,
            &rows_between,
            &second,
            Some(&dense_second),
            false,
            &upstream,
            &mut by_between,
            pool,
        )
        .unwrap();
        let mut by_input = vec![f64::NAN; self.input.len()];
        let upstream = HiddenUpstream { gradient: &by_between, correction: None };
        let of_first =
            hidden_backward_with(set, width, &input, &first, Some(&dense_first), false, &upstream, &mut by_input, pool)
                .unwrap();
        let between = between.chunks(across).flat_map(|row| &row[..middle]).copied().collect();
        Steps { between, statistics: [mean, variance], by_input, gradients: [of_first, of_second] }
    }

    fn output(&self) -> Vec<f64> {
        let [first, second] = &self.layers;
        let rows = self.input.chunks(self.widths[0]);
        rows.flat_map(|row| second.row(&first.row(row, self.kind, self.normed), self.kind, self.normed)).collect()
    }

    fn loss(&self) -> f64 {
        self.output().iter().zip(&self.gradient).map(|(output, gradient)| output * gradient).sum()
    }
}

fn assert_close(results: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(results.len(), expected.len(), "{what}");
    for (index, (result, expected)) in results.iter().zip(expected).enumerate() {
        assert!(
            (result - expected).abs() <= tolerance * (1.0 + expected.abs()),
            "{what} {index}: {result}, not {expected}"
        );
    }
}

fn check(case: &Case, seed: u64) {
    for set in sets() {
        assert_close(&case.at_once(set, &Serial), &case.output(), 1e-11, "output");
        let Steps { between, statistics: [mean, variance], by_input, gradients } = case.steps(set, &Serial);
        let (count, middle) = (case.rows() as f64, case.widths[1]);
        if middle > 1 {
            for column in 0..middle {
                let column_of = || between.iter().skip(column).step_by(middle);
                let exact = column_of().sum::<f64>() / count;
                let squares = column_of().map(|x| (x - exact).powi(2)).sum::<f64>() / count;
                assert_close(&[mean[column], variance[column]], &[exact, squares], 1e-11, "statistics");
            }
        }
        slope(case, seed, &by_input, |case| &mut case.input);
        for (index, found) in gradients.iter().enumerate() {
            slope(case, seed, &found.weight, |case| &mut case.layers[index].weight);
            slope(case, seed, &found.bias, |case| &mut case.layers[index].bias);
            // Dice and the normalisation before it share scale and shift here.
            let shared = |of_norm: &[f64], of_dice: &[f64]| -> Vec<f64> {
                let norm = of_norm.iter().map(|number| if case.normed { *number } else { 0.0 });
                norm.zip(of_dice).map(|(norm, dice)| norm + dice).collect()
            };
            slope(case, seed, &shared(&found.scale, &found.dice_scale), |case| &mut case.layers[index].scale);
            slope(case, seed, &shared(&found.shift, &found.dice_shift), |case| &mut case.layers[index].shift);
            if case.kind != Kind::Sigmoid {
                slope(case, seed, &found.alpha, |case| &mut case.layers[index].alpha);
            }
        }
    }
}

/// Holds a gradient to finite differences along a random direction.
fn slope(case: &Case, seed: u64, gradient: &[f64], of: impl Fn(&mut Case) -> &mut Vec<f64>) {
    let direction = numbers(seed, gradient.len());
    let moved = |step: f64| {
        let mut moved = case.clone();
        for (number, direction) in of(&mut moved).iter_mut().zip(&direction) {
            *number += step * direction;
        }
        moved.loss()
    };
    let expected = (moved(1e-6) - moved(-1e-6)) / 2e-6;
    let products = || gradient.iter().zip(&direction).map(|(gradient, direction)| gradient * direction);
    let (slope, scale): (f64, f64) = (products().sum(), products().map(f64::abs).sum());
    // A kink may lie between two of many numbers.
    let kinks = if case.kind == Kind::Slope { 1e-3 } else { 1e-5 };
    assert!((slope - expected).abs() <= kinks * (1.0 + scale), "{case:?}: {slope}, not {expected}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn outputs_and_gradients_are_those_of_the_formulas(
        kind in prop::sample::select(&KINDS[..]),
        normed: bool,
        rows in 1usize..150,
        widths in prop::array::uniform3(1usize..40),
        seed: u64,
    ) {
        check(&Case::new(kind, normed, rows, widths, seed), seed);
    }
}

#[test]
fn several_tasks_are_joined_to_one_result() {
    for kind in KINDS {
        check(&Case::new(kind, true, 1100, [67, 33, 1], 5), 6);
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
    for kind in KINDS {
        let case = Case::new(kind, true, 3000, [20, 37, 5], 2);
        for set in sets() {
            let serial = (case.at_once(set, &Serial), case.steps(set, &Serial));
            for threads in [2, 3] {
                let pool = Threads(threads);
                assert!((case.at_once(set, &pool), case.steps(set, &pool)) == serial, "{kind:?} {set:?} {threads}");
            }
        }
    }
}

#[test]
fn no_rows_give_zeros() {
    for kind in KINDS {
        let case = Case::new(kind, true, 0, [20, 37, 5], 2);
        let Steps { statistics, by_input, gradients, .. } = case.steps(InstructionSet::best(), &Serial);
        assert!(by_input.is_empty() && case.at_once(InstructionSet::best(), &Serial).is_empty());
        let found = gradients.iter().flat_map(|of| [&of.weight, &of.bias, &of.scale, &of.shift, &of.alpha]);
        assert!(found.chain(&statistics).flatten().all(|number| number.to_bits() == 0));
    }
}

/// Behind the columns stand zeros, as far from the mean of a row as the row is from zero, and the spread may be small.
#[test]
#[allow(clippy::float_cmp, reason = "these numbers are exact")]
fn rows_without_spread_and_far_from_zero_have_half_a_share() {
    let (input, ones) = ([1e6f32; 8], [1.0f32; 4]);
    let rows = HiddenRows { numbers: &input, stride: 4 };
    let dense = DenseLayer { weight: &ones[..], bias: &[0.0] };
    let layer = HiddenLayer { norm: None, activation: HiddenActivation::RowDice { alpha: 0.25, epsilon: 1e-9 } };
    for set in sets() {
        let mut output = vec![0.0; 2 * hidden_stride::<f32>(1)];
        hidden_forward_with(set, 4, &rows, &[layer], &[dense], &mut output, None, &Serial).unwrap();
        assert_eq!(
            output.iter().filter(|number| **number != 0.0).copied().collect::<Vec<_>>(),
            [2.5e6, 2.5e6],
            "{set:?}"
        );
        let gradient = vec![1.0; output.len()];
        let upstream = HiddenUpstream { gradient: &gradient, correction: None };
        let mut by_input = [0.0; 8];
        hidden_backward_with(set, 4, &rows, &layer, Some(&dense), true, &upstream, &mut by_input, &Serial).unwrap();
        assert_eq!(by_input, [0.625; 8], "{set:?}");
    }
}

#[test]
fn sizes_are_checked() {
    let case = Case::new(Kind::Dice, true, 4, [3, 2, 2], 1);
    let ([first, _], dense) = (case.hidden(), case.layers[0].dense());
    let run = |width: usize, stride: usize, layers: &[HiddenLayer<'_, f64>], output: usize| {
        let input = HiddenRows { numbers: &case.input, stride };
        let mut output = vec![0.0; output];
        hidden_forward_with(InstructionSet::best(), width, &input, layers, &[dense], &mut output, None, &Serial)
    };
    assert_eq!(run(3, 3, &[first], 32), Ok(()));
    assert_eq!(run(0, 3, &[first], 32), Err(KernelError::Zero { name: "width" }));
    assert_eq!(run(3, 3, &[], 32), Err(KernelError::Zero { name: "layers" }));
    assert_eq!(run(3, 4, &[first], 32), Err(KernelError::Length { buffer: "stride", length: 4, needed: 8 }));
    assert_eq!(run(3, 3, &[first], 31), Err(KernelError::Length { buffer: "output", length: 31, needed: 32 }));
    let mut short = first;
    short.activation = HiddenActivation::Slope(&[1.0]);
    assert_eq!(run(3, 3, &[short], 32), Err(KernelError::Length { buffer: "slope", length: 1, needed: 3 }));
}
