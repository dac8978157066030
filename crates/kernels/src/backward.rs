//! The backward pass: from the gradient of the states to the gradients of all that went in.

mod ahead;
mod events;
mod gates;
mod record;
mod sums;
mod tiles;
mod walk;

use crate::buffers::StateGradient;
use crate::level::Level;
use crate::panel::Panels;
use crate::partition::Task;
use crate::problem::Problem;
use crate::scalar::Scalar;

pub(crate) use sums::Sums;

/// What all tasks of a backward pass read.
pub(crate) struct BackwardJob<'a, T> {
    pub(crate) problem: &'a Problem<'a, T>,
    /// `[N, H]`, as the forward pass wrote them.
    pub(crate) states: &'a [T],
    /// `[N, saved_width]`, as the forward pass wrote them.
    pub(crate) saved: &'a [T],
    pub(crate) gradient: StateGradient<'a, T>,
    /// The weights of the input, unless its gradient is not wanted.
    pub(crate) input_panels: Option<Panels<T>>,
    pub(crate) hidden_panels: Panels<T>,
    /// Zeros: a state before the first event where none is given, and the gradient of a state that is not used.
    pub(crate) zeros: Vec<T>,
    /// Whether the gradients of the weights or biases are wanted.
    pub(crate) sums: bool,
}

impl<T> BackwardJob<'_, T> {
    /// Asks the caches for all rows that an event reads. The state before the first event of a sample is another one's: of no
    /// use, and no harm.
    #[inline(always)]
    fn ask_for(&self, event: usize, ask: impl Fn(&[T])) {
        let (width, hidden) = (self.problem.width, self.problem.hidden);
        let saved = self.problem.cell.saved_width(hidden);
        ask(&self.saved[event * saved..][..saved]);
        if let StateGradient::Events(gradient) = self.gradient {
            ask(&gradient[event * hidden..][..hidden]);
        }
        ask(&self.problem.sequences.inputs[event * width..][..width]);
        if event > 0 {
            ask(&self.states[(event - 1) * hidden..][..hidden]);
        }
    }
}

/// What one task writes: its rows of the gradients. The sums over its events come back from [`run`].
pub(crate) struct BackwardOutput<'a, T> {
    pub(crate) inputs: Option<&'a mut [T]>,
    pub(crate) scores: Option<&'a mut [T]>,
    pub(crate) initial: Option<&'a mut [T]>,
}

/// Runs a task. `W` numbers make a vector; tiles have `R` rows, or `M` or one where fewer are left.
pub(crate) fn run<T: Scalar, L: Level, const W: usize, const R: usize, const M: usize>(
    level: L,
    job: &BackwardJob<'_, T>,
    task: &Task,
    output: BackwardOutput<'_, T>,
) -> Sums<T> {
    match job.problem.cell.gates() {
        2 => walk::run::<T, L, W, R, M, 2>(level, job, task, output),
        _ => walk::run::<T, L, W, R, M, 3>(level, job, task, output),
    }
}
