//! One vector of units of a few samples, through one event.

use super::{ForwardJob, ForwardOutput};
use crate::activation::{multiply_add, sigmoid, tanh};
use crate::level::{Level, Operation};
use crate::memory::{load, store, vector_start};
use crate::mixture::Mixture;
use crate::partition::{Sample, Task};
use crate::product::rows_by_panel;
use crate::scalar::Scalar;

/// Takes up to `R` of the samples, all of which have this step, and returns how many it took.
pub(super) fn run<T: Scalar, L: Level, const W: usize, const R: usize, const G: usize>(
    level: L,
    job: &ForwardJob<'_, T>,
    task: &Task,
    (step, vector): (usize, usize),
    samples: &[Sample],
    output: &mut ForwardOutput<'_, T>,
) -> usize {
    let samples = &samples[..samples.len().min(R)];
    level.run(ForwardTile::<T, W, R, G> { job, task, step, vector, samples, output });
    samples.len()
}

/// One vector of units of up to `R` samples. Where there are fewer, the last one is computed again in their place.
struct ForwardTile<'a, 'b, T, const W: usize, const R: usize, const G: usize> {
    job: &'a ForwardJob<'a, T>,
    task: &'a Task,
    step: usize,
    vector: usize,
    samples: &'a [Sample],
    output: &'a mut ForwardOutput<'b, T>,
}

impl<T: Scalar, const W: usize, const R: usize, const G: usize> Operation for ForwardTile<'_, '_, T, W, R, G> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let problem = self.job.problem;
        let panels = &self.job.panels;
        let (width, hidden) = (problem.width, problem.hidden);
        let inputs = &problem.sequences.inputs[self.task.rows.start * width..];
        let mut events: [&[T]; R] = [&[]; R];
        let mut before: [&[T]; R] = [&[]; R];
        for i in 0..R {
            let sample = &self.samples[i.min(self.samples.len() - 1)];
            let row = sample.first + self.step;
            events[i] = &inputs[row * width..][..width];
            before[i] = match problem.sequences.initial {
                _ if self.step > 0 => &self.output.states[(row - 1) * hidden..][..hidden],
                Some(initial) => &initial[(self.task.samples.start + sample.index) * hidden..][..hidden],
                None => &self.job.zeros,
            };
        }

        let bias = &panels.bias(self.vector).as_chunks::<W>().0[..G];
        let mut sums = [[[T::ZERO; W]; G]; R];
        for row in &mut sums {
            row.copy_from_slice(bias);
        }
        rows_by_panel::<T, L, W, G, R>(&mut sums, &events, panels.input_weight(self.vector));
        // The candidate's two halves stay apart: the reset gate scales only the state's.
        let candidate_bias = load(panels.candidate_bias(self.vector));
        let mut candidates = [[T::ZERO; W]; R];
        for i in 0..R {
            candidates[i] = sums[i][G - 1];
            sums[i][G - 1] = candidate_bias;
        }
        rows_by_panel::<T, L, W, G, R>(&mut sums, &before, panels.hidden_weight(self.vector));

        let start = vector_start(self.vector, W, hidden);
        let mut old = [[T::ZERO; W]; R];
        for i in 0..R {
            old[i] = load(&before[i][start..]);
        }
        for (i, sample) in self.samples.iter().enumerate() {
            let row = sample.first + self.step;
            let score = problem.sequences.scores.map_or(T::ZERO, |scores| scores[self.task.rows.start + row]);
            let mixture = Mixture::new(problem.cell, score);
            let gates = mix::<T, L, W, G>(&sums[i], &candidates[i], &old[i], mixture);
            store(&mut self.output.states[row * hidden + start..(row + 1) * hidden], &gates.state);
            if let Some(saved) = &mut self.output.saved {
                let saved = &mut saved[row * (G + 1) * hidden..][..(G + 1) * hidden];
                store(&mut saved[start..hidden], &gates.reset);
                if G == 3 {
                    store(&mut saved[hidden + start..2 * hidden], &gates.update);
                }
                store(&mut saved[(G - 1) * hidden + start..G * hidden], &gates.candidate);
                store(&mut saved[G * hidden + start..], &sums[i][G - 1]);
            }
        }
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
fn mix<T: Scalar, L: Level, const W: usize, const G: usize>(
    sums: &[[T; W]; G],
    candidate: &[T; W],
    old: &[T; W],
    mixture: Mixture<T>,
) -> Gates<T, W> {
    let mut gates = Gates { reset: [T::ZERO; W], update: [T::ZERO; W], candidate: [T::ZERO; W], state: [T::ZERO; W] };
    for w in 0..W {
        let reset = sigmoid::<T, L>(sums[0][w]);
        let update = if G == 3 { sigmoid::<T, L>(sums[1][w]) } else { T::ZERO };
        let candidate = tanh::<T, L>(multiply_add::<T, L>(reset, sums[G - 1][w], candidate[w]));
        let part = mixture.slope * update;
        gates.reset[w] = reset;
        gates.update[w] = update;
        gates.candidate[w] = candidate;
        gates.state[w] = multiply_add::<T, L>(mixture.base + part, old[w], (mixture.rest - part) * candidate);
    }
    gates
}
