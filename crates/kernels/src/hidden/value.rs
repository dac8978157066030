//! The activations of a tile.

use super::kind::{Dice, Identity, Kind, Sigmoid, Slope};
use super::row_statistics::{RowStatistics, normalize_rows};
use super::stage::{Activated, Stage};
use crate::activation::{multiply_add, sigmoid_within_one};
use crate::columns::{total, vector, vector_mut};
use crate::level::{Level, Operation, one_by_one};
use crate::scalar::Scalar;

/// Normalises and activates the rows of a tile.
pub(super) struct Values<'a, T, const W: usize> {
    pub(super) stage: &'a Stage<T>,
    /// Rows of whole vectors, and their distance.
    pub(super) input: (&'a [T], usize),
    /// `[n, stage.stride]`
    pub(super) output: &'a mut [T],
    pub(super) statistics: &'a mut RowStatistics<T>,
}

impl<T: Scalar, const W: usize> Operation for Values<'_, T, W> {
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
fn by_columns<T: Scalar, L: Level, K: Kind<T, W>, const W: usize>(kind: &K, tile: Values<'_, T, W>) {
    let Values { stage, input: (input, across), output, .. } = tile;
    for column in (0..stage.stride).step_by(W) {
        let (norm, of) = (stage.norm.at::<W>(column), kind.at(column));
        for (input, output) in input.chunks_exact(across).zip(output.chunks_exact_mut(stage.stride)) {
            let z: &[T; W] = vector(&input[column..]);
            let mut y = [T::ZERO; W];
            for w in 0..W {
                y[w] = multiply_add::<T, L>(z[w] - norm.mean[w], norm.factor[w], norm.shift[w]);
            }
            *vector_mut(&mut output[column..]) = K::value::<L>(&of, &y);
        }
    }
}

#[inline(always)]
fn by_rows<T: Scalar, L: Level, const W: usize>(alpha: T, epsilon: T, tile: Values<'_, T, W>) {
    let Values { stage, input, output, statistics } = tile;
    normalize_rows::<T, L, W>(stage, epsilon, input, output, statistics);
    let held = stage.held.as_chunks::<W>().0;
    let statistics = statistics.mean.iter().zip(&statistics.inverse);
    for (output, (&mean, &inverse)) in output.chunks_exact_mut(stage.stride).zip(statistics) {
        for (value, held) in output.as_chunks_mut::<W>().0.iter_mut().zip(held) {
            one_by_one();
            let mut y = *value;
            for w in 0..W {
                // Not more than 1, as the spread is the root of the sum of all squares.
                let share = sigmoid_within_one::<T, L>((y[w] - mean) * held[w] * inverse);
                y[w] = multiply_add::<T, L>(share, T::ONE - alpha, alpha) * y[w];
            }
            *value = y;
        }
    }
}

/// The dense map of a tile to one output.
pub(super) struct Outputs<'a, T, const W: usize> {
    /// `[n, stride]`
    pub(super) rows: &'a [T],
    /// `[stride]`
    pub(super) weight: &'a [T],
    pub(super) bias: T,
    /// `[n]`
    pub(super) output: &'a mut [T],
}

impl<T: Scalar, const W: usize> Operation for Outputs<'_, T, W> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, _: L) {
        let weight = self.weight.as_chunks::<W>().0;
        for (row, output) in self.rows.chunks_exact(self.weight.len()).zip(self.output) {
            let mut sums = [T::ZERO; W];
            for (row, weight) in row.as_chunks::<W>().0.iter().zip(weight) {
                for w in 0..W {
                    sums[w] = multiply_add::<T, L>(row[w], weight[w], sums[w]);
                }
            }
            *output = total(&sums) + self.bias;
        }
    }
}
