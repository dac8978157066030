//! The gradients of the weights. A column of a tile is one pair, and a row one unit, so that no width need be a whole
//! number of vectors.

use super::turn::groups;
use crate::level::{Level, Operation};
use crate::product::{OF_THREE, SUMS_OF_TWO, Tile};
use crate::scalar::Scalar;

/// Vectors of pairs in a tile.
pub(super) const VECTORS: usize = 3;

/// The units of a tile, vector by vector.
#[inline(always)]
pub(super) fn vectors<T, const W: usize>(units: &[T]) -> &[[[T; W]; VECTORS]] {
    units.as_chunks::<W>().0.as_chunks::<VECTORS>().0
}

/// `sums[i][j] += Σ_p slopes[i][p] · rows[p][j]` over the pairs of a tile; `rows` as [`super::turn::to_rows`] lays them
/// out, and `columns` the whole vectors of a row. Tiles of one vector a row have `S` rows.
pub(super) fn add_weight_gradient<T: Scalar, L: Level, const W: usize, const R: usize, const S: usize>(
    level: L,
    slopes: &[T],
    rows: &[T],
    columns: usize,
    sums: &mut [T],
) {
    for group in groups(columns / W) {
        let column = group.first * W;
        let panel = &rows[column * VECTORS * W..][..group.vectors * W * VECTORS * W];
        let job = WeightGradient { slopes, panel, columns, column };
        match group.vectors {
            1 => job.run::<L, W, 1, S>(level, sums),
            2 if R == OF_THREE => job.run::<L, W, 2, SUMS_OF_TWO>(level, sums),
            2 => job.run::<L, W, 2, R>(level, sums),
            _ => job.run::<L, W, 3, R>(level, sums),
        }
    }
}

/// One group of columns.
#[derive(Clone, Copy)]
struct WeightGradient<'a, T> {
    slopes: &'a [T],
    panel: &'a [T],
    columns: usize,
    column: usize,
}

impl<T: Scalar> WeightGradient<'_, T> {
    fn run<L: Level, const W: usize, const V: usize, const R: usize>(self, level: L, sums: &mut [T]) {
        let units = self.slopes.len() / (VECTORS * W);
        let mut first = 0;
        while first < units {
            let sums = &mut *sums;
            first += match units - first {
                left if left >= R => level.run(WeightTile::<T, W, V, R> { job: self, first, sums }),
                4.. => level.run(WeightTile::<T, W, V, 4> { job: self, first, sums }),
                2.. => level.run(WeightTile::<T, W, V, 2> { job: self, first, sums }),
                _ => level.run(WeightTile::<T, W, V, 1> { job: self, first, sums }),
            };
        }
    }
}

struct WeightTile<'a, 'b, T, const W: usize, const V: usize, const R: usize> {
    job: WeightGradient<'a, T>,
    first: usize,
    sums: &'b mut [T],
}

impl<T: Scalar, const W: usize, const V: usize, const R: usize> Operation for WeightTile<'_, '_, T, W, V, R> {
    type Output = usize;

    #[inline(always)]
    fn run<L: Level>(self, level: L) -> usize {
        let job = self.job;
        let mut tile: Tile<T, W, V, R> = [[[T::ZERO; W]; V]; R];
        for i in 0..R {
            let sums = &self.sums[(self.first + i) * job.columns + job.column..];
            tile[i] = sums.as_chunks::<W>().0.as_chunks::<V>().0[0];
        }
        let slopes = &vectors::<T, W>(job.slopes)[self.first..self.first + R];
        level.blocks_by_panel(&mut tile, slopes, job.panel);
        for i in 0..R {
            let sums = &mut self.sums[(self.first + i) * job.columns + job.column..];
            sums.as_chunks_mut::<W>().0.as_chunks_mut::<V>().0[0] = tile[i];
        }
        R
    }
}
