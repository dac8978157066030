//! From the sums of the gates to the new states.

use super::ForwardOutput;
use super::walk::Walk;
use crate::activation::{multiply_add, sigmoids, tanhs};
use crate::columns::vector;
use crate::level::{AHEAD, Level, Operation, prefetch};
use crate::memory::{copy, vector_start, write};
use crate::mixture::Mixture;
use crate::partition::Sample;
use crate::scalar::Scalar;

/// One step of all samples that have it, `P` of them side by side: each number waits for a long chain of operations.
/// `WHOLE` where a state fills a vector.
pub(super) struct Mix<'a, 'b, 'c, T, const W: usize, const P: usize, const G: usize, const WHOLE: bool> {
    pub(super) walk: &'a mut Walk<'b, T>,
    pub(super) samples: &'a [Sample],
    pub(super) step: usize,
    /// Where the input's sums of the first sample stand.
    pub(super) event: usize,
    pub(super) output: &'a mut ForwardOutput<'c, T>,
}

impl<T: Scalar, const W: usize, const P: usize, const G: usize, const WHOLE: bool> Operation
    for Mix<'_, '_, '_, T, W, P, G, WHOLE>
{
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(mut self, _: L) {
        for first in (0..self.samples.len()).step_by(P) {
            self.events::<L>(first);
        }
    }
}

impl<T: Scalar, const W: usize, const P: usize, const G: usize, const WHOLE: bool> Mix<'_, '_, '_, T, W, P, G, WHOLE> {
    /// The events of `P` samples from `first` on. Where there are fewer, the last one is computed again in their place.
    #[inline(always)]
    fn events<L: Level>(&mut self, first: usize) {
        let walk = &mut *self.walk;
        let problem = walk.job.problem;
        let (hidden, stride) = (problem.hidden, walk.job.panels.stride);
        let saved_width = (G + 1) * hidden;
        let mut slots = [0; P];
        let mut rows = [0; P];
        let mut mixtures = [Mixture::new(problem.cell, T::ZERO); P];
        let mut sums: [[&[T]; 3]; P] = [[&[]; 3]; P];
        for p in 0..P {
            slots[p] = (first + p).min(self.samples.len() - 1);
            let sample = &self.samples[slots[p]];
            rows[p] = sample.first + self.step;
            if let Some(scores) = problem.sequences.scores {
                mixtures[p] = Mixture::new(problem.cell, scores[walk.task.rows.start + rows[p]]);
            }
            sums[p] = [
                &walk.input_sums[(self.event + slots[p]) * stride..][..stride],
                &walk.state_sums[slots[p] * stride..][..stride],
                &walk.states[slots[p] * walk.states_stride..][..walk.states_stride],
            ];
            if self.step + AHEAD < sample.length {
                prefetch(&self.output.states[(rows[p] + AHEAD) * hidden..][..hidden]);
                if let Some(saved) = &self.output.saved {
                    prefetch(&saved[(rows[p] + AHEAD) * saved_width..][..saved_width]);
                }
            }
        }
        for vector in 0..hidden.div_ceil(W) {
            let start = vector_start(vector, W, hidden);
            let units = mix::<T, L, W, P, G>(&sums, &mixtures, hidden, start);
            for p in 0..P {
                write::<T, W, WHOLE>(
                    &mut self.output.states[rows[p] * hidden + start..][..hidden - start],
                    &units.state[p],
                );
                if let Some(saved) = &mut self.output.saved {
                    let saved = &mut saved[rows[p] * saved_width..][..saved_width];
                    let part = |index: usize| index * hidden + start..(index + 1) * hidden;
                    write::<T, W, WHOLE>(&mut saved[part(0)], &units.reset[p]);
                    if G == 3 {
                        write::<T, W, WHOLE>(&mut saved[part(1)], &units.update[p]);
                    }
                    write::<T, W, WHOLE>(&mut saved[part(G - 1)], &units.candidate[p]);
                    write::<T, W, WHOLE>(&mut saved[part(G)], of(sums[p][1], (G - 1) * hidden + start));
                }
            }
        }
        for p in 0..P {
            let state = &mut walk.states[slots[p] * walk.states_stride..][..walk.states_stride];
            copy::<T, W, WHOLE>(state, &self.output.states[rows[p] * hidden..][..hidden]);
        }
    }
}

/// A vector of units of several samples after an event.
struct Units<T, const W: usize, const P: usize> {
    reset: [[T; W]; P],
    /// Zeros in a cell without update gate.
    update: [[T; W]; P],
    candidate: [[T; W]; P],
    state: [[T; W]; P],
}

/// `sums` are of each sample the input's part, the state's part, and the state; a vector starts at `start` of each gate.
#[inline(always)]
fn mix<T: Scalar, L: Level, const W: usize, const P: usize, const G: usize>(
    sums: &[[&[T]; 3]; P],
    mixtures: &[Mixture<T>; P],
    hidden: usize,
    start: usize,
) -> Units<T, W, P> {
    let gates = |part: usize, gate: usize| {
        let mut vectors = [of::<T, W>(sums[0][part], gate * hidden + start); P];
        for p in 0..P {
            vectors[p] = of::<T, W>(sums[p][part], gate * hidden + start);
        }
        vectors
    };
    let (reset_input, reset_state) = (gates(0, 0), gates(1, 0));
    // In a cell without update gate this is the candidate's, and not used.
    let (update_input, update_state) = (gates(0, 1), gates(1, 1));
    let (candidate_input, candidate_state) = (gates(0, G - 1), gates(1, G - 1));
    let old = gates(2, 0);

    let zeros = [[T::ZERO; W]; P];
    let mut units = Units { reset: zeros, update: zeros, candidate: zeros, state: zeros };
    for w in 0..W {
        let mut sums = [T::ZERO; P];
        for p in 0..P {
            sums[p] = reset_input[p][w] + reset_state[p][w];
        }
        let resets = sigmoids::<T, L, P>(sums);
        let mut updates = [T::ZERO; P];
        if G == 3 {
            for p in 0..P {
                updates[p] = update_input[p][w] + update_state[p][w];
            }
            updates = sigmoids::<T, L, P>(updates);
        }
        for p in 0..P {
            sums[p] = multiply_add::<T, L>(resets[p], candidate_state[p][w], candidate_input[p][w]);
        }
        let candidates = tanhs::<T, L, P>(sums);
        for p in 0..P {
            let Mixture { base, rest, slope } = mixtures[p];
            let part = slope * updates[p];
            units.reset[p][w] = resets[p];
            units.update[p][w] = updates[p];
            units.candidate[p][w] = candidates[p];
            units.state[p][w] = multiply_add::<T, L>(base + part, old[p][w], (rest - part) * candidates[p]);
        }
    }
    units
}

/// The vector from `start` on.
#[inline(always)]
fn of<T, const W: usize>(numbers: &[T], start: usize) -> &[T; W] {
    vector(&numbers[start..])
}
