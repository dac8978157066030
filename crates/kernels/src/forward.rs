//! The forward pass of one task: all its samples, step by step.

use crate::activation::{multiply_add, sigmoid, tanh};
use crate::memory::{load, store, vector_start};
use crate::mixture::Mixture;
use crate::panel::ForwardPanels;
use crate::partition::{Sample, Task, by_falling_length};
use crate::problem::Problem;
use crate::product::rows_by_panel;
use crate::scalar::Scalar;

/// Samples that walk through time together: enough to use a panel several times while it is in the nearest cache.
pub(crate) const BLOCK: usize = 64;

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
#[inline(always)]
pub(crate) fn run<T: Scalar, const FUSED: bool, const W: usize, const R: usize, const M: usize>(
    job: &ForwardJob<'_, T>,
    task: &Task,
    output: ForwardOutput<'_, T>,
) {
    let problem = job.problem;
    let walk = Walk { problem, panels: &job.panels, task, zeros: vec![T::ZERO; problem.hidden] };
    match problem.cell.gates() {
        2 => walk.run::<FUSED, W, R, M, 2>(output),
        _ => walk.run::<FUSED, W, R, M, 3>(output),
    }
}

struct Walk<'a, T> {
    problem: &'a Problem<'a, T>,
    panels: &'a ForwardPanels<T>,
    task: &'a Task,
    /// The state before the first event, where none is given.
    zeros: Vec<T>,
}

impl<T: Scalar> Walk<'_, T> {
    #[inline(always)]
    fn run<const FUSED: bool, const W: usize, const R: usize, const M: usize, const G: usize>(
        &self,
        mut output: ForwardOutput<'_, T>,
    ) {
        let samples = by_falling_length(self.problem.sequences.offsets, self.task);
        for block in samples.chunks(BLOCK) {
            let mut active = block;
            for step in 0.. {
                while let Some((last, longer)) = active.split_last()
                    && last.length <= step
                {
                    active = longer;
                }
                if active.is_empty() {
                    break;
                }
                for vector in 0..self.panels.vectors() {
                    let mut left = active;
                    while !left.is_empty() {
                        let count = match left.len() {
                            1 => self.tile::<FUSED, W, 1, G>(step, vector, left, &mut output),
                            few if few <= M => self.tile::<FUSED, W, M, G>(step, vector, left, &mut output),
                            _ => self.tile::<FUSED, W, R, G>(step, vector, left, &mut output),
                        };
                        left = &left[count..];
                    }
                }
            }
        }
    }

    /// One vector of units of up to `R` samples; returns how many samples it took. Where there are fewer, the last one
    /// is computed again in their place, and not written again.
    #[inline(always)]
    fn tile<const FUSED: bool, const W: usize, const R: usize, const G: usize>(
        &self,
        step: usize,
        vector: usize,
        samples: &[Sample],
        output: &mut ForwardOutput<'_, T>,
    ) -> usize {
        let (width, hidden) = (self.problem.width, self.problem.hidden);
        let count = samples.len().min(R);
        let inputs = &self.problem.sequences.inputs[self.task.rows.start * width..];
        let mut events: [&[T]; R] = [&[]; R];
        let mut before: [&[T]; R] = [&[]; R];
        for i in 0..R {
            let sample = &samples[i.min(count - 1)];
            let row = sample.first + step;
            events[i] = &inputs[row * width..][..width];
            before[i] = match self.problem.sequences.initial {
                _ if step > 0 => &output.states[(row - 1) * hidden..][..hidden],
                Some(initial) => &initial[(self.task.samples.start + sample.index) * hidden..][..hidden],
                None => &self.zeros,
            };
        }

        let bias = &self.panels.bias(vector).as_chunks::<W>().0[..G];
        let mut sums = [[[T::ZERO; W]; G]; R];
        for row in &mut sums {
            row.copy_from_slice(bias);
        }
        let mut sums = rows_by_panel::<T, FUSED, W, G, R>(sums, events, self.panels.input_weight(vector));
        // The candidate's two halves stay apart: the reset gate scales only the state's.
        let candidate_bias = load(self.panels.candidate_bias(vector));
        let mut candidates = [[T::ZERO; W]; R];
        for i in 0..R {
            candidates[i] = sums[i][G - 1];
            sums[i][G - 1] = candidate_bias;
        }
        let sums = rows_by_panel::<T, FUSED, W, G, R>(sums, before, self.panels.hidden_weight(vector));

        let start = vector_start(vector, W, hidden);
        let mut old = [[T::ZERO; W]; R];
        for i in 0..R {
            old[i] = load(&before[i][start..]);
        }
        for i in 0..count {
            let row = samples[i].first + step;
            let score = self.problem.sequences.scores.map_or(T::ZERO, |scores| scores[self.task.rows.start + row]);
            let mixture = Mixture::new(self.problem.cell, score);
            let gates = mix::<T, FUSED, W, G>(&sums[i], &candidates[i], &old[i], mixture);
            store(&mut output.states[row * hidden + start..(row + 1) * hidden], &gates.state);
            if let Some(saved) = output.saved.as_deref_mut() {
                let saved = &mut saved[row * (G + 1) * hidden..][..(G + 1) * hidden];
                store(&mut saved[start..hidden], &gates.reset);
                if G == 3 {
                    store(&mut saved[hidden + start..2 * hidden], &gates.update);
                }
                store(&mut saved[(G - 1) * hidden + start..G * hidden], &gates.candidate);
                store(&mut saved[G * hidden + start..], &sums[i][G - 1]);
            }
        }
        count
    }
}

/// A vector of units after an event.
struct Gates<T, const W: usize> {
    reset: [T; W],
    /// Zeros in a cell without update gate.
    update: [T; W],
    candidate: [T; W],
    state: [T; W],
}

/// From the gates' sums to the new state. `sums` are the reset gate's, the update gate's if there is one, and the
/// state's half of the candidate; `candidate` is the input's half.
#[inline(always)]
fn mix<T: Scalar, const FUSED: bool, const W: usize, const G: usize>(
    sums: &[[T; W]; G],
    candidate: &[T; W],
    old: &[T; W],
    mixture: Mixture<T>,
) -> Gates<T, W> {
    let mut gates = Gates { reset: [T::ZERO; W], update: [T::ZERO; W], candidate: [T::ZERO; W], state: [T::ZERO; W] };
    for w in 0..W {
        let reset = sigmoid::<T, FUSED>(sums[0][w]);
        let update = if G == 3 { sigmoid::<T, FUSED>(sums[1][w]) } else { T::ZERO };
        let candidate = tanh::<T, FUSED>(multiply_add::<T, FUSED>(reset, sums[G - 1][w], candidate[w]));
        let part = mixture.slope * update;
        gates.reset[w] = reset;
        gates.update[w] = update;
        gates.candidate[w] = candidate;
        gates.state[w] = multiply_add::<T, FUSED>(mixture.base + part, old[w], (mixture.rest - part) * candidate);
    }
    gates
}
