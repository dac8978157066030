//! A layer, forward or on its side on the way back: all its units for one tile of pairs.

use super::products::{VECTORS, vectors};
use crate::activation::sigmoids_of;
use crate::level::{Level, Operation};
use crate::product::Tile;
use crate::scalar::Scalar;

/// A matrix by its rows; `numbers` may start at a later column.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a, T> {
    pub(super) numbers: &'a [T],
    pub(super) stride: usize,
}

/// What the sums of a tile of units start with, and what becomes of them. It is part of a tile's type: a tile that can
/// end in several ways is put down in memory before.
pub(super) trait Frame<T: Scalar> {
    /// The sums of `R` units from the first one on, before the products are added.
    #[inline(always)]
    fn start<const W: usize, const R: usize>(&self, _first: usize) -> Tile<T, W, VECTORS, R> {
        [[[T::ZERO; W]; VECTORS]; R]
    }

    /// Writes the sums to the output's `R` units.
    #[inline(always)]
    fn finish<const W: usize, const R: usize>(
        &mut self,
        _first: usize,
        tile: &Tile<T, W, VECTORS, R>,
        output: &mut [[[T; W]; VECTORS]],
    ) {
        output.copy_from_slice(tile);
    }
}

/// Nothing but the sums.
pub(super) struct Plain;

impl<T: Scalar> Frame<T> for Plain {}

/// A number for each unit is added.
pub(super) struct Bias<'a, T>(pub(super) &'a [T]);

impl<T: Scalar> Frame<T> for Bias<'_, T> {
    #[inline(always)]
    fn start<const W: usize, const R: usize>(&self, first: usize) -> Tile<T, W, VECTORS, R> {
        let bias = &self.0[first..first + R];
        let mut tile = [[[T::ZERO; W]; VECTORS]; R];
        for i in 0..R {
            tile[i] = [[bias[i]; W]; VECTORS];
        }
        tile
    }
}

/// The units of another tile are added.
pub(super) struct Units<'a, T>(pub(super) &'a [T]);

impl<T: Scalar> Frame<T> for Units<'_, T> {
    #[inline(always)]
    fn start<const W: usize, const R: usize>(&self, first: usize) -> Tile<T, W, VECTORS, R> {
        let units = &vectors::<T, W>(self.0)[first..first + R];
        let mut tile = [[[T::ZERO; W]; VECTORS]; R];
        tile.copy_from_slice(units);
        tile
    }
}

/// The output holds values `a` of the logistic function, which the sums times `a (1 − a)` replace. The sums of these over
/// the pairs are added here, a vector for each unit.
pub(super) struct Slopes<'a, T>(pub(super) &'a mut [T]);

impl<T: Scalar> Frame<T> for Slopes<'_, T> {
    #[inline(always)]
    fn finish<const W: usize, const R: usize>(
        &mut self,
        first: usize,
        tile: &Tile<T, W, VECTORS, R>,
        output: &mut [[[T; W]; VECTORS]],
    ) {
        let sums = &mut self.0.as_chunks_mut::<W>().0[first..first + R];
        // Rows are worked on in variables of their own: of slices the compiler does not know that they lie apart.
        for i in 0..R {
            let (mut slopes, mut sum) = (output[i], sums[i]);
            for v in 0..VECTORS {
                for w in 0..W {
                    let value = slopes[v][w];
                    slopes[v][w] = tile[i][v][w] * value * (T::ONE - value);
                    sum[w] += slopes[v][w];
                }
            }
            output[i] = slopes;
            sums[i] = sum;
        }
    }
}

/// All units of a layer for one tile of pairs.
pub(super) struct Layer<'a, T, F> {
    pub(super) weight: Rows<'a, T>,
    /// The units that the weights multiply.
    pub(super) input: &'a [T],
    pub(super) frame: F,
    pub(super) output: &'a mut [T],
}

impl<T: Scalar, F: Frame<T>> Layer<'_, T, F> {
    pub(super) fn run<L: Level, const W: usize, const R: usize>(mut self, level: L) {
        let units = self.output.len() / (VECTORS * W);
        let mut first = 0;
        while first < units {
            let layer = &mut self;
            first += match units - first {
                left if left >= R => level.run(LayerTile::<T, F, W, R> { layer, first }),
                4.. => level.run(LayerTile::<T, F, W, 4> { layer, first }),
                2.. => level.run(LayerTile::<T, F, W, 2> { layer, first }),
                _ => level.run(LayerTile::<T, F, W, 1> { layer, first }),
            };
        }
    }
}

/// `R` units from the first one on.
struct LayerTile<'a, 'b, T, F, const W: usize, const R: usize> {
    layer: &'a mut Layer<'b, T, F>,
    first: usize,
}

impl<T: Scalar, F: Frame<T>, const W: usize, const R: usize> Operation for LayerTile<'_, '_, T, F, W, R> {
    type Output = usize;

    #[inline(always)]
    fn run<L: Level>(self, level: L) -> usize {
        let (layer, first) = (self.layer, self.first);
        let mut rows: [&[T]; R] = [&[]; R];
        for i in 0..R {
            rows[i] = &layer.weight.numbers[(first + i) * layer.weight.stride..];
        }
        let mut tile = layer.frame.start::<W, R>(first);
        level.rows_by_panel(&mut tile, &rows, layer.input);
        let output = &mut layer.output.as_chunks_mut::<W>().0.as_chunks_mut::<VECTORS>().0[first..first + R];
        layer.frame.finish::<W, R>(first, &tile, output);
        R
    }
}

/// The logistic function of each number of whole vectors, in place.
pub(super) struct Sigmoids<'a, T, const W: usize>(pub(super) &'a mut [T]);

impl<T: Scalar, const W: usize> Operation for Sigmoids<'_, T, W> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, _: L) {
        sigmoids_of::<T, L, W>(self.0.as_chunks_mut::<W>().0);
    }
}
