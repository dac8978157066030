//! Mean and spread of each row of a tile.

use super::stage::Stage;
use crate::activation::multiply_add;
use crate::columns::{total, vector, vector_mut};
use crate::level::Level;
use crate::scalar::Scalar;

/// Numbers of each row of a tile.
pub(super) struct RowStatistics<T> {
    pub(super) mean: Vec<T>,
    /// `1 / √(Σ (x − mean)² + ε · width)`
    pub(super) inverse: Vec<T>,
}

impl<T: Scalar> RowStatistics<T> {
    pub(super) fn new(rows: usize) -> Self {
        Self { mean: vec![T::ZERO; rows], inverse: vec![T::ZERO; rows] }
    }
}

/// Writes the normalised rows, and takes their statistics. The rows go one after the other through each loop, so that
/// the sum of one does not wait for the sum of another.
#[inline(always)]
pub(super) fn normalize_rows<T: Scalar, L: Level, const W: usize>(
    stage: &Stage<T>,
    epsilon: T,
    (input, across): (&[T], usize),
    output: &mut [T],
    statistics: &mut RowStatistics<T>,
) {
    let stride = stage.stride;
    let part = T::ONE / T::from_f64(stage.width as f64);
    let rows = input.chunks_exact(across).zip(output.chunks_exact_mut(stride));
    for ((input, output), mean) in rows.zip(&mut statistics.mean) {
        let mut sums = [T::ZERO; W];
        for column in (0..stride).step_by(W) {
            let norm = stage.norm.at::<W>(column);
            let z: &[T; W] = vector(&input[column..]);
            let mut y = [T::ZERO; W];
            for w in 0..W {
                y[w] = multiply_add::<T, L>(z[w] - norm.mean[w], norm.factor[w], norm.shift[w]);
                sums[w] += y[w];
            }
            *vector_mut(&mut output[column..]) = y;
        }
        *mean = total(&sums) * part;
    }
    let means = statistics.mean.iter().zip(&mut statistics.inverse);
    for (output, (&mean, square)) in output.chunks_exact(stride).zip(means) {
        let mut squares = [T::ZERO; W];
        for column in (0..stride).step_by(W) {
            let (y, held): (&[T; W], &[T; W]) = (vector(&output[column..]), vector(&stage.held[column..]));
            for w in 0..W {
                let distance = (y[w] - mean) * held[w];
                squares[w] = multiply_add::<T, L>(distance, distance, squares[w]);
            }
        }
        *square = total(&squares);
    }
    for inverse in &mut statistics.inverse {
        *inverse = T::ONE / (*inverse + epsilon).sqrt();
    }
}
