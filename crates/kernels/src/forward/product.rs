//! The sums of the gates: rows times panels.

use crate::columns::{vector, vector_mut};
use crate::level::{Level, Operation};
use crate::panel::{Group, Panels};
use crate::product::rows_by_panel;
use crate::scalar::Scalar;

/// Rows of a matrix, in any order.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a, T> {
    pub(super) numbers: &'a [T],
    pub(super) width: usize,
    /// From one row to the next.
    pub(super) stride: usize,
    /// Which rows.
    pub(super) places: &'a [usize],
}

/// `sums[i] = bias + rows[places[i]] · panels`, all sums of `stride` numbers. Whole tiles are written, beyond the last
/// row: a tile of which only a part is written does not stay in registers.
pub(super) fn multiply<T: Scalar, L: Level, const W: usize, const R: usize, const M: usize>(
    level: L,
    rows: Rows<'_, T>,
    (panels, bias): (&Panels<T>, &[T]),
    (sums, stride): (&mut [T], usize),
) {
    for group in panels.groups() {
        let mut first = 0;
        while first < rows.places.len() {
            let places = &rows.places[first..];
            let rows = Rows { places, ..rows };
            let sums = &mut sums[first * stride..];
            first += match (places.len(), group.vectors) {
                (1, 1) => level.run(Tile::<T, W, 1, 1> { rows, panels, group, bias, sums, stride }),
                (1, 2) => level.run(Tile::<T, W, 2, 1> { rows, panels, group, bias, sums, stride }),
                (1, _) => level.run(Tile::<T, W, 3, 1> { rows, panels, group, bias, sums, stride }),
                (count, 1) if count <= M => level.run(Tile::<T, W, 1, M> { rows, panels, group, bias, sums, stride }),
                (count, 2) if count <= M => level.run(Tile::<T, W, 2, M> { rows, panels, group, bias, sums, stride }),
                (count, _) if count <= M => level.run(Tile::<T, W, 3, M> { rows, panels, group, bias, sums, stride }),
                (_, 1) => level.run(Tile::<T, W, 1, R> { rows, panels, group, bias, sums, stride }),
                (_, 2) => level.run(Tile::<T, W, 2, R> { rows, panels, group, bias, sums, stride }),
                _ => level.run(Tile::<T, W, 3, R> { rows, panels, group, bias, sums, stride }),
            };
        }
    }
}

/// One group of vectors of up to `R` rows; returns how many. Where there are fewer, the last one is computed again in
/// their place.
struct Tile<'a, T, const W: usize, const V: usize, const R: usize> {
    rows: Rows<'a, T>,
    panels: &'a Panels<T>,
    group: &'a Group,
    bias: &'a [T],
    sums: &'a mut [T],
    stride: usize,
}

impl<T: Scalar, const W: usize, const V: usize, const R: usize> Operation for Tile<'_, T, W, V, R> {
    type Output = usize;

    #[inline(always)]
    fn run<L: Level>(self) -> usize {
        let Rows { numbers, width, stride, places } = self.rows;
        let mut rows: [&[T]; R] = [&[]; R];
        for i in 0..R {
            rows[i] = &numbers[places[i.min(places.len() - 1)] * stride..][..width];
        }
        let mut starts = [0; V];
        let mut tile = [[[T::ZERO; W]; V]; R];
        for v in 0..V {
            starts[v] = self.panels.start(self.group.first + v);
            let bias = *vector(&self.bias[starts[v]..]);
            for i in 0..R {
                tile[i][v] = bias;
            }
        }
        rows_by_panel::<T, L, W, V, R>(&mut tile, &rows, self.panels.group(self.group));
        for i in 0..R {
            let sums = &mut self.sums[i * self.stride..][..self.stride];
            for v in 0..V {
                *vector_mut(&mut sums[starts[v]..]) = tile[i][v];
            }
        }
        places.len().min(R)
    }
}
