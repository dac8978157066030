//! The gradient of a weight, summed over the rows of a tile.

use crate::level::{Level, Operation};
use crate::panel::Group;
use crate::product::run_group;
use crate::scalar::Scalar;

/// `sums[i][j] += Σ_n left[n][i] · right[n][j]`.
pub(super) struct AddOuter<'a, T> {
    /// `[n, left_stride]`
    pub(super) left: &'a [T],
    pub(super) left_stride: usize,
    /// The columns of `left` that count.
    pub(super) units: usize,
    /// `[n, right_stride]`
    pub(super) right: &'a [T],
    pub(super) right_stride: usize,
    /// `[left_stride, right_stride]`
    pub(super) sums: &'a mut [T],
}

impl<T: Scalar> AddOuter<'_, T> {
    /// `groups` are those of the whole vectors of `right`.
    pub(super) fn run<L: Level, const W: usize, const R: usize, const M: usize>(self, level: L, groups: &[Group]) {
        let mut work = self;
        for group in groups {
            let (work, column) = (&mut work, group.first * W);
            run_group!(level, group.vectors, SUMS_OF_TWO, AddGroup<T, W, R, M> { work, column });
        }
    }
}

/// All left columns for one group of vectors.
struct AddGroup<'a, 'b, T, const W: usize, const V: usize, const R: usize, const M: usize> {
    work: &'a mut AddOuter<'b, T>,
    column: usize,
}

impl<T: Scalar, const W: usize, const V: usize, const R: usize, const M: usize> Operation
    for AddGroup<'_, '_, T, W, V, R, M>
{
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, level: L) {
        let (work, column) = (self.work, self.column);
        let mut first = 0;
        while first < work.units {
            // A tile may reach over the last unit, into the zeros behind it.
            first += match work.left_stride - first {
                left if left >= R => add_tile::<T, L, W, V, R>(level, work, column, first),
                left if left >= M => add_tile::<T, L, W, V, M>(level, work, column, first),
                _ => add_tile::<T, L, W, V, 1>(level, work, column, first),
            };
        }
    }
}

#[inline(always)]
fn add_tile<T: Scalar, L: Level, const W: usize, const V: usize, const R: usize>(
    level: L,
    work: &mut AddOuter<'_, T>,
    column: usize,
    first: usize,
) -> usize {
    let depth = work.left.len() / work.left_stride;
    let (left, right) = (&work.left[first..], &work.right[column..]);
    let tile = level.columns_by_columns::<T, W, V, R>((left, work.left_stride), (right, work.right_stride), depth);
    for i in 0..R {
        let sums = &mut work.sums[(first + i) * work.right_stride + column..].as_chunks_mut::<W>().0[..V];
        for v in 0..V {
            for w in 0..W {
                sums[v][w] += tile[i][v][w];
            }
        }
    }
    R
}
