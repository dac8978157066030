//! One step of all samples that have it: from the gradient of the new state to those of the gates.

use super::gates::{Saved, differentiate, sum};
use super::walk::Walk;
use crate::buffers::StateGradient;
use crate::level::{AHEAD, Level, Operation, prefetch};
use crate::memory::{Parts, Places, cells};
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
        if self.step >= AHEAD {
            job.ask_for(event - AHEAD, prefetch);
        }

        // Rows of whole vectors, of which only the numbers of units are used.
        let units = slot * walk.stride..(slot + 1) * walk.stride;
        let (given, before) =
            (Parts::<T, W, WHOLE>::new(gradient, 1, hidden), Parts::<T, W, WHOLE>::new(before, 1, hidden));
        let carried = Parts::<T, W, WHOLE>::new(&walk.carried[units.clone()], 1, hidden);
        let kept = Places::<T, W, WHOLE>::new(cells(&mut walk.kept[units.clone()]), 1, hidden);
        let scores = Places::<T, W, WHOLE>::new(cells(&mut walk.scores[units]), 1, hidden);
        let saved = Parts::<T, W, WHOLE>::new(saved, G + 1, hidden);
        let gates = Places::<T, W, WHOLE>::new(cells(gates), G + 1, hidden);
        for vector in 0..hidden.div_ceil(W) {
            let parts = Saved {
                reset: saved.vector(0, vector),
                update: if G == 3 { saved.vector(1, vector) } else { [T::ZERO; W] },
                candidate: saved.vector(G - 1, vector),
                candidate_sum: saved.vector(G, vector),
                old: before.vector(0, vector),
            };
            let (given, carried) = (given.vector(0, vector), carried.vector(0, vector));
            let gradients = differentiate::<T, L, W, G>(&parts, &given, &carried, mixture);
            gates.set(0, vector, &gradients.candidate);
            gates.set(1, vector, &gradients.reset);
            if G == 3 {
                gates.set(2, vector, &gradients.update);
            }
            gates.set(G, vector, &gradients.candidate_sum);
            kept.set(0, vector, &gradients.kept);
            scores.set(0, vector, &gradients.score);
        }
    }
}
