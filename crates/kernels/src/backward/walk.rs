//! Back through time, block by block.

use super::ahead::Ahead;
use super::events::Events;
use super::record::Record;
use super::tiles::{Rows, carry, input_gradients};
use super::{BackwardJob, BackwardOutput, Sums};
use crate::level::Level;
use crate::memory::Buffer;
use crate::partition::{Sample, Task, by_falling_length, running};
use crate::product::OF_ONE;
use crate::scalar::Scalar;

/// Samples that walk through time together: a few whole tiles. Each is a stream through several buffers, and more
/// streams than these are slower.
const BLOCK: usize = 16;

/// What a task knows on its way.
pub(super) struct Walk<'a, T> {
    pub(super) job: &'a BackwardJob<'a, T>,
    pub(super) task: &'a Task,
    pub(super) record: Record<T>,
    /// Rows of hidden units, in whole vectors.
    pub(super) stride: usize,
    /// The gradient of each sample's state that came back from its next event.
    pub(super) carried: Buffer<T>,
    /// The part of it that passes an event beside the gates.
    pub(super) kept: Buffer<T>,
    /// Each unit's part of the gradient of the score.
    pub(super) scores: Buffer<T>,
    /// The rows of all events in the order of the walk.
    order: Vec<usize>,
    /// How many of them have been multiplied.
    done: usize,
    /// How many of them have been asked for.
    asked: usize,
}

pub(super) fn run<T: Scalar, L: Level, const W: usize, const R: usize, const M: usize, const G: usize>(
    level: L,
    job: &BackwardJob<'_, T>,
    task: &Task,
    mut output: BackwardOutput<'_, T>,
) -> Sums<T> {
    let record = Record::new::<L>(job.problem, BLOCK, R, W);
    let mut sums = Sums::new(&record);
    let stride = job.problem.hidden.next_multiple_of(W);
    // Whole tiles are read, beyond the last sample.
    let [carried, kept, scores] = [(); 3].map(|()| Buffer::zeros((BLOCK + R.max(OF_ONE)) * stride));
    let samples = by_falling_length(job.problem.sequences.offsets, task);
    let order = walked(&samples);
    let mut walk = Walk { job, task, record, stride, carried, kept, scores, order, done: 0, asked: 0 };
    if let Some(initial) = output.initial.as_deref_mut() {
        initial.fill(T::ZERO);
    }
    for block in samples.chunks(BLOCK) {
        walk.block::<L, W, R, M, G>(level, block, &mut sums, &mut output);
    }
    walk.flush::<L, W, R>(level, &mut sums, &mut output);
    sums
}

impl<T: Scalar> Walk<'_, T> {
    fn block<L: Level, const W: usize, const R: usize, const M: usize, const G: usize>(
        &mut self,
        level: L,
        block: &[Sample],
        sums: &mut Sums<T>,
        output: &mut BackwardOutput<'_, T>,
    ) {
        let problem = self.job.problem;
        let hidden = problem.hidden;
        let mut active = 0;
        for step in (0..block[0].length).rev() {
            while active < block.len() && block[active].length > step {
                // Tiles have written beyond those that had come in.
                self.carried[active * self.stride..][..self.stride].fill(T::ZERO);
                active += 1;
            }
            if self.record.rows.len() + active > self.record.capacity {
                self.flush::<L, W, R>(level, sums, output);
            }
            let first = self.record.rows.len();
            let samples = &block[..active];
            let scores = output.scores.as_deref_mut();
            if problem.width.min(hidden) < W {
                level.run(Events::<T, W, G, false> { walk: self, samples, step, scores });
            } else {
                level.run(Events::<T, W, G, true> { walk: self, samples, step, scores });
            }
            // Before the first event only the initial states are left to receive a gradient.
            if step > 0 || output.initial.is_some() {
                carry::<T, L, W, R, M>(level, self, Rows { first, count: active });
            }
        }
        if let Some(initial) = output.initial.as_deref_mut() {
            for (sample, carried) in block.iter().zip(self.carried.chunks_exact(self.stride)) {
                initial[sample.index * hidden..][..hidden].copy_from_slice(&carried[..hidden]);
            }
        }
    }

    /// Takes the gathered events through the large products and forgets them.
    fn flush<L: Level, const W: usize, const R: usize>(
        &mut self,
        level: L,
        sums: &mut Sums<T>,
        output: &mut BackwardOutput<'_, T>,
    ) {
        let done = self.done + self.record.rows.len();
        debug_assert_eq!(self.order[self.done..done], self.record.rows, "events have come in another order");
        self.done = done;
        if self.job.sums {
            // As many events as will be gathered next.
            let coming = done.max(self.asked)..self.order.len().min(done + self.record.capacity);
            let rows = self.order.get(coming.clone()).unwrap_or_default();
            let at_once = rows.len().div_ceil(self.record.tiles::<W, R>());
            let mut ahead = Ahead { job: self.job, first: self.task.rows.start, rows, at_once };
            sums.add::<L, W, R>(level, &self.record, self.job.problem.hidden, &mut ahead);
            self.asked = coming.end - ahead.rows.len();
        }
        if let (Some(panels), Some(inputs)) = (&self.job.input_panels, output.inputs.as_deref_mut()) {
            input_gradients::<T, L, W, R>(level, panels, &self.record, self.job.problem.width, inputs);
        }
        self.record.rows.clear();
    }
}

/// The rows of all events in the order in which [`Walk::block`] comes to them, block after block.
fn walked(samples: &[Sample]) -> Vec<usize> {
    let mut rows = Vec::with_capacity(samples.iter().map(|sample| sample.length).sum());
    for block in samples.chunks(BLOCK) {
        for step in (0..block[0].length).rev() {
            rows.extend(running(block, step).iter().map(|sample| sample.first + step));
        }
    }
    rows
}
