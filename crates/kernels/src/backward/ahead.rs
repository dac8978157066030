//! Asking for the rows of the events to come while the gathered ones are multiplied.
//!
//! The products work on what lies in the caches and leave the memory idle; one step of many samples then waits for all
//! its rows at once. Asked for between the tiles of the products, they come to the second cache before they are read.

use super::BackwardJob;
use crate::buffers::StateGradient;
use crate::level::prefetch_later;

/// The events that follow in the walk.
pub(super) struct Ahead<'a, T> {
    pub(super) job: &'a BackwardJob<'a, T>,
    /// The first row of the task.
    pub(super) first: usize,
    /// Where the events lie among the task's rows, in the order of the walk.
    pub(super) rows: &'a [usize],
    /// How many events are asked for at once.
    pub(super) at_once: usize,
}

impl<T> Ahead<'_, T> {
    /// Asks for the rows of a few more events.
    #[inline(always)]
    pub(super) fn ask(&mut self) {
        let (now, later) = self.rows.split_at(self.at_once.min(self.rows.len()));
        self.rows = later;
        for row in now {
            self.event(self.first + row);
        }
    }

    #[inline(always)]
    fn event(&self, event: usize) {
        let (job, problem) = (self.job, self.job.problem);
        let (width, hidden) = (problem.width, problem.hidden);
        let saved = problem.cell.saved_width(hidden);
        prefetch_later(&job.saved[event * saved..][..saved]);
        prefetch_later(&problem.sequences.inputs[event * width..][..width]);
        if let StateGradient::Events(gradient) = job.gradient {
            prefetch_later(&gradient[event * hidden..][..hidden]);
        }
        // The state before it; before the first event of a sample this is of no use, and does no harm.
        if event > 0 {
            prefetch_later(&job.states[(event - 1) * hidden..][..hidden]);
        }
    }
}
