//! Asking for the rows of the events to come while the gathered ones are multiplied.
//!
//! The products work on what lies in the caches and leave the memory idle; one step of many samples then waits for all
//! its rows at once. Asked for between the tiles of the products, they come to the second cache before they are read.

use super::BackwardJob;
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
            self.job.ask_for(self.first + row, prefetch_later);
        }
    }
}
