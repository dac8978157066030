//! The normalised rows, or Dice of them.

use std::ops::Range;

use super::columns::Columns;
use crate::activation::{multiply_add, sigmoid};
use crate::columns::{ByLanes, Cut, Span, spans, vector, vector_mut};
use crate::level::{Level, Operation};
use crate::scalar::Scalar;

/// The output of some rows.
pub(super) struct OutputOf<'a, T> {
    pub(super) input: &'a [T],
    pub(super) width: usize,
    pub(super) cut: &'a Cut,
    pub(super) columns: &'a Columns<T>,
    pub(super) rows: Range<usize>,
    /// Of these rows alone.
    pub(super) output: &'a mut [T],
}

impl<T: Scalar> ByLanes for OutputOf<'_, T> {
    type Output = ();

    fn run<L: Level, const W: usize>(self, level: L) {
        let width = self.width;
        let input = &self.input[self.rows.start * width..self.rows.end * width];
        let tile = self.cut.tile * width;
        for (input, output) in input.chunks(tile).zip(self.output.chunks_mut(tile)) {
            for span in spans(width, W) {
                let tile = Tile { input, output, width, span, columns: self.columns };
                level.run(Of::<T, W>(tile));
            }
        }
    }
}

struct Tile<'a, T> {
    input: &'a [T],
    output: &'a mut [T],
    width: usize,
    span: Span,
    columns: &'a Columns<T>,
}

struct Of<'a, T, const W: usize>(Tile<'a, T>);

impl<T: Scalar, const W: usize> Operation for Of<'_, T, W> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, _: L) {
        let Tile { input, output, width, span, columns } = self.0;
        let of = |numbers: &[T]| *vector::<T, W>(&numbers[span.column..]);
        let (mean, factor, shift) = (of(&columns.mean), of(&columns.factor), of(&columns.shift));
        let rows = input.chunks_exact(width).zip(output.chunks_exact_mut(width));
        if columns.alpha.is_empty() {
            for (input, output) in rows {
                let x: &[T; W] = vector(&input[span.column..]);
                let y: &mut [T; W] = vector_mut(&mut output[span.column..]);
                for w in 0..W {
                    y[w] = multiply_add::<T, L>(x[w] - mean[w], factor[w], shift[w]);
                }
            }
            return;
        }
        let alpha = of(&columns.alpha);
        for (input, output) in rows {
            let x: &[T; W] = vector(&input[span.column..]);
            let y: &mut [T; W] = vector_mut(&mut output[span.column..]);
            let mut result = [T::ZERO; W];
            for w in 0..W {
                let z = multiply_add::<T, L>(x[w] - mean[w], factor[w], shift[w]);
                let share = sigmoid::<T, L>(z);
                let slope = multiply_add::<T, L>(share, T::ONE - alpha[w], alpha[w]);
                result[w] = slope * x[w];
            }
            *y = result;
        }
    }
}
