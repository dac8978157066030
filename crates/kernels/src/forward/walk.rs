//! Forward through time, block by block.

use super::mix::Mix;
use super::product::{Rows, multiply};
use super::{ForwardJob, ForwardOutput};
use crate::level::Level;
use crate::memory::Buffer;
use crate::partition::{Sample, Task, by_falling_length, running};
use crate::product::OF_ONE;
use crate::scalar::Scalar;

/// Samples that walk through time together: a few whole tiles.
const BLOCK: usize = 16;

/// Steps whose inputs are multiplied at once: their product has no use for the states, and so whole tiles.
const STEPS: usize = 8;

/// What a task knows on its way.
pub(super) struct Walk<'a, T> {
    pub(super) job: &'a ForwardJob<'a, T>,
    pub(super) task: &'a Task,
    /// The events of the next steps among the task's rows, step by step.
    events: Vec<usize>,
    /// The input's part of the gates' sums, for each of these events.
    pub(super) input_sums: Buffer<T>,
    /// The state's part, for each sample of the block.
    pub(super) state_sums: Buffer<T>,
    /// The state of each sample of the block, in whole vectors.
    pub(super) states: Buffer<T>,
    pub(super) states_stride: usize,
}

pub(super) fn run<T: Scalar, L: Level, const W: usize, const R: usize, const M: usize, const G: usize>(
    level: L,
    job: &ForwardJob<'_, T>,
    task: &Task,
    mut output: ForwardOutput<'_, T>,
) {
    let (stride, states_stride) = (job.panels.stride, job.problem.hidden.next_multiple_of(W));
    let mut walk = Walk {
        job,
        task,
        events: Vec::with_capacity(BLOCK * STEPS),
        input_sums: Buffer::zeros((BLOCK * STEPS + R.max(OF_ONE)) * stride),
        state_sums: Buffer::zeros((BLOCK + R.max(OF_ONE)) * stride),
        states: Buffer::zeros(BLOCK * states_stride),
        states_stride,
    };
    let samples = by_falling_length(job.problem.sequences.offsets, task);
    for block in samples.chunks(BLOCK) {
        walk.start(block);
        for first in (0..block[0].length).step_by(STEPS) {
            walk.steps::<L, W, R, M, G>(level, block, first, &mut output);
        }
    }
}

impl<T: Scalar> Walk<'_, T> {
    /// Puts the initial states in their places.
    fn start(&mut self, block: &[Sample]) {
        let hidden = self.job.problem.hidden;
        match self.job.problem.sequences.initial {
            None => self.states.fill(T::ZERO),
            Some(initial) => {
                for (sample, state) in block.iter().zip(self.states.chunks_exact_mut(self.states_stride)) {
                    let row = self.task.samples.start + sample.index;
                    state[..hidden].copy_from_slice(&initial[row * hidden..][..hidden]);
                }
            }
        }
    }

    /// Takes the block through up to [`STEPS`] steps from `first` on.
    fn steps<L: Level, const W: usize, const R: usize, const M: usize, const G: usize>(
        &mut self,
        level: L,
        block: &[Sample],
        first: usize,
        output: &mut ForwardOutput<'_, T>,
    ) {
        let problem = self.job.problem;
        let panels = &self.job.panels;
        let (width, hidden) = (problem.width, problem.hidden);
        let steps = first..block[0].length.min(first + STEPS);
        self.events.clear();
        for step in steps.clone() {
            self.events.extend(running(block, step).iter().map(|sample| sample.first + step));
        }
        multiply::<T, L, W, R, M>(
            level,
            Rows {
                numbers: &problem.sequences.inputs[self.task.rows.start * width..],
                width,
                stride: width,
                places: &self.events,
            },
            (&panels.input, &panels.input_bias),
            (&mut self.input_sums, panels.stride),
        );
        let mut event = 0;
        for step in steps {
            let samples = running(block, step);
            multiply::<T, L, W, R, M>(
                level,
                Rows {
                    numbers: &self.states,
                    width: hidden,
                    stride: self.states_stride,
                    places: &PLACES[..samples.len()],
                },
                (&panels.state, &panels.state_bias),
                (&mut self.state_sums, panels.stride),
            );
            if hidden < W {
                level.run(Mix::<T, W, M, G, false> { walk: self, samples, step, event, output });
            } else {
                level.run(Mix::<T, W, M, G, true> { walk: self, samples, step, event, output });
            }
            event += samples.len();
        }
    }
}

/// The places of a block, in order.
const PLACES: [usize; BLOCK] = {
    let mut places = [0; BLOCK];
    let mut place = 0;
    while place < BLOCK {
        places[place] = place;
        place += 1;
    }
    places
};
