//! How rows are cut, and work on them for any vectors.

use std::ops::Range;

use crate::level::Level;

/// Numbers of the widest layer in a tile, which stays in the nearer caches between the passes over it.
const TILE: usize = 1 << 12;
/// Rows of a tile: fewer leave the sums of a weight's gradient no time in the registers.
const LEAST_TILE: usize = 32;
const MOST_TILE: usize = 64;
/// Each task has sums of its own for the gradients: this bounds their memory.
const MOST_TASKS: usize = 16;
/// A layer is narrow up to this width.
const NARROW: usize = 128;
/// Of a narrow one the sums are small, and more tasks let no thread wait long for the last of another.
const MOST_TASKS_OF_NARROW: usize = 32;
const LEAST_TASK: usize = 256;
/// Numbers of the widest layer that are worth a task, where fewer rows than the above have them.
const WORTH_A_TASK: usize = 1 << 14;

/// The rows of each task and of a tile. Their number alone decides, so that a sum over tasks in their order is the same
/// for any number of threads.
pub(super) struct HiddenCut {
    rows: usize,
    task: usize,
    pub(super) tile: usize,
}

impl HiddenCut {
    pub(super) fn new(rows: usize, widest: usize) -> Self {
        let tile = (TILE / widest).clamp(LEAST_TILE, MOST_TILE);
        let least = (WORTH_A_TASK / widest).clamp(tile, LEAST_TASK);
        let most = if widest <= NARROW { MOST_TASKS_OF_NARROW } else { MOST_TASKS };
        Self { rows, task: rows.div_ceil(most).max(least).next_multiple_of(tile), tile }
    }

    /// None where there are no rows.
    pub(super) fn tasks(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (rows, task) = (self.rows, self.task);
        (0..rows.div_ceil(task)).map(move |index| index * task..((index + 1) * task).min(rows))
    }
}

/// Cuts the rows of a task into tiles.
pub(super) fn tiles(rows: Range<usize>, tile: usize) -> impl Iterator<Item = Range<usize>> {
    rows.clone().step_by(tile).map(move |start| start..(start + tile).min(rows.end))
}

/// Work for any level, with whole vectors of `W` numbers and register tiles of `R` rows, `M` where few are left.
pub(crate) trait Full {
    type Output;

    fn run<L: Level, const W: usize, const R: usize, const M: usize>(self, level: L) -> Self::Output;
}
