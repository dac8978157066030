//! The forward pass of one task: all its samples, step by step.

mod tile;

use crate::level::Level;
use crate::panel::ForwardPanels;
use crate::partition::{Task, by_falling_length};
use crate::problem::Problem;
use crate::scalar::Scalar;

/// Samples that walk through time together: a few whole tiles. Each is a stream through several buffers, and more
/// streams than these are slower, though the panels are read more often.
pub(crate) const BLOCK: usize = 16;

/// What all tasks of a forward pass read.
pub(crate) struct ForwardJob<'a, T> {
    pub(crate) problem: &'a Problem<'a, T>,
    pub(crate) panels: ForwardPanels<T>,
    /// A state of zeros, before the first event where none is given.
    pub(crate) zeros: Vec<T>,
}

/// What one task writes: its rows of the states, and of the numbers saved for the backward pass.
pub(crate) struct ForwardOutput<'a, T> {
    pub(crate) states: &'a mut [T],
    pub(crate) saved: Option<&'a mut [T]>,
}

/// Runs a task. `W` numbers make a vector; tiles have `R` rows, or `M` or one where fewer are left.
pub(crate) fn run<T: Scalar, L: Level, const W: usize, const R: usize, const M: usize>(
    level: L,
    job: &ForwardJob<'_, T>,
    task: &Task,
    output: ForwardOutput<'_, T>,
) {
    match job.problem.cell.gates() {
        2 => walk::<T, L, W, R, M, 2>(level, job, task, output),
        _ => walk::<T, L, W, R, M, 3>(level, job, task, output),
    }
}

fn walk<T: Scalar, L: Level, const W: usize, const R: usize, const M: usize, const G: usize>(
    level: L,
    job: &ForwardJob<'_, T>,
    task: &Task,
    mut output: ForwardOutput<'_, T>,
) {
    let samples = by_falling_length(job.problem.sequences.offsets, task);
    for block in samples.chunks(BLOCK) {
        let mut active = block.len();
        for step in 0..block[0].length {
            while block[active - 1].length <= step {
                active -= 1;
            }
            for vector in 0..job.panels.vectors() {
                let mut first = 0;
                while first < active {
                    let samples = &block[first..active];
                    first += match samples.len() {
                        1 => tile::run::<T, L, W, 1, G>(level, job, task, (step, vector), samples, &mut output),
                        2.. if samples.len() <= M => {
                            tile::run::<T, L, W, M, G>(level, job, task, (step, vector), samples, &mut output)
                        }
                        _ => tile::run::<T, L, W, R, G>(level, job, task, (step, vector), samples, &mut output),
                    };
                }
            }
        }
    }
}
