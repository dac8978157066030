//! From the sums of the gates to the new states.

use super::ForwardOutput;
use super::walk::Walk;
use crate::activation::{multiply_add, sigmoids, tanhs};
use crate::level::{AHEAD, Level, Operation, prefetch};
use crate::memory::{Parts, Places, cells, copy};
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
        let mut sums = [Before::<T, W, WHOLE> { input: Parts::NONE, state: Parts::NONE, old: Parts::NONE }; P];
        for p in 0..P {
            slots[p] = (first + p).min(self.samples.len() - 1);
            let sample = &self.samples[slots[p]];
            rows[p] = sample.first + self.step;
            if let Some(scores) = problem.sequences.scores {
                mixtures[p] = Mixture::new(problem.cell, scores[walk.task.rows.start + rows[p]]);
            }
            sums[p] = Before {
                input: Parts::new(&walk.input_sums[(self.event + slots[p]) * stride..][..stride], G, hidden),
                state: Parts::new(&walk.state_sums[slots[p] * stride..][..stride], G, hidden),
                old: Parts::new(&walk.states[slots[p] * walk.states_stride..][..walk.states_stride], 1, hidden),
            };
            if self.step + AHEAD < sample.length {
                prefetch(&self.output.states[(rows[p] + AHEAD) * hidden..][..hidden]);
                if let Some(saved) = &self.output.saved {
                    prefetch(&saved[(rows[p] + AHEAD) * saved_width..][..saved_width]);
                }
            }
        }
        let mut states = [Places::<T, W, WHOLE>::NONE; P];
        let mut saves = [Places::<T, W, WHOLE>::NONE; P];
        let (all, kept) = (cells(self.output.states), self.output.saved.as_deref_mut().map(cells));
        for p in 0..P {
            states[p] = Places::new(&all[rows[p] * hidden..], 1, hidden);
            if let Some(saved) = kept {
                saves[p] = Places::new(&saved[rows[p] * saved_width..], G + 1, hidden);
            }
        }
        for vector in 0..hidden.div_ceil(W) {
            let units = mix::<T, L, W, P, G, WHOLE>(&sums, &mixtures, vector);
            for p in 0..P {
                states[p].set(0, vector, &units.state[p]);
            }
            if kept.is_some() {
                for p in 0..P {
                    saves[p].set(0, vector, &units.reset[p]);
                    if G == 3 {
                        saves[p].set(1, vector, &units.update[p]);
                    }
                    saves[p].set(G - 1, vector, &units.candidate[p]);
                    saves[p].set(G, vector, &sums[p].state.vector(G - 1, vector));
                }
            }
        }
        for p in 0..P {
            let state = &mut walk.states[slots[p] * walk.states_stride..][..walk.states_stride];
            copy::<T, W, WHOLE>(state, &self.output.states[rows[p] * hidden..][..hidden]);
        }
    }
}

/// What a sample's event is made of.
#[derive(Clone, Copy)]
struct Before<'a, T, const W: usize, const WHOLE: bool> {
    /// The input's part of the sums of the gates.
    input: Parts<'a, T, W, WHOLE>,
    /// The state's part.
    state: Parts<'a, T, W, WHOLE>,
    /// The state before the event.
    old: Parts<'a, T, W, WHOLE>,
}

/// A vector of units of several samples after an event.
struct Units<T, const W: usize, const P: usize> {
    reset: [[T; W]; P],
    /// Zeros in a cell without update gate.
    update: [[T; W]; P],
    candidate: [[T; W]; P],
    state: [[T; W]; P],
}

/// One vector of units of each sample.
#[inline(always)]
fn mix<T: Scalar, L: Level, const W: usize, const P: usize, const G: usize, const WHOLE: bool>(
    before: &[Before<'_, T, W, WHOLE>; P],
    mixtures: &[Mixture<T>; P],
    vector: usize,
) -> Units<T, W, P> {
    let zeros = [[T::ZERO; W]; P];
    let (mut reset_input, mut reset_state, mut update_input, mut update_state) = (zeros, zeros, zeros, zeros);
    let (mut candidate_input, mut candidate_state, mut old) = (zeros, zeros, zeros);
    for p in 0..P {
        let Before { input, state, old: before } = before[p];
        (reset_input[p], reset_state[p]) = (input.vector(0, vector), state.vector(0, vector));
        if G == 3 {
            (update_input[p], update_state[p]) = (input.vector(1, vector), state.vector(1, vector));
        }
        (candidate_input[p], candidate_state[p]) = (input.vector(G - 1, vector), state.vector(G - 1, vector));
        old[p] = before.vector(0, vector);
    }

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
