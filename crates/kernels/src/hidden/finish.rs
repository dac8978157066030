//! The gradients of what a layer learns, from the sums over all rows.

use super::backward::Sums;
use super::stage::{Activated, Stage};
use super::tiles::Full;
use super::{HiddenLayer, HiddenRows, check_rows};
use crate::activation::multiply_add;
use crate::columns::Cut;
use crate::error::{KernelError, check_length};
use crate::instruction_set::{Detected, InstructionSet};
use crate::level::{Level, Operation};
use crate::pool::Pool;
use crate::scalar::{Real, Scalar};
use crate::tasks::{Pieces, run_all};

/// What has to go off the gradient of a layer's input because its statistics move with it: for each column a number, and
/// another times the distance from the mean.
#[derive(Clone, Debug, PartialEq)]
pub struct HiddenCorrection<T> {
    pub(super) mean: Vec<T>,
    pub(super) base: Vec<T>,
    pub(super) slope: Vec<T>,
}

impl<T: Real> HiddenCorrection<T> {
    pub(super) fn check(&self, width: usize) -> Result<(), KernelError> {
        check_length("correction", self.mean.len(), width)
    }

    /// Takes it off, with the widest vectors of this processor.
    ///
    /// # Shapes
    /// - `input` `[N, width]`: of the layer; `gradient`: of it, laid out alike, written
    ///
    /// # Errors
    /// As [`hidden_backward`](crate::hidden_backward).
    pub fn apply(&self, input: &HiddenRows<'_, T>, gradient: &mut [T], pool: &dyn Pool) -> Result<(), KernelError> {
        let set = Detected::new(InstructionSet::best())?;
        let rows = check_rows(input, self.mean.len())?;
        check_length("gradient", gradient.len(), input.numbers.len())?;
        let across = input.stride;
        let mut pieces = Pieces(Some(gradient));
        let work = Cut::new(rows, across).tasks().map(|rows| {
            let gradient = pieces.take(rows.len() * across).unwrap_or_default();
            TakeOff {
                correction: self,
                numbers: &input.numbers[rows.start * across..rows.end * across],
                across,
                gradient,
            }
        });
        run_all(pool, work, |work| T::full(set, work)).map(drop)
    }
}

struct TakeOff<'a, T> {
    correction: &'a HiddenCorrection<T>,
    numbers: &'a [T],
    across: usize,
    gradient: &'a mut [T],
}

impl<T: Scalar> Full for TakeOff<'_, T> {
    type Output = ();

    fn run<L: Level, const W: usize, const R: usize, const M: usize>(self, level: L) {
        level.run(self);
    }
}

impl<T: Scalar> Operation for TakeOff<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, _: L) {
        let Self { correction: HiddenCorrection { mean, base, slope }, numbers, across, gradient } = self;
        for (gradient, row) in gradient.chunks_exact_mut(across).zip(numbers.chunks_exact(across)) {
            let columns = mean.iter().zip(base).zip(slope);
            for ((gradient, &x), ((&mean, &base), &slope)) in gradient.iter_mut().zip(row).zip(columns) {
                *gradient = *gradient - multiply_add::<T, L>(x - mean, slope, base);
            }
        }
    }
}

/// The gradients of what a layer and the dense map behind it learn.
#[derive(Clone, Debug, PartialEq)]
pub struct HiddenGradients<T> {
    /// Of the dense map's weight, `[outputs, H]`; empty without one.
    pub weight: Vec<T>,
    /// Of its bias, `[outputs]`.
    pub bias: Vec<T>,
    /// Of the normalisation's scale and shift, `[H]`; where there is none, of those that it could have.
    pub scale: Vec<T>,
    /// See `scale`.
    pub shift: Vec<T>,
    /// Of the scale of Dice's normalisation, `[H]`; zeros without one.
    pub dice_scale: Vec<T>,
    /// Of its shift.
    pub dice_shift: Vec<T>,
    /// Of the slope or the `α` of Dice, `[H]`; `[1]` with Dice by rows.
    pub alpha: Vec<T>,
    /// `None` where no statistics are those of the rows.
    pub correction: Option<HiddenCorrection<T>>,
}

/// Numbers of a weight that are added up at once.
const ADDED: usize = 1 << 13;

/// Joins the tasks' sums in their order; those of a large weight on all threads.
pub(super) fn joined<T: Real>(stage: &Stage<T>, parts: Vec<Sums<T>>, pool: &dyn Pool) -> Result<Sums<T>, KernelError> {
    let mut parts = parts.into_iter();
    let mut sums = parts.next().unwrap_or_else(|| Sums::zeros(stage));
    let others: Vec<Sums<T>> = parts.collect();
    for other in &others {
        sums.columns.merge(&other.columns);
        add(&mut sums.bias, &other.bias);
    }
    run_all(pool, sums.weight.chunks_mut(ADDED).enumerate(), |(index, sums)| {
        for other in &others {
            add(sums, &other.weight[index * ADDED..]);
        }
    })?;
    Ok(sums)
}

fn add<T: Scalar>(sums: &mut [T], others: &[T]) {
    for (sum, &other) in sums.iter_mut().zip(others) {
        *sum += other;
    }
}

/// What the sums over all rows give.
///
/// With `x̂` the distance `d` from the mean times `inverse`, and `y = d · factor + shift`: Dice's statistics are those of
/// `y`, so that `base₂ + slope₂ · (y − mean₂)` goes off the gradient of `y`, and of `y − mean₂ = d · factor` the sum over
/// the rows is 0, and the sum of squares known. So what both statistics add is one line in `d`.
pub(super) fn gradients<T: Real>(
    stage: &Stage<T>,
    layer: &HiddenLayer<'_, T>,
    rows: usize,
    from_rows: bool,
    sums: &Sums<T>,
) -> HiddenGradients<T> {
    let width = stage.width;
    let dice = if let Activated::Dice { norm, .. } = &stage.activated { Some(norm) } else { None };
    let moves = from_rows && rows > 0 && (stage.normed || dice.is_some());
    let count = rows as f64;
    let zeros = || vec![T::ZERO; width];
    let (mut scale, mut shift, mut dice_scale, mut dice_shift) = (zeros(), zeros(), zeros(), zeros());
    let mut correction = HiddenCorrection { mean: zeros(), base: zeros(), slope: zeros() };
    for column in 0..width {
        let at = |numbers: &[T]| numbers[column].to_f64();
        let (factor, inverse) = (at(&stage.norm.factor), at(&stage.norm.inverse));
        let (mut by_shift, mut by_distance) = (at(&sums.columns.gradient), at(&sums.columns.spread));
        let (mut base, mut slope) = (0.0, 0.0);
        correction.mean[column] = stage.norm.mean[column];
        if let Some(dice) = dice {
            let (delta, spread) = (at(&sums.columns.delta), at(&sums.columns.delta_spread));
            let (dice_factor, dice_inverse) = (at(&dice.factor), at(&dice.inverse));
            dice_scale[column] = T::from_f64(spread * dice_inverse);
            dice_shift[column] = T::from_f64(delta);
            if moves {
                let base_of_y = dice_factor * delta / count;
                let slope_of_y = dice_factor * spread * dice_inverse * dice_inverse / count;
                base = factor * base_of_y;
                slope = factor * factor * slope_of_y;
                if stage.normed {
                    let variance = layer.norm.map_or(0.0, |norm| norm.variance[column].to_f64());
                    by_shift -= count * base_of_y;
                    by_distance -= slope_of_y * factor * count * variance;
                } else {
                    correction.mean[column] = dice.mean[column];
                }
            }
        }
        scale[column] = T::from_f64(by_distance * inverse);
        shift[column] = T::from_f64(by_shift);
        if moves && stage.normed {
            base += factor * by_shift / count;
            slope += factor * by_distance * inverse * inverse / count;
        }
        correction.base[column] = T::from_f64(base);
        correction.slope[column] = T::from_f64(slope);
    }
    let alpha = match stage.activated {
        Activated::RowDice { .. } => vec![sums.columns.row_alpha],
        _ => sums.columns.alpha[..width].to_vec(),
    };
    let outputs = stage.dense.as_ref().map_or(0, |dense| dense.outputs);
    let mut weight = Vec::with_capacity(outputs * width);
    for row in sums.weight.chunks_exact(stage.stride).take(outputs) {
        weight.extend_from_slice(&row[..width]);
    }
    HiddenGradients {
        weight,
        bias: sums.bias[..outputs].to_vec(),
        scale,
        shift,
        dice_scale,
        dice_shift,
        alpha,
        correction: moves.then_some(correction),
    }
}
