//! Products of matrices that are cut into register tiles, and how large the tiles are.

use super::panels::Panels;
use crate::columns::{vector, vector_mut};
use crate::instruction_set::Detected;
use crate::level::{Level, Operation};
use crate::memory::vector_start;
use crate::panel::{Group, groups};
use crate::product::{OF_THREE, Tile, run_group};
use crate::scalar::Scalar;

/// Work for any level, with `W` columns in a vector and `R` rows in a tile, `M` where fewer are left.
pub(crate) trait Tiled {
    fn run<L: Level, const W: usize, const R: usize, const M: usize>(self, level: L);
}

/// The columns of a vector: as many as the processor takes, or the next smaller power of two that a row fills.
pub(super) fn lanes<T: Scalar>(set: Detected, columns: usize) -> usize {
    match T::lanes(set).min(columns) {
        16.. => 16,
        8.. => 8,
        4.. => 4,
        _ => 1,
    }
}

/// Runs work on rows of `columns` columns. The tiles are those of the recurrences.
pub(super) fn run_tiled<T: Scalar>(set: Detected, columns: usize, work: impl Tiled) {
    let lanes = lanes::<T>(set, columns);
    match set {
        Detected::Portable(level) => with_lanes::<_, 2, 1>(level, lanes, work),
        #[cfg(target_arch = "x86_64")]
        Detected::Avx2(level) => with_lanes::<_, OF_THREE, 2>(level, lanes, work),
        #[cfg(target_arch = "x86_64")]
        Detected::Avx512(level) => with_lanes::<_, 8, 4>(level, lanes, work),
    }
}

fn with_lanes<L: Level, const R: usize, const M: usize>(level: L, lanes: usize, work: impl Tiled) {
    match lanes {
        16 => work.run::<L, 16, R, M>(level),
        8 => work.run::<L, 8, R, M>(level),
        4 => work.run::<L, 4, R, M>(level),
        _ => work.run::<L, 1, R, M>(level),
    }
}

/// `output[n] = start + rows[n] · weight`.
pub(crate) struct RowsByPanels<'a, T> {
    /// `[n, stride]`; what lies behind `depth` numbers is not read.
    pub(crate) rows: &'a [T],
    pub(crate) stride: usize,
    pub(crate) panels: &'a Panels<T>,
    /// Numbers in the order of the panels.
    pub(crate) weight: &'a [T],
    /// A number for each column.
    pub(crate) start: &'a [T],
    /// `[n, columns]`
    pub(crate) output: &'a mut [T],
}

impl<T: Scalar> Tiled for RowsByPanels<'_, T> {
    fn run<L: Level, const W: usize, const R: usize, const M: usize>(mut self, level: L) {
        for group in self.panels.groups() {
            let (work, panels) = (&mut self, group);
            run_group!(level, group.vectors, OF_TWO, RowsByGroup<T, W, R, M> { work, group: panels });
        }
    }
}

/// All rows for one group of vectors.
struct RowsByGroup<'a, 'b, T, const W: usize, const V: usize, const R: usize, const M: usize> {
    work: &'a mut RowsByPanels<'b, T>,
    group: &'a Group,
}

impl<T: Scalar, const W: usize, const V: usize, const R: usize, const M: usize> Operation
    for RowsByGroup<'_, '_, T, W, V, R, M>
{
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, level: L) {
        let RowsByPanels { rows, stride, panels, weight, start, output } = self.work;
        let mut starts = [0; V];
        let mut first = [[T::ZERO; W]; V];
        for v in 0..V {
            starts[v] = panels.start(self.group.first + v);
            first[v] = *vector(&start[starts[v]..]);
        }
        let weight = &weight[panels.range(self.group)];
        let (depth, columns, stride) = (panels.depth(), panels.columns(), *stride);
        let into = Into { depth, weight, first: &first, starts: &starts, columns };
        let whole = rows.len() / stride / R * R;
        let (rows, rest) = rows.split_at(whole * stride);
        let (output, other) = output.split_at_mut(whole * columns);
        for (rows, output) in rows.chunks_exact(R * stride).zip(output.chunks_exact_mut(R * columns)) {
            rows_by_group::<T, L, W, V, R, true>(level, (rows, stride), &into, output);
        }
        match rest.len() / stride {
            0 => {}
            1 => rows_by_group::<T, L, W, V, 1, true>(level, (rest, stride), &into, other),
            count if count <= M => rows_by_group::<T, L, W, V, M, false>(level, (rest, stride), &into, other),
            _ => rows_by_group::<T, L, W, V, R, false>(level, (rest, stride), &into, other),
        }
    }
}

/// What the tiles of a group have in common.
struct Into<'a, T, const W: usize, const V: usize> {
    depth: usize,
    weight: &'a [T],
    first: &'a [[T; W]; V],
    /// Where each vector stands among the columns.
    starts: &'a [usize; V],
    columns: usize,
}

/// One tile of `R` rows if it is `FULL`, or of fewer; those that are missing are the last one again, and not written.
#[inline(always)]
fn rows_by_group<T: Scalar, L: Level, const W: usize, const V: usize, const R: usize, const FULL: bool>(
    level: L,
    (rows, stride): (&[T], usize),
    into: &Into<'_, T, W, V>,
    output: &mut [T],
) {
    let last = if FULL { R - 1 } else { rows.len() / stride - 1 };
    let mut tile: Tile<T, W, V, R> = [*into.first; R];
    let mut each: [&[T]; R] = [&[]; R];
    for i in 0..R {
        each[i] = &rows[i.min(last) * stride..][..into.depth];
    }
    level.rows_by_panel(&mut tile, &each, into.weight);
    for (i, row) in output.chunks_exact_mut(into.columns).enumerate().take(R) {
        for v in 0..V {
            *vector_mut(&mut row[into.starts[v]..]) = tile[i][v];
        }
    }
}

/// Neighbouring columns that a product handles at once.
pub(super) struct Columns {
    first: usize,
    vectors: usize,
}

/// Cuts `columns` columns into groups of vectors of `lanes`. Where they do not fill the last vector, it is moved back
/// to end with them.
pub(super) fn columns(columns: usize, lanes: usize) -> Vec<Columns> {
    let whole = groups(columns / lanes).into_iter();
    let rest = (!columns.is_multiple_of(lanes)).then(|| Columns { first: columns - lanes, vectors: 1 });
    whole.map(|group| Columns { first: group.first * lanes, vectors: group.vectors }).chain(rest).collect()
}

/// `output[i][j] = Σ_n left[n][i] · right[n][j]`.
pub(super) struct ColumnsByColumns<'a, T> {
    /// `[n, left_width]`
    pub(super) left: &'a [T],
    pub(super) left_width: usize,
    /// `[n, right_width]`
    pub(super) right: &'a [T],
    pub(super) right_width: usize,
    /// How the right columns are cut.
    pub(super) groups: &'a [Columns],
    /// `[left_width, right_width]`
    pub(super) output: &'a mut [T],
}

impl<T: Scalar> Tiled for ColumnsByColumns<'_, T> {
    fn run<L: Level, const W: usize, const R: usize, const M: usize>(mut self, level: L) {
        for group in self.groups {
            let (work, column) = (&mut self, group.first);
            run_group!(level, group.vectors, SUMS_OF_TWO, ColumnsByGroup<T, W, R, M> { work, column });
        }
    }
}

/// All left columns for one group of vectors.
struct ColumnsByGroup<'a, 'b, T, const W: usize, const V: usize, const R: usize, const M: usize> {
    work: &'a mut ColumnsByColumns<'b, T>,
    /// The first right column.
    column: usize,
}

impl<T: Scalar, const W: usize, const V: usize, const R: usize, const M: usize> Operation
    for ColumnsByGroup<'_, '_, T, W, V, R, M>
{
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, level: L) {
        let Self { work, column } = self;
        match work.left_width {
            width if width >= R => columns_by_group::<T, L, W, V, R>(level, work, column),
            width if width >= M => columns_by_group::<T, L, W, V, M>(level, work, column),
            _ => columns_by_group::<T, L, W, V, 1>(level, work, column),
        }
    }
}

#[inline(always)]
fn columns_by_group<T: Scalar, L: Level, const W: usize, const V: usize, const R: usize>(
    level: L,
    work: &mut ColumnsByColumns<'_, T>,
    column: usize,
) {
    let (left_width, right_width) = (work.left_width, work.right_width);
    let depth = work.left.len() / left_width;
    for index in 0..left_width.div_ceil(R) {
        // The last left columns are moved back too: what is computed twice is the same twice.
        let first = vector_start(index, R, left_width);
        let (left, right) = (&work.left[first..], &work.right[column..]);
        let tile = level.columns_by_columns::<T, W, V, R>((left, left_width), (right, right_width), depth);
        for i in 0..R {
            let row = &mut work.output[(first + i) * right_width + column..].as_chunks_mut::<W>().0[..V];
            row.copy_from_slice(&tile[i]);
        }
    }
}
