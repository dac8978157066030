//! Mean and spread of each row of a tile.

use super::stage::Stage;
use crate::activation::multiply_add;
use crate::columns::totals;
use crate::level::{Level, one_by_one};
use crate::memory::LINE;
use crate::scalar::Scalar;

/// Numbers of each row of a tile.
pub(super) struct RowStatistics<T> {
    pub(super) mean: Vec<T>,
    /// `1 / √(Σ (x − mean)² + ε · width)`
    pub(super) inverse: Vec<T>,
    /// A vector of sums for each row.
    sums: Vec<T>,
}

impl<T: Scalar> RowStatistics<T> {
    pub(super) fn new(rows: usize) -> Self {
        Self {
            mean: vec![T::ZERO; rows],
            inverse: vec![T::ZERO; rows],
            sums: vec![T::ZERO; rows * LINE / size_of::<T>()],
        }
    }
}

/// Writes the normalised rows, and takes their statistics. All rows go through one loop before the next, so that the sum of
/// one does not wait for the sum of another.
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
    let norm = &stage.norm;
    let RowStatistics { mean: means, inverse: inverses, sums } = statistics;
    let rows = input.chunks_exact(across).zip(output.chunks_exact_mut(stride)).zip(sums.as_chunks_mut::<W>().0);
    for ((input, output), sums) in rows {
        let (factor, shift) = (norm.factor.as_chunks::<W>().0, norm.shift.as_chunks::<W>().0);
        let columns = norm.mean.as_chunks::<W>().0.iter().zip(factor).zip(shift);
        let rows = input.as_chunks::<W>().0.iter().zip(output.as_chunks_mut::<W>().0);
        let mut all = [T::ZERO; W];
        for ((z, output), ((mean, factor), shift)) in rows.zip(columns) {
            one_by_one();
            let mut y = [T::ZERO; W];
            for w in 0..W {
                y[w] = multiply_add::<T, L>(z[w] - mean[w], factor[w], shift[w]);
            }
            for w in 0..W {
                all[w] += y[w];
            }
            *output = y;
        }
        *sums = all;
    }
    totals::<T, W>(sums, means);
    for mean in &mut *means {
        *mean = *mean * part;
    }
    let rows = output.chunks_exact(stride).zip(&*means);
    for ((output, &mean), sums) in rows.zip(sums.as_chunks_mut::<W>().0) {
        let mut squares = [T::ZERO; W];
        for (y, held) in output.as_chunks::<W>().0.iter().zip(stage.held.as_chunks::<W>().0) {
            for w in 0..W {
                let distance = (y[w] - mean) * held[w];
                squares[w] = multiply_add::<T, L>(distance, distance, squares[w]);
            }
        }
        *sums = squares;
    }
    totals::<T, W>(sums, inverses);
    for inverse in inverses {
        *inverse = T::ONE / (*inverse + epsilon).sqrt();
    }
}
