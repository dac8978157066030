//! Back through time, block by block.

use super::gates::{Saved, differentiate, sum};
use super::record::Record;
use super::{BackwardJob, BackwardOutput, Sums};
use crate::forward::BLOCK;
use crate::memory::{Buffer, load, store, vector_start};
use crate::mixture::Mixture;
use crate::panel::BackwardPanels;
use crate::partition::{Sample, Task, by_falling_length};
use crate::product::{Tile, rows_by_panel};
use crate::scalar::Scalar;

#[inline(always)]
pub(crate) fn run<T: Scalar, const FUSED: bool, const W: usize, const R: usize, const M: usize, const G: usize>(
    job: &BackwardJob<'_, T>,
    task: &Task,
    mut output: BackwardOutput<'_, T>,
) -> Sums<T> {
    let mut walk = Walk::new::<W, R>(job, task);
    if let Some(initial) = output.initial.as_deref_mut() {
        initial.fill(T::ZERO);
    }
    let samples = by_falling_length(job.problem.sequences.offsets, task);
    for block in samples.chunks(BLOCK) {
        walk.block::<FUSED, W, R, M, G>(block, &mut output);
    }
    walk.flush::<FUSED, W, R>(&mut output);
    walk.sums
}

struct Walk<'a, T> {
    job: &'a BackwardJob<'a, T>,
    task: &'a Task,
    record: Record<T>,
    sums: Sums<T>,
    /// Rows of hidden units, in whole vectors.
    stride: usize,
    /// The gradient of each sample's state that came back from its next event.
    carried: Buffer<T>,
    /// The part of it that passes an event beside the gates.
    kept: Buffer<T>,
    /// The state before the first event, where none is given.
    zeros: Vec<T>,
}

impl<'a, T: Scalar> Walk<'a, T> {
    fn new<const W: usize, const R: usize>(job: &'a BackwardJob<'a, T>, task: &'a Task) -> Self {
        let record = Record::new(job.problem, BLOCK, R, W);
        let stride = job.problem.hidden.next_multiple_of(W);
        Self {
            job,
            task,
            sums: Sums::new(&record),
            record,
            stride,
            carried: Buffer::zeros((BLOCK + R) * stride),
            kept: Buffer::zeros((BLOCK + R) * stride),
            zeros: vec![T::ZERO; job.problem.hidden],
        }
    }

    #[inline(always)]
    fn block<const FUSED: bool, const W: usize, const R: usize, const M: usize, const G: usize>(
        &mut self,
        block: &[Sample],
        output: &mut BackwardOutput<'_, T>,
    ) {
        let hidden = self.job.problem.hidden;
        self.carried.fill(T::ZERO);
        let mut active = 0;
        for step in (0..block.first().map_or(0, |longest| longest.length)).rev() {
            while active < block.len() && block[active].length > step {
                active += 1;
            }
            if self.record.rows.len() + active > self.record.capacity {
                self.flush::<FUSED, W, R>(output);
            }
            let first = self.record.rows.len();
            for (slot, sample) in block[..active].iter().enumerate() {
                self.event::<FUSED, W, G>(slot, sample, step, output);
            }
            // Before the first event only the initial states are left to receive a gradient.
            if step > 0 || output.initial.is_some() {
                self.carry::<FUSED, W, R, M>(first, active);
            }
        }
        if let Some(initial) = output.initial.as_deref_mut() {
            for (sample, carried) in block.iter().zip(self.carried.chunks_exact(self.stride)) {
                initial[sample.index * hidden..][..hidden].copy_from_slice(&carried[..hidden]);
            }
        }
    }

    /// One event of the sample in this slot of the block: its gates' gradients go to the record.
    #[inline(always)]
    fn event<const FUSED: bool, const W: usize, const G: usize>(
        &mut self,
        slot: usize,
        sample: &Sample,
        step: usize,
        output: &mut BackwardOutput<'_, T>,
    ) {
        let job = self.job;
        let problem = job.problem;
        let (width, hidden) = (problem.width, problem.hidden);
        let row = sample.first + step;
        let event = self.task.rows.start + row;
        let before = match problem.sequences.initial {
            _ if step > 0 => &job.states[(event - 1) * hidden..][..hidden],
            Some(initial) => &initial[(self.task.samples.start + sample.index) * hidden..][..hidden],
            None => &self.zeros,
        };
        let saved = &job.saved[event * (G + 1) * hidden..][..(G + 1) * hidden];
        let gradient = &job.gradient[event * hidden..][..hidden];
        let score = problem.sequences.scores.map_or(T::ZERO, |scores| scores[event]);
        let mixture = Mixture::new(problem.cell, score);

        let place = self.record.rows.len();
        self.record.push(row, &problem.sequences.inputs[event * width..][..width], before);
        let gates = self.record.gradients(place);
        let carried = &self.carried[slot * self.stride..][..self.stride];
        let kept = &mut self.kept[slot * self.stride..][..self.stride];
        let mut score_gradient = [T::ZERO; W];
        for vector in 0..hidden.div_ceil(W) {
            let start = vector_start(vector, W, hidden);
            let part = |index: usize| index * hidden + start..(index + 1) * hidden;
            let parts = Saved {
                reset: load(&saved[part(0)]),
                update: if G == 3 { load(&saved[part(1)]) } else { [T::ZERO; W] },
                candidate: load(&saved[part(G - 1)]),
                candidate_sum: load(&saved[part(G)]),
                old: load(&before[start..]),
            };
            let mut state: [T; W] = load(&gradient[start..]);
            let carried: [T; W] = load(&carried[start..]);
            for w in 0..W {
                state[w] += carried[w];
            }
            let gradients = differentiate::<T, FUSED, W, G>(&parts, &state, mixture);
            store(&mut gates[part(0)], &gradients.candidate);
            store(&mut gates[part(1)], &gradients.reset);
            if G == 3 {
                store(&mut gates[part(2)], &gradients.update);
            }
            store(&mut gates[part(G)], &gradients.candidate_sum);
            store(&mut kept[start..], &gradients.kept);
            // Units that the vector before has counted already.
            let counted = vector * W - start;
            for w in 0..W {
                score_gradient[w] += if w < counted { T::ZERO } else { gradients.score[w] };
            }
        }
        if let Some(scores) = output.scores.as_deref_mut() {
            scores[row] = sum(score_gradient);
        }
    }

    /// The gradient of the states before the events from `first` on: what was kept, and what goes through the gates.
    #[inline(always)]
    fn carry<const FUSED: bool, const W: usize, const R: usize, const M: usize>(&mut self, first: usize, count: usize) {
        let panels = &self.job.hidden_panels;
        for group in panels.groups() {
            let weight = panels.group(group);
            let mut slot = 0;
            while slot < count {
                let left = count - slot;
                let starts = |vector: usize| panels.start(group.first + vector);
                let rows = Rows { first: first + slot, slot, count: left };
                slot += match (group.vectors, left) {
                    (1, 1) => self.carry_tile::<FUSED, W, 1, 1>(&rows, weight, starts),
                    (2, 1) => self.carry_tile::<FUSED, W, 2, 1>(&rows, weight, starts),
                    (_, 1) => self.carry_tile::<FUSED, W, 3, 1>(&rows, weight, starts),
                    (1, few) if few <= M => self.carry_tile::<FUSED, W, 1, M>(&rows, weight, starts),
                    (2, few) if few <= M => self.carry_tile::<FUSED, W, 2, M>(&rows, weight, starts),
                    (_, few) if few <= M => self.carry_tile::<FUSED, W, 3, M>(&rows, weight, starts),
                    (1, _) => self.carry_tile::<FUSED, W, 1, R>(&rows, weight, starts),
                    (2, _) => self.carry_tile::<FUSED, W, 2, R>(&rows, weight, starts),
                    (_, _) => self.carry_tile::<FUSED, W, 3, R>(&rows, weight, starts),
                };
            }
        }
    }

    /// Returns how many rows of the tile were wanted.
    #[inline(always)]
    fn carry_tile<const FUSED: bool, const W: usize, const V: usize, const R: usize>(
        &mut self,
        rows: &Rows,
        weight: &[T],
        start: impl Fn(usize) -> usize,
    ) -> usize {
        let mut tile: Tile<T, W, V, R> = [[[T::ZERO; W]; V]; R];
        let mut gates: [&[T]; R] = [&[]; R];
        let right = &self.record.right;
        for i in 0..R {
            for v in 0..V {
                tile[i][v] = load(&self.kept[(rows.slot + i) * self.stride + start(v)..]);
            }
            // The state's gates come after the input's half of the candidate.
            gates[i] = &right[(rows.first + i) * self.record.right_stride + self.job.problem.hidden..];
        }
        let tile = rows_by_panel::<T, FUSED, W, V, R>(tile, gates, weight);
        let count = rows.count.min(R);
        for (i, vectors) in tile.iter().enumerate().take(count) {
            for (v, vector) in vectors.iter().enumerate() {
                store(&mut self.carried[(rows.slot + i) * self.stride + start(v)..], vector);
            }
        }
        count
    }

    /// Takes the gathered events through the large products and forgets them.
    #[inline(always)]
    fn flush<const FUSED: bool, const W: usize, const R: usize>(&mut self, output: &mut BackwardOutput<'_, T>) {
        if self.job.sums {
            self.sums.add::<FUSED, W, R>(&self.record, self.job.problem.hidden);
        }
        if let (Some(panels), Some(inputs)) = (&self.job.input_panels, output.inputs.as_deref_mut()) {
            self.input_gradients::<FUSED, W, R>(panels, inputs);
        }
        self.record.rows.clear();
    }

    #[inline(always)]
    fn input_gradients<const FUSED: bool, const W: usize, const R: usize>(
        &self,
        panels: &BackwardPanels<T>,
        inputs: &mut [T],
    ) {
        for group in panels.groups() {
            let weight = panels.group(group);
            let start = |vector: usize| panels.start(group.first + vector);
            for first in (0..self.record.rows.len()).step_by(R) {
                match group.vectors {
                    1 => self.input_tile::<FUSED, W, 1, R>(first, weight, start, inputs),
                    2 => self.input_tile::<FUSED, W, 2, R>(first, weight, start, inputs),
                    _ => self.input_tile::<FUSED, W, 3, R>(first, weight, start, inputs),
                }
            }
        }
    }

    #[inline(always)]
    fn input_tile<const FUSED: bool, const W: usize, const V: usize, const R: usize>(
        &self,
        first: usize,
        weight: &[T],
        start: impl Fn(usize) -> usize,
        inputs: &mut [T],
    ) {
        let width = self.job.problem.width;
        let mut gates: [&[T]; R] = [&[]; R];
        for (i, row) in gates.iter_mut().enumerate() {
            *row = &self.record.right[(first + i) * self.record.right_stride..];
        }
        let tile = rows_by_panel::<T, FUSED, W, V, R>([[[T::ZERO; W]; V]; R], gates, weight);
        for (vectors, &row) in tile.iter().zip(&self.record.rows[first..]) {
            for (v, vector) in vectors.iter().enumerate() {
                store(&mut inputs[row * width + start(v)..(row + 1) * width], vector);
            }
        }
    }
}

/// Consecutive events of the record and the slots of their samples.
struct Rows {
    first: usize,
    slot: usize,
    count: usize,
}
