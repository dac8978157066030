//! The gradients of the normalised rows, or of Dice of them.
//!
//! With `x̂ = (x − mean) · inverse`, `z = x̂ · scale + shift` and the gradient `g` of the output, a first pass gives the
//! gradient `δ` of `z`, what flows straight back to `x`, and for each column `Σ δ`, `Σ δ · x̂` and that of `α`. Where mean
//! and variance are those of the rows, a second pass takes `factor · (Σ δ + x̂ · Σ δ · x̂) / N` away.

use std::ops::Range;

use super::columns::Columns;
use crate::activation::{multiply_add, sigmoid};
use crate::columns::{ByLanes, Cut, Span, in_columns, spans, vector, vector_mut};
use crate::level::{Level, Operation};
use crate::scalar::Scalar;

/// Sums over rows, for each column.
pub(super) struct Sums<T> {
    /// `Σ δ`
    pub(super) shift: Vec<T>,
    /// `Σ δ · x̂`
    pub(super) scale: Vec<T>,
    pub(super) alpha: Vec<T>,
}

impl<T: Scalar> Sums<T> {
    pub(super) fn zeros(width: usize) -> Self {
        let zeros = || vec![T::ZERO; width];
        Self { shift: zeros(), scale: zeros(), alpha: zeros() }
    }

    pub(super) fn add(&mut self, other: &Self) {
        let pairs = [(&mut self.shift, &other.shift), (&mut self.scale, &other.scale), (&mut self.alpha, &other.alpha)];
        for (sums, more) in pairs {
            for (sum, &more) in sums.iter_mut().zip(more) {
                *sum += more;
            }
        }
    }
}

/// The first pass over some rows.
pub(super) struct FirstPass<'a, T> {
    pub(super) input: &'a [T],
    pub(super) gradient: &'a [T],
    pub(super) width: usize,
    pub(super) cut: &'a Cut,
    pub(super) columns: &'a Columns<T>,
    pub(super) rows: Range<usize>,
    /// Of these rows alone.
    pub(super) output: &'a mut [T],
}

impl<T: Scalar> ByLanes for FirstPass<'_, T> {
    type Output = Sums<T>;

    fn run<L: Level, const W: usize>(self, level: L) -> Sums<T> {
        let width = self.width;
        let span = self.rows.start * width..self.rows.end * width;
        let tile = self.cut.tile * width;
        let mut sums = Sums::zeros(width.div_ceil(W) * W);
        let rows = self.input[span.clone()].chunks(tile).zip(self.gradient[span].chunks(tile));
        for ((input, gradient), output) in rows.zip(self.output.chunks_mut(tile)) {
            for span in spans(width, W) {
                let tile = First { input, gradient, output, width, span, columns: self.columns, sums: &mut sums };
                level.run(FirstOf::<T, W>(tile));
            }
        }
        let columns = |sums: &[T]| in_columns(sums, W, width);
        Sums { shift: columns(&sums.shift), scale: columns(&sums.scale), alpha: columns(&sums.alpha) }
    }
}

struct First<'a, T> {
    input: &'a [T],
    gradient: &'a [T],
    output: &'a mut [T],
    width: usize,
    span: Span,
    columns: &'a Columns<T>,
    sums: &'a mut Sums<T>,
}

struct FirstOf<'a, T, const W: usize>(First<'a, T>);

impl<T: Scalar, const W: usize> Operation for FirstOf<'_, T, W> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, _: L) {
        let First { input, gradient, output, width, span, columns, sums } = self.0;
        let of = |numbers: &[T]| *vector::<T, W>(&numbers[span.column..]);
        let (mean, factor, shift) = (of(&columns.mean), of(&columns.factor), of(&columns.shift));
        let zeros: [T; W] = [T::ZERO; W];
        // Of the distance from the mean; `inverse` follows at the end.
        let (mut by_shift, mut by_distance, mut by_alpha) = (zeros, zeros, zeros);
        let rows = input.chunks_exact(width).zip(gradient.chunks_exact(width)).zip(output.chunks_exact_mut(width));
        if columns.alpha.is_empty() {
            for ((input, gradient), output) in rows {
                let x: &[T; W] = vector(&input[span.column..]);
                let g: &[T; W] = vector(&gradient[span.column..]);
                let out: &mut [T; W] = vector_mut(&mut output[span.column..]);
                for w in 0..W {
                    let distance = x[w] - mean[w];
                    by_shift[w] += g[w];
                    by_distance[w] = multiply_add::<T, L>(g[w], distance, by_distance[w]);
                    out[w] = g[w] * factor[w];
                }
            }
        } else {
            let alpha = of(&columns.alpha);
            for ((input, gradient), output) in rows {
                let x: &[T; W] = vector(&input[span.column..]);
                let g: &[T; W] = vector(&gradient[span.column..]);
                let out: &mut [T; W] = vector_mut(&mut output[span.column..]);
                let mut result = [T::ZERO; W];
                for w in 0..W {
                    let distance = x[w] - mean[w];
                    let share = sigmoid::<T, L>(multiply_add::<T, L>(distance, factor[w], shift[w]));
                    let (rest, straight) = (T::ONE - share, T::ONE - alpha[w]);
                    // What a unit of α adds to the output, times the gradient.
                    let by = g[w] * x[w] * rest;
                    let delta = by * share * straight;
                    by_alpha[w] += by;
                    by_shift[w] += delta;
                    by_distance[w] = multiply_add::<T, L>(delta, distance, by_distance[w]);
                    let slope = multiply_add::<T, L>(share, straight, alpha[w]);
                    result[w] = multiply_add::<T, L>(delta, factor[w], slope * g[w]);
                }
                *out = result;
            }
        }
        let inverse = of(&columns.inverse);
        let add = |sums: &mut [T], more: &[T; W]| {
            let sums: &mut [T; W] = vector_mut(&mut sums[span.place..]);
            for w in 0..W {
                sums[w] += more[w];
            }
        };
        for w in 0..W {
            by_distance[w] = by_distance[w] * inverse[w];
        }
        add(&mut sums.shift, &by_shift);
        add(&mut sums.scale, &by_distance);
        add(&mut sums.alpha, &by_alpha);
    }
}

/// The second pass over some rows.
pub(super) struct SecondPass<'a, T> {
    pub(super) input: &'a [T],
    pub(super) width: usize,
    pub(super) cut: &'a Cut,
    pub(super) mean: &'a [T],
    /// For each column what goes off all rows.
    pub(super) base: &'a [T],
    /// For each column what goes off with the distance from the mean.
    pub(super) slope: &'a [T],
    pub(super) rows: Range<usize>,
    /// Of these rows alone: what the first pass left there.
    pub(super) output: &'a mut [T],
}

impl<T: Scalar> ByLanes for SecondPass<'_, T> {
    type Output = ();

    fn run<L: Level, const W: usize>(self, level: L) {
        let width = self.width;
        let tile = self.cut.tile * width;
        let input = &self.input[self.rows.start * width..self.rows.end * width];
        for (input, output) in input.chunks(tile).zip(self.output.chunks_mut(tile)) {
            level.run(Second { input, output, width, mean: self.mean, base: self.base, slope: self.slope });
        }
    }
}

struct Second<'a, T> {
    input: &'a [T],
    output: &'a mut [T],
    width: usize,
    mean: &'a [T],
    base: &'a [T],
    slope: &'a [T],
}

impl<T: Scalar> Operation for Second<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, _: L) {
        for (x, out) in self.input.chunks_exact(self.width).zip(self.output.chunks_exact_mut(self.width)) {
            let columns = self.mean.iter().zip(self.base).zip(self.slope);
            for ((out, &x), ((&mean, &base), &slope)) in out.iter_mut().zip(x).zip(columns) {
                *out = *out - multiply_add::<T, L>(x - mean, slope, base);
            }
        }
    }
}
