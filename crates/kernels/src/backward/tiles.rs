//! The products that take gradients of gates to gradients of what went into the gates.

use super::record::Record;
use super::walk::Walk;
use crate::columns::{vector, vector_mut};
use crate::level::{Level, Operation, prefetch};
use crate::memory::write;
use crate::panel::{Group, Panels};
use crate::product::{Tile, rows_by_panel};
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
    for group in walk.job.hidden_panels.groups() {
        match group.vectors {
            1 => carry_group::<T, L, W, 1, R, M>(level, walk, group, rows),
            2 => carry_group::<T, L, W, 2, R, M>(level, walk, group, rows),
            _ => carry_group::<T, L, W, 3, R, M>(level, walk, group, rows),
        }
    }
}

fn carry_group<T: Scalar, L: Level, const W: usize, const V: usize, const R: usize, const M: usize>(
    level: L,
    walk: &mut Walk<'_, T>,
    group: &Group,
    rows: Rows,
) {
    let mut slot = 0;
    while slot < rows.count {
        let left = rows.count - slot;
        let event = rows.first + slot;
        slot += match left {
            1 => level.run(CarryTile::<T, W, V, 1> { walk, group, slot, event, left }),
            2.. if left <= M => level.run(CarryTile::<T, W, V, M> { walk, group, slot, event, left }),
            _ => level.run(CarryTile::<T, W, V, R> { walk, group, slot, event, left }),
        };
    }
}

/// `R` rows of one group of vectors, of which `left` are wanted; returns how many were. All are written: a tile of which
/// only a part is written does not stay in registers.
struct CarryTile<'a, 'b, T, const W: usize, const V: usize, const R: usize> {
    walk: &'a mut Walk<'b, T>,
    group: &'a Group,
    /// The first sample, in the block.
    slot: usize,
    /// Its event, in the record.
    event: usize,
    left: usize,
}

impl<T: Scalar, const W: usize, const V: usize, const R: usize> Operation for CarryTile<'_, '_, T, W, V, R> {
    type Output = usize;

    #[inline(always)]
    fn run<L: Level>(self) -> usize {
        let walk = self.walk;
        let panels = &walk.job.hidden_panels;
        let mut starts = [0; V];
        for (v, start) in starts.iter_mut().enumerate() {
            *start = panels.start(self.group.first + v);
        }
        let mut tile: Tile<T, W, V, R> = [[[T::ZERO; W]; V]; R];
        let mut gates: [&[T]; R] = [&[]; R];
        for i in 0..R {
            let kept = &walk.kept[(self.slot + i) * walk.stride..][..walk.stride];
            for v in 0..V {
                tile[i][v] = *vector(&kept[starts[v]..]);
            }
            // The state's gates come after the input's half of the candidate.
            gates[i] = &walk.record.gradients(self.event + i)[walk.job.problem.hidden..];
        }
        rows_by_panel::<T, L, W, V, R>(&mut tile, &gates, panels.group(self.group));
        for i in 0..R {
            let carried = &mut walk.carried[(self.slot + i) * walk.stride..][..walk.stride];
            for v in 0..V {
                *vector_mut(&mut carried[starts[v]..]) = tile[i][v];
            }
        }
        self.left.min(R)
    }
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
        for first in (0..record.rows.len()).step_by(R) {
            match group.vectors {
                _ if width < W => {
                    level.run(InputTile::<T, W, 1, R, false> { panels, group, record, first, width, inputs });
                }
                1 => level.run(InputTile::<T, W, 1, R, true> { panels, group, record, first, width, inputs }),
                2 => level.run(InputTile::<T, W, 2, R, true> { panels, group, record, first, width, inputs }),
                _ => level.run(InputTile::<T, W, 3, R, true> { panels, group, record, first, width, inputs }),
            }
        }
    }
}

/// One group of vectors of up to `R` gathered events. Where there are fewer, the last one is computed again in their
/// place. `WHOLE` where an input fills a vector.
struct InputTile<'a, T, const W: usize, const V: usize, const R: usize, const WHOLE: bool> {
    panels: &'a Panels<T>,
    group: &'a Group,
    record: &'a Record<T>,
    first: usize,
    width: usize,
    inputs: &'a mut [T],
}

impl<T: Scalar, const W: usize, const V: usize, const R: usize, const WHOLE: bool> Operation
    for InputTile<'_, T, W, V, R, WHOLE>
{
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let rows = &self.record.rows[self.first..];
        let last = rows.len() - 1;
        let mut gates: [&[T]; R] = [&[]; R];
        for i in 0..R {
            gates[i] = self.record.gradients(self.first + i.min(last));
        }
        let mut tile = [[[T::ZERO; W]; V]; R];
        rows_by_panel::<T, L, W, V, R>(&mut tile, &gates, self.panels.group(self.group));
        for row in rows.iter().skip(R).take(R) {
            prefetch(&self.inputs[row * self.width..][..self.width]);
        }
        for i in 0..R {
            let input = &mut self.inputs[rows[i.min(last)] * self.width..][..self.width];
            for v in 0..V {
                write::<T, W, WHOLE>(&mut input[self.panels.start(self.group.first + v)..], &tile[i][v]);
            }
        }
    }
}
