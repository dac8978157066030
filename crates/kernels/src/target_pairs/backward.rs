//! The gradients of the map over the pairs of some samples.

use super::Job;
use super::panels::{Along, Blend, Panels};
use super::tiled::{Columns, ColumnsByColumns, RowsByPanels, Tiled, run_tiled};
use crate::activation::{inner_product, multiply_add};
use crate::level::{Level, Operation};
use crate::memory::Buffer;
use crate::partition::Task;
use crate::scalar::Scalar;
use crate::tasks::Pieces;

/// One task's part of the gradients of both weights, `[D, H]`.
pub(super) struct Sums<T> {
    pub(super) weight: Buffer<T>,
    pub(super) product_weight: Buffer<T>,
}

impl<T: Scalar> Sums<T> {
    pub(super) fn new(width: usize, hidden: usize) -> Self {
        Self { weight: Buffer::zeros(width * hidden), product_weight: Buffer::zeros(width * hidden) }
    }

    /// Adds another task's part.
    pub(super) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in [(&mut self.weight, &other.weight), (&mut self.product_weight, &other.product_weight)] {
            for (mine, &theirs) in mine.iter_mut().zip(theirs.iter()) {
                *mine += theirs;
            }
        }
    }
}

/// What a task writes, of its samples and rows alone.
pub(super) struct BackwardOutput<'a, T> {
    pub(super) base: Pieces<'a, T>,
    pub(super) events: Pieces<'a, T>,
    pub(super) candidate: Pieces<'a, T>,
}

pub(super) struct BackwardTask<'a, T> {
    pub(super) job: &'a Job<'a, T>,
    /// `W` and `P`, `[H, D]`.
    pub(super) by_hidden: &'a [Panels<T>; 2],
    /// `P` on its side, `[D, H]`; empty without a product.
    pub(super) turned: &'a [T],
    /// How the columns of `[N, H]` are cut.
    pub(super) groups: &'a [Columns],
    pub(super) task: &'a Task,
    /// `[N, H]`
    pub(super) gradient: &'a [T],
    /// Whether a sum over events is wanted.
    pub(super) summed: bool,
}

impl<T: Scalar> BackwardTask<'_, T> {
    pub(super) fn run(self, mut output: BackwardOutput<'_, T>) -> Sums<T> {
        let job = self.job;
        let mut sums = Sums::new(job.width, job.hidden);
        let mut outer = Buffer::zeros(job.width * job.hidden);
        let mut blended = Buffer::zeros(self.by_hidden[0].weight().len());
        blended.copy_from_slice(self.by_hidden[0].weight());
        let zeros = vec![T::ZERO; job.width];
        for sample in self.task.samples.clone() {
            let rows = job.pairs.offsets[sample] as usize..job.pairs.offsets[sample + 1] as usize;
            let candidate = job.pairs.product.map(|(candidate, _)| &candidate[sample * job.width..][..job.width]);
            let of = Sample {
                events: &job.pairs.events[rows.start * job.width..rows.end * job.width],
                gradient: &self.gradient[rows.start * job.hidden..rows.end * job.hidden],
                candidate,
            };
            if let Some(base) = output.base.take(job.hidden) {
                run_tiled::<T>(job.set, job.hidden, ColumnSums { rows: of.gradient, sums: base });
            }
            if let Some(events) = output.events.take(of.events.len()) {
                self.by_events(&of, &zeros, &mut blended, events);
            }
            if self.summed {
                let by_candidate = output.candidate.take(job.width).unwrap_or_default();
                self.by_weights(&of, &mut outer, &mut sums, by_candidate);
            }
        }
        sums
    }

    /// The gradient of the sample's events.
    fn by_events(&self, sample: &Sample<'_, T>, zeros: &[T], blended: &mut [T], output: &mut [T]) {
        if sample.events.is_empty() {
            return;
        }
        let [weight, product] = self.by_hidden;
        if let Some(candidate) = sample.candidate {
            let blend = Blend { weight, product, candidate, along: Along::Columns, output: blended };
            run_tiled::<T>(self.job.set, self.job.width, blend);
        }
        let product = RowsByPanels {
            rows: sample.gradient,
            stride: self.job.hidden,
            panels: weight,
            weight: blended,
            start: zeros,
            output,
        };
        run_tiled::<T>(self.job.set, self.job.width, product);
    }

    /// What the sample adds to the gradients of the weights, and the gradient of its candidate, unless that is empty.
    fn by_weights(&self, sample: &Sample<'_, T>, outer: &mut [T], sums: &mut Sums<T>, by_candidate: &mut [T]) {
        if sample.events.is_empty() {
            by_candidate.fill(T::ZERO);
            return;
        }
        let job = self.job;
        let product = ColumnsByColumns {
            left: sample.events,
            left_width: job.width,
            right: sample.gradient,
            right_width: job.hidden,
            groups: self.groups,
            output: outer,
        };
        run_tiled::<T>(job.set, job.hidden, product);
        let (hidden, candidate) = (job.hidden, sample.candidate);
        run_tiled::<T>(job.set, hidden, Absorb { outer, hidden, candidate, turned: self.turned, sums, by_candidate });
    }
}

/// What the backward pass reads of one sample.
struct Sample<'a, T> {
    /// `[n, D]`
    events: &'a [T],
    /// `[n, H]`
    gradient: &'a [T],
    /// `[D]`
    candidate: Option<&'a [T]>,
}

/// The sum of each column of `rows`.
struct ColumnSums<'a, T> {
    rows: &'a [T],
    sums: &'a mut [T],
}

impl<T: Scalar> Tiled for ColumnSums<'_, T> {
    fn run<L: Level, const W: usize, const R: usize, const M: usize>(self, level: L) {
        level.run(self);
    }
}

impl<T: Scalar> Operation for ColumnSums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, _: L) {
        self.sums.fill(T::ZERO);
        for row in self.rows.chunks_exact(self.sums.len()) {
            for (sum, &number) in self.sums.iter_mut().zip(row) {
                *sum += number;
            }
        }
    }
}

/// The products `Σ_n k[n] g[n]ᵀ` of a sample, `[D, H]`, and where they go: for `W` as they are, for `P` times the
/// candidate, and for the candidate times `P`.
struct Absorb<'a, T> {
    outer: &'a [T],
    hidden: usize,
    candidate: Option<&'a [T]>,
    turned: &'a [T],
    sums: &'a mut Sums<T>,
    /// Empty where it is not wanted.
    by_candidate: &'a mut [T],
}

impl<T: Scalar> Tiled for Absorb<'_, T> {
    fn run<L: Level, const W: usize, const R: usize, const M: usize>(self, level: L) {
        level.run(AbsorbBy::<T, W>(self));
    }
}

struct AbsorbBy<'a, T, const W: usize>(Absorb<'a, T>);

impl<T: Scalar, const W: usize> Operation for AbsorbBy<'_, T, W> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, _: L) {
        let Absorb { outer, hidden, candidate, turned, sums, by_candidate } = self.0;
        let rows = sums.weight.chunks_exact_mut(hidden);
        for (sums, outer) in rows.zip(outer.chunks_exact(hidden)) {
            for (sum, &number) in sums.iter_mut().zip(outer) {
                *sum += number;
            }
        }
        let Some(candidate) = candidate else {
            by_candidate.fill(T::ZERO);
            return;
        };
        let rows = sums.product_weight.chunks_exact_mut(hidden).zip(outer.chunks_exact(hidden));
        for ((sums, outer), &scale) in rows.zip(candidate) {
            for (sum, &number) in sums.iter_mut().zip(outer) {
                *sum = multiply_add::<T, L>(number, scale, *sum);
            }
        }
        let rows = outer.chunks_exact(hidden).zip(turned.chunks_exact(hidden));
        for ((outer, weight), result) in rows.zip(by_candidate) {
            *result = inner_product::<T, L, W>(outer, weight);
        }
    }
}
