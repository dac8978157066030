//! Reductions over the events of each sample, and what attention does with them.

mod expand;
mod products;
mod softmax;
mod sums;
mod weighted;

use std::ops::Range;

use crate::columns::{ByLanes, run_by_lanes};
use crate::error::KernelError;
use crate::instruction_set::{Detected, InstructionSet};
use crate::level::{Level, Operation};
use crate::partition::{MOST_TASKS, Task, partition};
use crate::pool::Pool;
use crate::problem::check_offsets;
use crate::scalar::Scalar;
use crate::tasks::run_all;

pub use expand::{segment_expand, segment_expand_with};
pub use products::{segment_products, segment_products_with};
pub use softmax::{
    segment_softmax_backward, segment_softmax_backward_with, segment_softmax_forward, segment_softmax_forward_with,
};
pub use sums::{segment_sums, segment_sums_with};
pub use weighted::WeightedEvents;

/// Samples whose offsets have been checked, cut into tasks.
struct Cut<'a> {
    set: Detected,
    width: usize,
    offsets: &'a [u32],
    tasks: Vec<Task>,
}

impl<'a> Cut<'a> {
    fn new(set: InstructionSet, width: usize, offsets: &'a [u32]) -> Result<Self, KernelError> {
        let set = Detected::new(set)?;
        check_offsets(offsets)?;
        if width == 0 {
            return Err(KernelError::Zero { name: "width" });
        }
        Ok(Self { set, width, offsets, tasks: partition(offsets, MOST_TASKS) })
    }

    fn samples(&self) -> usize {
        self.offsets.len() - 1
    }

    fn events(&self) -> usize {
        self.offsets.last().map_or(0, |&events| events as usize)
    }

    /// The samples of each task.
    fn tasks(&self) -> impl Iterator<Item = Samples<'a>> + '_ {
        self.tasks.iter().map(|task| Samples {
            offsets: &self.offsets[task.samples.start..=task.samples.end],
            first_sample: task.samples.start,
        })
    }

    fn run<T: Scalar, O: LaneOperation + Send>(
        &self,
        pool: &dyn Pool,
        work: impl Iterator<Item = O>,
    ) -> Result<(), KernelError> {
        run_all(pool, work, |work| run_by_lanes::<T, _>(self.set, self.width, ForLanes(work))).map(drop)
    }
}

/// A piece of work with vectors of `W` columns.
trait LaneOperation {
    /// As [`Operation::run`], it must be `#[inline(always)]`.
    fn run<L: Level, const W: usize>(self);
}

struct ForLanes<O>(O);

impl<O: LaneOperation> ByLanes for ForLanes<O> {
    type Output = ();

    fn run<L: Level, const W: usize>(self, level: L) {
        level.run(AtLanes::<O, W>(self.0));
    }
}

struct AtLanes<O, const W: usize>(O);

impl<O: LaneOperation, const W: usize> Operation for AtLanes<O, W> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, _: L) {
        self.0.run::<L, W>();
    }
}

/// Consecutive samples.
#[derive(Clone, Copy)]
struct Samples<'a> {
    /// Of the samples and one more, among all events.
    offsets: &'a [u32],
    first_sample: usize,
}

impl<'a> Samples<'a> {
    fn count(self) -> usize {
        self.offsets.len() - 1
    }

    /// How many events they have.
    fn events(self) -> usize {
        (self.offsets[self.count()] - self.offsets[0]) as usize
    }

    /// Of a buffer `[B, width]`, the rows of the samples.
    fn of_samples<T>(self, rows: &'a [T], width: usize) -> &'a [T] {
        &rows[self.first_sample * width..][..self.count() * width]
    }

    /// Of a buffer `[N, width]`, the rows of their events.
    fn of_events<T>(self, rows: &'a [T], width: usize) -> &'a [T] {
        &rows[self.offsets[0] as usize * width..][..self.events() * width]
    }

    /// The events of each sample, counted from the first of them.
    #[inline(always)]
    fn segments(self) -> impl Iterator<Item = Range<usize>> + 'a {
        let first = self.offsets[0];
        self.offsets.windows(2).map(move |pair| (pair[0] - first) as usize..(pair[1] - first) as usize)
    }
}
