//! One step of all samples that have it: from the gradient of the new state to those of the gates.

use super::gates::{Saved, differentiate, sum};
use super::walk::Walk;
use crate::buffers::StateGradient;
use crate::level::{AHEAD, Level, Operation, prefetch};
use crate::memory::{read, vector_start, write};
use crate::mixture::Mixture;
use crate::partition::Sample;
use crate::scalar::Scalar;

/// The events of one step. The gates' gradients go to the record, one row per sample.
/// `WHOLE` where an input and a state fill a vector.
pub(super) struct Events<'a, 'b, T, const W: usize, const G: usize, const WHOLE: bool> {
    pub(super) walk: &'a mut Walk<'b, T>,
    pub(super) samples: &'a [Sample],
    pub(super) step: usize,
    /// Where the gradients of the task's scores go.
    pub(super) scores: Option<&'a mut [T]>,
}

impl<T: Scalar, const W: usize, const G: usize, const WHOLE: bool> Operation for Events<'_, '_, T, W, G, WHOLE> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(mut self, _: L) {
        for (slot, sample) in self.samples.iter().enumerate() {
            self.event::<L>(slot, sample);
        }
        if let Some(scores) = &mut self.scores {
            for (sample, units) in self.samples.iter().zip(self.walk.scores.chunks_exact(self.walk.stride)) {
                scores[sample.first + self.step] = sum(units);
            }
        }
    }
}

impl<T: Scalar, const W: usize, const G: usize, const WHOLE: bool> Events<'_, '_, T, W, G, WHOLE> {
    #[inline(always)]
    fn event<L: Level>(&mut self, slot: usize, sample: &Sample) {
        let walk = &mut *self.walk;
        let job = walk.job;
        let problem = job.problem;
        let (width, hidden) = (problem.width, problem.hidden);
        let row = sample.first + self.step;
        let event = walk.task.rows.start + row;
        let before = match problem.sequences.initial {
            _ if self.step > 0 => &job.states[(event - 1) * hidden..][..hidden],
            Some(initial) => &initial[(walk.task.samples.start + sample.index) * hidden..][..hidden],
            None => &job.zeros,
        };
        let saved = &job.saved[event * (G + 1) * hidden..][..(G + 1) * hidden];
        let gradient = match job.gradient {
            StateGradient::Events(gradient) => &gradient[event * hidden..][..hidden],
            StateGradient::Last(gradient) if self.step + 1 == sample.length => {
                &gradient[(walk.task.samples.start + sample.index) * hidden..][..hidden]
            }
            StateGradient::Last(_) => &job.zeros,
        };
        let score = problem.sequences.scores.map_or(T::ZERO, |scores| scores[event]);
        let mixture = Mixture::new(problem.cell, score);
        let gates = walk.record.push::<W, WHOLE>(row, &problem.sequences.inputs[event * width..][..width], before);
        let carried = &walk.carried[slot * walk.stride..][..walk.stride];
        let kept = &mut walk.kept[slot * walk.stride..][..walk.stride];
        let scores = &mut walk.scores[slot * walk.stride..][..walk.stride];

        if self.step >= AHEAD {
            job.ask_for(event - AHEAD, prefetch);
        }

        for vector in 0..hidden.div_ceil(W) {
            let start = vector_start(vector, W, hidden);
            let part = |index: usize| index * hidden + start..(index + 1) * hidden;
            let parts = Saved {
                reset: read::<T, W, WHOLE>(&saved[part(0)]),
                update: if G == 3 { read::<T, W, WHOLE>(&saved[part(1)]) } else { [T::ZERO; W] },
                candidate: read::<T, W, WHOLE>(&saved[part(G - 1)]),
                candidate_sum: read::<T, W, WHOLE>(&saved[part(G)]),
                old: read::<T, W, WHOLE>(&before[start..]),
            };
            let given = read::<T, W, WHOLE>(&gradient[start..]);
            let carried = read::<T, W, true>(&carried[start..]);
            let gradients = differentiate::<T, L, W, G>(&parts, &given, &carried, mixture);
            write::<T, W, WHOLE>(&mut gates[part(0)], &gradients.candidate);
            write::<T, W, WHOLE>(&mut gates[part(1)], &gradients.reset);
            if G == 3 {
                write::<T, W, WHOLE>(&mut gates[part(2)], &gradients.update);
            }
            write::<T, W, WHOLE>(&mut gates[part(G)], &gradients.candidate_sum);
            write::<T, W, true>(&mut kept[start..], &gradients.kept);
            write::<T, W, true>(&mut scores[start..], &gradients.score);
        }
    }
}
