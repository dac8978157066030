//! Back through time, block by block.

use super::events::Events;
use super::record::Record;
use super::tiles::{Rows, carry, input_gradients};
use super::{BackwardJob, BackwardOutput, Sums};
use crate::level::Level;
use crate::memory::Buffer;
use crate::partition::{Sample, Task, by_falling_length};
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
    let mut walk = Walk { job, task, record, stride, carried, kept, scores };
    if let Some(initial) = output.initial.as_deref_mut() {
        initial.fill(T::ZERO);
    }
    let samples = by_falling_length(job.problem.sequences.offsets, task);
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
        if self.job.sums {
            sums.add::<L, W, R>(level, &self.record, self.job.problem.hidden);
        }
        if let (Some(panels), Some(inputs)) = (&self.job.input_panels, output.inputs.as_deref_mut()) {
            input_gradients::<T, L, W, R>(level, panels, &self.record, self.job.problem.width, inputs);
        }
        self.record.rows.clear();
    }
}
