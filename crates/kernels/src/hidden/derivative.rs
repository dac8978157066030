//! The gradients of the activations of a tile.

use super::kind::{Dice, Identity, Kind, Learned, Sigmoid, Slope};
use super::row_statistics::{RowStatistics, normalize_rows};
use super::stage::{Activated, Stage};
use crate::activation::{multiply_add, sigmoid_within_one};
use crate::columns::{total, totals, vector, vector_mut};
use crate::level::{Level, Operation, one_by_one};
use crate::memory::LINE;
use crate::scalar::Scalar;

/// Sums over rows for each column of a layer, in whole vectors.
pub(super) struct ColumnSums<T> {
    /// `Σ g` of the gradient `g` behind the normalisation.
    pub(super) gradient: Vec<T>,
    /// `Σ g · (z − mean)`
    pub(super) spread: Vec<T>,
    /// As [`Learned`].
    pub(super) alpha: Vec<T>,
    pub(super) delta: Vec<T>,
    pub(super) delta_spread: Vec<T>,
    /// Of the `α` of Dice by rows.
    pub(super) row_alpha: T,
}

impl<T: Scalar> ColumnSums<T> {
    pub(super) fn zeros(stride: usize) -> Self {
        let zeros = || vec![T::ZERO; stride];
        Self {
            gradient: zeros(),
            spread: zeros(),
            alpha: zeros(),
            delta: zeros(),
            delta_spread: zeros(),
            row_alpha: T::ZERO,
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in [
            (&mut self.gradient, &other.gradient),
            (&mut self.spread, &other.spread),
            (&mut self.alpha, &other.alpha),
            (&mut self.delta, &other.delta),
            (&mut self.delta_spread, &other.delta_spread),
        ] {
            for (mine, &theirs) in mine.iter_mut().zip(theirs) {
                *mine += theirs;
            }
        }
        self.row_alpha += other.row_alpha;
    }
}

/// What a tile needs room for when Dice goes by rows.
pub(super) struct RowRoom<T> {
    pub(super) statistics: RowStatistics<T>,
    /// The gradient of the normalised numbers, and their distance from the mean of the row: `[n, stride]`.
    pub(super) delta: Vec<T>,
    pub(super) distance: Vec<T>,
    /// What goes off all numbers of a row, and what goes off with the distance.
    pub(super) base: Vec<T>,
    pub(super) pull: Vec<T>,
    /// For each row a vector of sums that become these.
    by_delta: Vec<T>,
    by_distance: Vec<T>,
    /// For each row a vector of sums of the gradient of `α`.
    by_alpha: Vec<T>,
}

impl<T: Scalar> RowRoom<T> {
    pub(super) fn new(stage: &Stage<T>, rows: usize) -> Self {
        let rows = if matches!(stage.activated, Activated::RowDice { .. }) { rows } else { 0 };
        let zeros = |count: usize| vec![T::ZERO; count];
        Self {
            statistics: RowStatistics::new(rows),
            delta: zeros(rows * stage.stride),
            distance: zeros(rows * stage.stride),
            base: zeros(rows),
            pull: zeros(rows),
            by_delta: zeros(rows * LINE / size_of::<T>()),
            by_distance: zeros(rows * LINE / size_of::<T>()),
            by_alpha: zeros(rows * LINE / size_of::<T>()),
        }
    }
}

/// Goes back through activation and normalisation: the gradient of the activations becomes that of the input, but for
/// what its statistics add. The activations are written too.
pub(super) struct Derivatives<'a, T, const W: usize> {
    pub(super) stage: &'a Stage<T>,
    /// Rows of whole vectors, and their distance.
    pub(super) input: (&'a [T], usize),
    /// `[n, stage.stride]`
    pub(super) values: &'a mut [T],
    /// `[n, stage.stride]`
    pub(super) gradient: &'a mut [T],
    pub(super) sums: &'a mut ColumnSums<T>,
    pub(super) room: &'a mut RowRoom<T>,
}

impl<T: Scalar, const W: usize> Operation for Derivatives<'_, T, W> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, _: L) {
        match &self.stage.activated {
            Activated::Identity => by_columns::<T, L, _, W>(&Identity, self),
            Activated::Slope(slopes) => by_columns::<T, L, _, W>(&Slope(slopes), self),
            Activated::Sigmoid => by_columns::<T, L, _, W>(&Sigmoid, self),
            Activated::Dice { norm, alpha } => by_columns::<T, L, _, W>(&Dice { norm, alpha }, self),
            &Activated::RowDice { alpha, epsilon } => by_rows::<T, L, W>(alpha, epsilon, self),
        }
    }
}

#[inline(always)]
fn add<T: Scalar, const W: usize>(sums: &mut [T], column: usize, more: &[T; W]) {
    let sums: &mut [T; W] = vector_mut(&mut sums[column..]);
    for w in 0..W {
        sums[w] += more[w];
    }
}

#[inline(always)]
fn by_columns<T: Scalar, L: Level, K: Kind<T, W>, const W: usize>(kind: &K, tile: Derivatives<'_, T, W>) {
    let Derivatives { stage, input: (input, across), values, gradient, sums, .. } = tile;
    let stride = stage.stride;
    for column in (0..stride).step_by(W) {
        let (norm, of) = (stage.norm.at::<W>(column), kind.at(column));
        let (mut by_shift, mut by_distance) = ([T::ZERO; W], [T::ZERO; W]);
        let mut learned = Learned::zeros();
        let rows = input.chunks_exact(across).zip(values.chunks_exact_mut(stride));
        for ((input, value), gradient) in rows.zip(gradient.chunks_exact_mut(stride)) {
            let z: &[T; W] = vector(&input[column..]);
            let gradient: &mut [T; W] = vector_mut(&mut gradient[column..]);
            let (mut distance, mut y) = ([T::ZERO; W], [T::ZERO; W]);
            for w in 0..W {
                distance[w] = z[w] - norm.mean[w];
                y[w] = multiply_add::<T, L>(distance[w], norm.factor[w], norm.shift[w]);
            }
            let (activated, g) = K::derivative::<L>(&of, &y, gradient, &mut learned);
            *vector_mut(&mut value[column..]) = activated;
            let mut result = [T::ZERO; W];
            for w in 0..W {
                by_shift[w] += g[w];
                by_distance[w] = multiply_add::<T, L>(g[w], distance[w], by_distance[w]);
                result[w] = g[w] * norm.factor[w];
            }
            *gradient = result;
        }
        add(&mut sums.gradient, column, &by_shift);
        add(&mut sums.spread, column, &by_distance);
        add(&mut sums.alpha, column, &learned.alpha);
        add(&mut sums.delta, column, &learned.delta);
        add(&mut sums.delta_spread, column, &learned.spread);
    }
}

#[inline(always)]
fn by_rows<T: Scalar, L: Level, const W: usize>(alpha: T, epsilon: T, tile: Derivatives<'_, T, W>) {
    let Derivatives { stage, input, values, gradient, sums, room } = tile;
    let stride = stage.stride;
    normalize_rows::<T, L, W>(stage, epsilon, input, values, &mut room.statistics);
    let (straight, part) = (T::ONE - alpha, T::ONE / T::from_f64(stage.width as f64));
    let held = stage.held.as_chunks::<W>().0;
    let rows = values.chunks_exact_mut(stride).zip(gradient.chunks_exact_mut(stride));
    let rows = rows.zip(room.delta.chunks_exact_mut(stride)).zip(room.distance.chunks_exact_mut(stride));
    let sums_of_rows = room.by_delta.as_chunks_mut::<W>().0.iter_mut().zip(room.by_distance.as_chunks_mut::<W>().0);
    let sums_of_rows = sums_of_rows.zip(room.by_alpha.as_chunks_mut::<W>().0);
    let numbers = room.statistics.mean.iter().zip(&room.statistics.inverse).zip(sums_of_rows);
    let rows = rows.zip(numbers);
    for ((((value, gradient), delta), distance), ((&mean, &inverse), ((by_delta, by_distance), by_alpha))) in rows {
        let value = value.as_chunks_mut::<W>().0;
        let (delta, distance) = (delta.as_chunks_mut::<W>().0, distance.as_chunks_mut::<W>().0);
        for ((y, held), (share, distance)) in value.iter().zip(held).zip(delta.iter_mut().zip(&mut *distance)) {
            one_by_one();
            let (mut far, mut new) = (*y, *y);
            for w in 0..W {
                // Once divided by the spread not more than 1.
                far[w] = (y[w] - mean) * held[w];
                new[w] = sigmoid_within_one::<T, L>(far[w] * inverse);
            }
            (*distance, *share) = (far, new);
        }
        // A loop of its own: in one with the shares, rows of a few vectors are slower.
        let (mut all_deltas, mut all_distances, mut all) = ([T::ZERO; W], [T::ZERO; W], [T::ZERO; W]);
        let rows = value.iter_mut().zip(gradient.as_chunks_mut::<W>().0).zip(delta.iter_mut().zip(&*distance));
        for ((value, gradient), (delta, far)) in rows {
            one_by_one();
            let (y, g, share) = (*value, *gradient, *delta);
            let (mut new_value, mut new_gradient, mut new_delta) = (y, g, share);
            for w in 0..W {
                let by = g[w] * y[w] * (T::ONE - share[w]);
                let of = by * share[w] * straight;
                all[w] += by;
                all_deltas[w] += of;
                all_distances[w] = multiply_add::<T, L>(of, far[w], all_distances[w]);
                let slope = multiply_add::<T, L>(share[w], straight, alpha);
                new_value[w] = slope * y[w];
                new_gradient[w] = slope * g[w];
                new_delta[w] = of;
            }
            (*value, *gradient, *delta) = (new_value, new_gradient, new_delta);
        }
        (*by_delta, *by_distance, *by_alpha) = (all_deltas, all_distances, all);
    }
    // The distances of a row add up to 0, so that the mean of what they pull away is 0 too.
    totals::<T, W>(&room.by_delta, &mut room.base);
    totals::<T, W>(&room.by_distance, &mut room.pull);
    for ((base, pull), &inverse) in room.base.iter_mut().zip(&mut room.pull).zip(&room.statistics.inverse) {
        *base = *base * part;
        *pull = *pull * inverse * inverse;
    }
    let mut by_alpha = [T::ZERO; W];
    // A tile may have fewer rows than the one before.
    for of_row in room.by_alpha.as_chunks::<W>().0.iter().take(values.len() / stride) {
        for w in 0..W {
            by_alpha[w] += of_row[w];
        }
    }
    sums.row_alpha += total(&by_alpha);
    let (input, across) = input;
    for column in (0..stride).step_by(W) {
        let norm = stage.norm.at::<W>(column);
        let (mut by_shift, mut by_spread) = ([T::ZERO; W], [T::ZERO; W]);
        let rows = input.chunks_exact(across).zip(gradient.chunks_exact_mut(stride));
        let rows = rows.zip(room.delta.chunks_exact(stride)).zip(room.distance.chunks_exact(stride));
        let numbers = room.base.iter().zip(&room.pull).zip(&room.statistics.inverse);
        for ((((input, gradient), delta), distance), ((&base, &pull), &inverse)) in rows.zip(numbers) {
            let z: &[T; W] = vector(&input[column..]);
            let (delta, distance): (&[T; W], &[T; W]) = (vector(&delta[column..]), vector(&distance[column..]));
            let gradient: &mut [T; W] = vector_mut(&mut gradient[column..]);
            let mut result = *gradient;
            for w in 0..W {
                let moved = delta[w] - base - distance[w] * pull;
                let g = multiply_add::<T, L>(moved, inverse, result[w]);
                by_shift[w] += g;
                by_spread[w] = multiply_add::<T, L>(g, z[w] - norm.mean[w], by_spread[w]);
                result[w] = g * norm.factor[w];
            }
            *gradient = result;
        }
        add(&mut sums.gradient, column, &by_shift);
        add(&mut sums.spread, column, &by_spread);
    }
}
