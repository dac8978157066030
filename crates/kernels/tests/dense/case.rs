//! A matrix for the kernels, its way through them, and the formulas written down once more.

use fain_kernels::{
    InstructionSet, Normalization, NormalizationGradients, Pool, Real, column_statistics_with, normalize_backward_with,
    normalize_forward_with, row_dice_backward_with, row_dice_forward_with,
};
use proptest::prelude::*;

/// ε of the rows' Dice.
pub(crate) const ROW_EPSILON: f64 = 1e-3;

pub(crate) trait Number: Real {
    fn of(number: f64) -> Self;
    fn double(self) -> f64;
}

impl Number for f32 {
    fn of(number: f64) -> Self {
        number as Self
    }

    fn double(self) -> f64 {
        f64::from(self)
    }
}

impl Number for f64 {
    fn of(number: f64) -> Self {
        number
    }

    fn double(self) -> f64 {
        self
    }
}

pub(crate) fn sets() -> impl Iterator<Item = InstructionSet> {
    InstructionSet::ALL.into_iter().filter(|set| set.is_available())
}

/// Numbers from -1 to 1 that depend on the seed alone.
pub(crate) fn numbers(seed: u64, count: usize) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Which function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Norm,
    Dice,
    RowDice,
}

pub(crate) const KINDS: [Kind; 3] = [Kind::Norm, Kind::Dice, Kind::RowDice];

#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) kind: Kind,
    pub(crate) width: usize,
    pub(crate) input: Vec<f64>,
    /// Mean and variance of each column; `None` takes those of the rows.
    pub(crate) given: Option<(Vec<f64>, Vec<f64>)>,
    pub(crate) epsilon: f64,
    pub(crate) scale: Vec<f64>,
    pub(crate) shift: Vec<f64>,
    /// The first alone counts with [`Kind::RowDice`].
    pub(crate) alpha: Vec<f64>,
    pub(crate) gradient: Vec<f64>,
}

/// Output, gradient of the input, and gradients of scale, shift and α; and the statistics of the rows.
pub(crate) struct Results<T> {
    pub(crate) output: Vec<T>,
    pub(crate) gradients: [Vec<T>; 4],
    pub(crate) mean: Vec<T>,
    pub(crate) variance: Vec<T>,
}

impl Case {
    pub(crate) fn new(kind: Kind, rows: usize, width: usize, given: bool, seed: u64) -> Self {
        let draw = |index: u64, count: usize| numbers(seed.wrapping_add(index << 32), count);
        let variance = draw(2, width).iter().map(|number| number.abs() + 0.1).collect();
        Self {
            kind,
            width,
            input: draw(0, rows * width).iter().map(|number| 3.0 * number).collect(),
            given: given.then(|| (draw(1, width), variance)),
            epsilon: 1e-5,
            scale: draw(3, width),
            shift: draw(4, width),
            alpha: draw(5, width),
            gradient: draw(6, rows * width),
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.input.len() / self.width
    }

    /// All that a gradient flows to: input, scale, shift, α.
    pub(crate) fn operands(&mut self) -> [&mut Vec<f64>; 4] {
        [&mut self.input, &mut self.scale, &mut self.shift, &mut self.alpha]
    }

    pub(crate) fn run<T: Number>(&self, set: InstructionSet, pool: &dyn Pool) -> Results<T> {
        let of = |numbers: &[f64]| -> Vec<T> { numbers.iter().map(|&number| T::of(number)).collect() };
        let (width, input, gradient) = (self.width, of(&self.input), of(&self.gradient));
        let zeros = |count: usize| vec![T::of(0.0); count];
        let (mut output, mut by_input) = (zeros(input.len()), zeros(input.len()));
        let (mut by_scale, mut by_shift, mut by_alpha) = (zeros(width), zeros(width), zeros(width));
        let (mut mean, mut variance) = (zeros(width), zeros(width));
        if self.kind == Kind::RowDice {
            let alpha = T::of(self.alpha[0]);
            row_dice_forward_with(set, width, &input, alpha, ROW_EPSILON, &mut output, pool).unwrap();
            by_alpha[0] =
                row_dice_backward_with(set, width, &input, alpha, ROW_EPSILON, &gradient, &mut by_input, pool).unwrap();
            return Results { output, gradients: [by_input, by_scale, by_shift, by_alpha], mean, variance };
        }
        column_statistics_with(set, width, &input, &mut mean, &mut variance, pool).unwrap();
        let given = self.given.as_ref().map(|(mean, variance)| (of(mean), of(variance)));
        let (used_mean, used_variance) = given.clone().unwrap_or((mean.clone(), variance.clone()));
        let (scale, shift, alpha) = (of(&self.scale), of(&self.shift), of(&self.alpha));
        let normalization = Normalization {
            mean: &used_mean,
            variance: &used_variance,
            epsilon: self.epsilon,
            scale: Some(&scale),
            shift: Some(&shift),
            alpha: (self.kind == Kind::Dice).then_some(&alpha[..]),
        };
        normalize_forward_with(set, width, &input, &normalization, &mut output, pool).unwrap();
        let mut gradients = NormalizationGradients {
            scale: Some(&mut by_scale),
            shift: Some(&mut by_shift),
            alpha: Some(&mut by_alpha),
        };
        let moves = given.is_none();
        normalize_backward_with(
            set,
            width,
            &input,
            &normalization,
            moves,
            &gradient,
            &mut by_input,
            &mut gradients,
            pool,
        )
        .unwrap();
        Results { output, gradients: [by_input, by_scale, by_shift, by_alpha], mean, variance }
    }

    /// Mean and biased variance of each column.
    pub(crate) fn statistics(&self) -> (Vec<f64>, Vec<f64>) {
        let rows = self.rows() as f64;
        let column = |column: usize| self.input.iter().skip(column).step_by(self.width);
        let mean: Vec<f64> = (0..self.width).map(|index| column(index).sum::<f64>() / rows).collect();
        let squares = |index: usize| column(index).map(|x| (x - mean[index]).powi(2)).sum::<f64>();
        let variance = (0..self.width).map(|index| squares(index) / rows).collect();
        (mean, variance)
    }

    /// The output by the formulas.
    pub(crate) fn output(&self) -> Vec<f64> {
        let dice = |x: f64, z: f64, alpha: f64| {
            let share = 1.0 / (1.0 + (-z).exp());
            (share + (1.0 - share) * alpha) * x
        };
        if self.kind == Kind::RowDice {
            let row = |row: &[f64]| {
                let mean = row.iter().sum::<f64>() / row.len() as f64;
                let spread = row.iter().map(|x| (x - mean).powi(2) + ROW_EPSILON).sum::<f64>().sqrt();
                row.iter().map(|x| dice(*x, (x - mean) / spread, self.alpha[0])).collect::<Vec<f64>>()
            };
            return self.input.chunks(self.width).flat_map(row).collect();
        }
        let (mean, variance) = self.given.clone().unwrap_or_else(|| self.statistics());
        let number = |(index, &x): (usize, &f64)| {
            let column = index % self.width;
            let normal = (x - mean[column]) / (variance[column] + self.epsilon).sqrt();
            let z = normal * self.scale[column] + self.shift[column];
            if self.kind == Kind::Dice { dice(x, z, self.alpha[column]) } else { z }
        };
        self.input.iter().enumerate().map(number).collect()
    }

    /// `Σ gradient · output`.
    pub(crate) fn loss(&self) -> f64 {
        self.output().iter().zip(&self.gradient).map(|(output, gradient)| output * gradient).sum()
    }
}

pub(crate) fn cases() -> impl Strategy<Value = Case> {
    let sizes = (2usize..90, 1usize..70);
    (prop::sample::select(&KINDS[..]), sizes, any::<bool>(), any::<u64>())
        .prop_map(|(kind, (rows, width), given, seed)| Case::new(kind, rows, width, given, seed))
}
