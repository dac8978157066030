//! The products that take gradients of gates to gradients of what went into the gates.

use super::record::Record;
use super::walk::Walk;
use crate::columns::{vector, vector_mut};
use crate::level::{Level, Operation, prefetch};
use crate::memory::write;
use crate::panel::{Group, Panels};
use crate::product::{Tile, run_group};
use crate::scalar::Scalar;

/// Consecutive events of the record: those of the first samples of the block, in their order.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    pub(super) first: usize,
    pub(super) count: usize,
}

/// The gradient of the states before some events: what was kept, and what goes through the gates.
pub(super) fn carry<T: Scalar, L: Level, const W: usize, const R: usize, const M: usize>(
    level: L,
    walk: &mut Walk<'_, T>,
    rows: Rows,
) {
    let job = walk.job;
    for group in job.hidden_panels.groups() {
        let walk = &mut *walk;
        run_group!(level, group.vectors, OF_TWO, CarryGroup<T, W, R, M> { walk, group, rows });
    }
}

/// One group of vectors for all rows.
struct CarryGroup<'a, 'b, T, const W: usize, const V: usize, const R: usize, const M: usize> {
    walk: &'a mut Walk<'b, T>,
    group: &'a Group,
    rows: Rows,
}

impl<T: Scalar, const W: usize, const V: usize, const R: usize, const M: usize> Operation
    for CarryGroup<'_, '_, T, W, V, R, M>
{
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, level: L) {
        let Rows { first, count } = self.rows;
        let Walk { job, record, stride, carried, kept, .. } = self.walk;
        let panels = &job.hidden_panels;
        let mut starts = [0; V];
        for v in 0..V {
            starts[v] = panels.start(self.group.first + v);
        }
        let (panel, stride) = (panels.group(self.group), *stride);
        // The state's gates come after the input's half of the candidate.
        let of = Gates { rows: &record.right, stride: record.right_stride, column: job.problem.hidden };
        let mut slot = 0;
        while slot < count {
            let (kept, carried) = (&kept[slot * stride..], &mut carried[slot * stride..]);
            slot += match count - slot {
                1 => carry_tile::<T, L, W, V, 1>(level, of, first + slot, panel, &starts, (kept, carried, stride)),
                2.. if count - slot <= M => {
                    carry_tile::<T, L, W, V, M>(level, of, first + slot, panel, &starts, (kept, carried, stride))
                }
                _ => carry_tile::<T, L, W, V, R>(level, of, first + slot, panel, &starts, (kept, carried, stride)),
            };
        }
    }
}

/// The gathered gradients of gates, from a column on.
#[derive(Clone, Copy)]
struct Gates<'a, T> {
    rows: &'a [T],
    stride: usize,
    column: usize,
}

impl<'a, T> Gates<'a, T> {
    /// `depth` numbers of each of `R` rows, the row `last` in place of those behind it.
    #[inline(always)]
    fn rows<const R: usize>(self, first: usize, last: usize, depth: usize) -> [&'a [T]; R] {
        let mut each: [&[T]; R] = [&[]; R];
        for i in 0..R {
            each[i] = &self.rows[(first + i).min(last) * self.stride + self.column..][..depth];
        }
        each
    }
}

/// `R` rows, of which some may not be wanted. All are written: a tile of which only a part is written does not stay in
/// registers.
#[inline(always)]
fn carry_tile<T: Scalar, L: Level, const W: usize, const V: usize, const R: usize>(
    level: L,
    gates: Gates<'_, T>,
    first: usize,
    panel: &[T],
    starts: &[usize; V],
    (kept, carried, stride): (&[T], &mut [T], usize),
) -> usize {
    let mut tile: Tile<T, W, V, R> = [[[T::ZERO; W]; V]; R];
    for i in 0..R {
        let kept = &kept[i * stride..][..stride];
        for v in 0..V {
            tile[i][v] = *vector(&kept[starts[v]..]);
        }
    }
    level.rows_by_panel(&mut tile, &gates.rows::<R>(first, first + R, panel.len() / (V * W)), panel);
    for i in 0..R {
        let carried = &mut carried[i * stride..][..stride];
        for v in 0..V {
            *vector_mut(&mut carried[starts[v]..]) = tile[i][v];
        }
    }
    R
}

/// The gradients of the inputs of all gathered events; `inputs` are the task's rows.
pub(super) fn input_gradients<T: Scalar, L: Level, const W: usize, const R: usize>(
    level: L,
    panels: &Panels<T>,
    record: &Record<T>,
    width: usize,
    inputs: &mut [T],
) {
    for group in panels.groups() {
        let inputs = &mut *inputs;
        if width < W {
            level.run(InputGroup::<T, W, 1, R, false> { panels, group, record, width, inputs });
        } else {
            run_group!(
                level,
                group.vectors,
                OF_TWO,
                InputGroup<T, W, R, true> { panels, group, record, width, inputs }
            );
        }
    }
}

/// One group of vectors of all gathered events, `R` at a time. Where there are fewer, the last one is computed again in
/// their place: a tile of which only a part is written does not stay in registers. `WHOLE` where an input fills a vector.
struct InputGroup<'a, T, const W: usize, const V: usize, const R: usize, const WHOLE: bool> {
    panels: &'a Panels<T>,
    group: &'a Group,
    record: &'a Record<T>,
    width: usize,
    inputs: &'a mut [T],
}

impl<T: Scalar, const W: usize, const V: usize, const R: usize, const WHOLE: bool> Operation
    for InputGroup<'_, T, W, V, R, WHOLE>
{
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, level: L) {
        let Self { panels, group, record, width, inputs } = self;
        let mut starts = [0; V];
        for v in 0..V {
            starts[v] = panels.start(group.first + v);
        }
        let panel = panels.group(group);
        let gates = Gates { rows: &record.right, stride: record.right_stride, column: 0 };
        let last = record.rows.len().saturating_sub(1);
        for first in (0..record.rows.len()).step_by(R) {
            let mut tile = [[[T::ZERO; W]; V]; R];
            let each = gates.rows::<R>(first, last, panel.len() / (V * W));
            level.rows_by_panel(&mut tile, &each, panel);
            for row in record.rows[first..].iter().skip(R).take(R) {
                prefetch(&inputs[row * width..][..width]);
            }
            for i in 0..R {
                let input = &mut inputs[record.rows[(first + i).min(last)] * width..][..width];
                for v in 0..V {
                    write::<T, W, WHOLE>(&mut input[starts[v]..], &tile[i][v]);
                }
            }
        }
    }
}
