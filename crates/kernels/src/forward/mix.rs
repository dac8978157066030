//! From the sums of the gates to the new states.

use super::ForwardOutput;
use super::walk::Walk;
use crate::activation::{multiply_add, sigmoid, tanh};
use crate::level::{Level, Operation, prefetch};
use crate::memory::{copy, read, vector_start, write};
use crate::mixture::Mixture;
use crate::partition::Sample;
use crate::scalar::Scalar;

/// One step of all samples that have it. `WHOLE` where a state fills a vector.
pub(super) struct Mix<'a, 'b, 'c, T, const W: usize, const G: usize, const WHOLE: bool> {
    pub(super) walk: &'a mut Walk<'b, T>,
    pub(super) samples: &'a [Sample],
    pub(super) step: usize,
    /// Where the input's sums of the first sample stand.
    pub(super) event: usize,
    pub(super) output: &'a mut ForwardOutput<'c, T>,
}

impl<T: Scalar, const W: usize, const G: usize, const WHOLE: bool> Operation for Mix<'_, '_, '_, T, W, G, WHOLE> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(mut self) {
        for (slot, sample) in self.samples.iter().enumerate() {
            self.event::<L>(slot, sample);
        }
    }
}

impl<T: Scalar, const W: usize, const G: usize, const WHOLE: bool> Mix<'_, '_, '_, T, W, G, WHOLE> {
    #[inline(always)]
    fn event<L: Level>(&mut self, slot: usize, sample: &Sample) {
        let walk = &mut *self.walk;
        let problem = walk.job.problem;
        let (hidden, stride) = (problem.hidden, walk.job.panels.stride);
        let row = sample.first + self.step;
        let score = problem.sequences.scores.map_or(T::ZERO, |scores| scores[walk.task.rows.start + row]);
        let mixture = Mixture::new(problem.cell, score);
        let inputs = &walk.input_sums[(self.event + slot) * stride..][..stride];
        let sums = &walk.state_sums[slot * stride..][..stride];
        let state = &mut walk.states[slot * walk.states_stride..][..walk.states_stride];
        let new = &mut self.output.states[row * hidden..];
        let width = (G + 1) * hidden;
        let mut saved = self.output.saved.as_deref_mut().map(|saved| &mut saved[row * width..]);
        if self.step + 1 < sample.length {
            prefetch(&new[hidden..2 * hidden]);
            if let Some(saved) = &saved {
                prefetch(&saved[width..2 * width]);
            }
        }
        for vector in 0..hidden.div_ceil(W) {
            let start = vector_start(vector, W, hidden);
            let part = |index: usize| index * hidden + start..(index + 1) * hidden;
            let of = |sums: &[T], gate: usize| read::<T, W, true>(&sums[gate * hidden + start..]);
            let mut gates = [[T::ZERO; W]; 2];
            for gate in 0..G - 1 {
                let (input, state) = (of(inputs, gate), of(sums, gate));
                for w in 0..W {
                    gates[gate][w] = sigmoid::<T, L>(input[w] + state[w]);
                }
            }
            let [reset, update] = gates;
            let (input, candidate_sum) = (of(inputs, G - 1), of(sums, G - 1));
            let old = read::<T, W, true>(&state[start..]);
            let (mut candidate, mut mixed) = ([T::ZERO; W], [T::ZERO; W]);
            for w in 0..W {
                candidate[w] = tanh::<T, L>(multiply_add::<T, L>(reset[w], candidate_sum[w], input[w]));
                let part = mixture.slope * update[w];
                mixed[w] = multiply_add::<T, L>(mixture.base + part, old[w], (mixture.rest - part) * candidate[w]);
            }
            if let Some(saved) = &mut saved {
                write::<T, W, WHOLE>(&mut saved[part(0)], &reset);
                if G == 3 {
                    write::<T, W, WHOLE>(&mut saved[part(1)], &update);
                }
                write::<T, W, WHOLE>(&mut saved[part(G - 1)], &candidate);
                write::<T, W, WHOLE>(&mut saved[part(G)], &candidate_sum);
            }
            write::<T, W, WHOLE>(&mut new[start..hidden], &mixed);
        }
        copy::<T, W, WHOLE>(state, &new[..hidden]);
    }
}
