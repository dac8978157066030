//! The forward pass of one task: all its samples, step by step.

mod mix;
mod product;
mod walk;

use crate::level::Level;
use crate::panel::ForwardPanels;
use crate::partition::Task;
use crate::problem::Problem;
use crate::scalar::Scalar;

/// What all tasks of a forward pass read.
pub(crate) struct ForwardJob<'a, T> {
    pub(crate) problem: &'a Problem<'a, T>,
    pub(crate) panels: ForwardPanels<T>,
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
        2 => walk::run::<T, L, W, R, M, 2>(level, job, task, output),
        _ => walk::run::<T, L, W, R, M, 3>(level, job, task, output),
    }
}
