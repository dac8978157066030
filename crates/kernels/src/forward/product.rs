//! The sums of the gates: rows times panels.

use crate::columns::{vector, vector_mut};
use crate::level::{Level, Operation};
use crate::panel::{Group, Panels};
use crate::product::run_group;
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
        let sums = &mut *sums;
        run_group!(
            level,
            group.vectors,
            OF_TWO,
            GroupProduct<T, W, R, M> { rows, panels, group, bias, sums, stride }
        );
    }
}

/// All rows times one group of vectors.
struct GroupProduct<'a, T, const W: usize, const V: usize, const R: usize, const M: usize> {
    rows: Rows<'a, T>,
    panels: &'a Panels<T>,
    group: &'a Group,
    bias: &'a [T],
    sums: &'a mut [T],
    stride: usize,
}

impl<T: Scalar, const W: usize, const V: usize, const R: usize, const M: usize> Operation
    for GroupProduct<'_, T, W, V, R, M>
{
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, level: L) {
        let Self { rows, panels, group, bias, sums, stride } = self;
        let mut into = Into { first: [[T::ZERO; W]; V], starts: [0; V], panel: panels.group(group), stride };
        for v in 0..V {
            into.starts[v] = panels.start(group.first + v);
            into.first[v] = *vector(&bias[into.starts[v]..]);
        }
        let mut first = 0;
        while first < rows.places.len() {
            let rows = Rows { places: &rows.places[first..], ..rows };
            let sums = &mut sums[first * stride..];
            first += match rows.places.len() {
                1 => tile::<T, L, W, V, 1>(level, &rows, &into, sums),
                count if count <= M => tile::<T, L, W, V, M>(level, &rows, &into, sums),
                _ => tile::<T, L, W, V, R>(level, &rows, &into, sums),
            };
        }
    }
}

/// What the tiles of a group have in common.
struct Into<'a, T, const W: usize, const V: usize> {
    /// The bias.
    first: [[T; W]; V],
    /// Where each vector stands among the sums.
    starts: [usize; V],
    panel: &'a [T],
    stride: usize,
}

/// Up to `R` rows; returns how many. Where there are fewer, the last one is computed again in their place.
#[inline(always)]
fn tile<T: Scalar, L: Level, const W: usize, const V: usize, const R: usize>(
    level: L,
    rows: &Rows<'_, T>,
    into: &Into<'_, T, W, V>,
    sums: &mut [T],
) -> usize {
    let Rows { numbers, width, stride, places } = *rows;
    let mut each: [&[T]; R] = [&[]; R];
    for i in 0..R {
        each[i] = &numbers[places[i.min(places.len() - 1)] * stride..][..width];
    }
    let mut tile = [into.first; R];
    level.rows_by_panel(&mut tile, &each, into.panel);
    for i in 0..R {
        let sums = &mut sums[i * into.stride..][..into.stride];
        for v in 0..V {
            *vector_mut(&mut sums[into.starts[v]..]) = tile[i][v];
        }
    }
    places.len().min(R)
}
