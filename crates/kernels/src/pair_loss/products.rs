//! The products of a tile. A column of a tile is one pair, and a row one unit, so that no width need be a whole number of
//! vectors.
use super::rows::Slots;
use super::turn::groups;
use crate::activation::sigmoid;
use crate::level::{Level, Operation};
use crate::memory::store;
use crate::product::{Tile, columns_by_columns, product_by_panel, rows_by_panel};
use crate::scalar::Scalar;

/// Vectors of pairs in a tile.
pub(super) const VECTORS: usize = 3;

/// A matrix by its rows; `numbers` may start at a later column.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a, T> {
    pub(super) numbers: &'a [T],
    pub(super) stride: usize,
}

/// What becomes of the sums.
pub(super) enum Finish<'a, T> {
    /// A number for each unit is added.
    Bias(&'a [T]),
    /// As [`Finish::Bias`], then the logistic function.
    BiasSigmoid(&'a [T]),
    /// The units of a tile are added, then the logistic function.
    UnitsSigmoid(&'a [T]),
    /// The output holds values `a` of the logistic function, which the sums times `a (1 − a)` replace. The sums of these
    /// over the pairs are added here, a vector for each unit.
    Slope(&'a mut [T]),
}

/// All units of a layer for one tile of pairs.
pub(super) struct Layer<'a, T> {
    pub(super) weight: Rows<'a, T>,
    /// The units that the weights multiply.
    pub(super) input: &'a [T],
    pub(super) finish: Finish<'a, T>,
    pub(super) output: &'a mut [T],
}

impl<T: Scalar> Layer<'_, T> {
    pub(super) fn run<L: Level, const W: usize, const R: usize>(mut self, level: L) {
        let units = self.output.len() / (VECTORS * W);
        let mut first = 0;
        while first < units {
            let layer = &mut self;
            first += match units - first {
                left if left >= R => level.run(LayerTile::<T, W, R> { layer, first }),
                4.. => level.run(LayerTile::<T, W, 4> { layer, first }),
                2.. => level.run(LayerTile::<T, W, 2> { layer, first }),
                _ => level.run(LayerTile::<T, W, 1> { layer, first }),
            };
        }
    }
}

/// `R` units from the first one on.
struct LayerTile<'a, 'b, T, const W: usize, const R: usize> {
    layer: &'a mut Layer<'b, T>,
    first: usize,
}

impl<T: Scalar, const W: usize, const R: usize> Operation for LayerTile<'_, '_, T, W, R> {
    type Output = usize;

    #[inline(always)]
    fn run<L: Level>(self) -> usize {
        let (layer, first) = (self.layer, self.first);
        let mut rows: [&[T]; R] = [&[]; R];
        for i in 0..R {
            rows[i] = &layer.weight.numbers[(first + i) * layer.weight.stride..];
        }
        let tile: Tile<T, W, VECTORS, R> = product_by_panel::<T, L, W, VECTORS, R>(&rows, layer.input);
        let output = &mut layer.output.as_chunks_mut::<W>().0.as_chunks_mut::<VECTORS>().0[first..first + R];
        // Rows are worked on in variables of their own: of slices the compiler does not know that they lie apart.
        match &mut layer.finish {
            Finish::Bias(bias) => {
                let bias = &bias[first..first + R];
                for i in 0..R {
                    output[i] = plus(&tile[i], &[[bias[i]; W]; VECTORS]);
                }
            }
            Finish::BiasSigmoid(bias) => {
                let bias = &bias[first..first + R];
                for i in 0..R {
                    output[i] = sigmoids::<T, L, W>(&plus(&tile[i], &[[bias[i]; W]; VECTORS]));
                }
            }
            Finish::UnitsSigmoid(units) => {
                let units = &vectors::<T, W>(units)[first..first + R];
                for i in 0..R {
                    output[i] = sigmoids::<T, L, W>(&plus(&tile[i], &units[i]));
                }
            }
            Finish::Slope(sums) => {
                let sums = &mut sums.as_chunks_mut::<W>().0[first..first + R];
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
        R
    }
}

#[inline(always)]
fn plus<T: Scalar, const W: usize>(left: &[[T; W]; VECTORS], right: &[[T; W]; VECTORS]) -> [[T; W]; VECTORS] {
    let mut sums = *left;
    for v in 0..VECTORS {
        for w in 0..W {
            sums[v][w] += right[v][w];
        }
    }
    sums
}

#[inline(always)]
fn sigmoids<T: Scalar, L: Level, const W: usize>(units: &[[T; W]; VECTORS]) -> [[T; W]; VECTORS] {
    let mut values = *units;
    for v in 0..VECTORS {
        for w in 0..W {
            values[v][w] = sigmoid::<T, L>(values[v][w]);
        }
    }
    values
}

/// The units of a tile, vector by vector.
#[inline(always)]
pub(super) fn vectors<T, const W: usize>(units: &[T]) -> &[[[T; W]; VECTORS]] {
    units.as_chunks::<W>().0.as_chunks::<VECTORS>().0
}

/// `sums[i][j] += Σ_p slopes[i][p] · rows[p][j]` over the pairs of a tile; `rows` as [`super::turn::to_rows`] lays them
/// out, and `columns` the whole vectors of a row. Tiles of one vector a row have `S` rows.
pub(super) fn add_weight_gradient<T: Scalar, L: Level, const W: usize, const R: usize, const S: usize>(
    level: L,
    slopes: &[T],
    rows: &[T],
    columns: usize,
    sums: &mut [T],
) {
    for group in groups(columns / W) {
        let column = group.first * W;
        let panel = &rows[column * VECTORS * W..][..group.vectors * W * VECTORS * W];
        let job = WeightGradient { slopes, panel, columns, column };
        match group.vectors {
            1 => job.run::<L, W, 1, S>(level, sums),
            2 => job.run::<L, W, 2, R>(level, sums),
            _ => job.run::<L, W, 3, R>(level, sums),
        }
    }
}

/// One group of columns.
#[derive(Clone, Copy)]
struct WeightGradient<'a, T> {
    slopes: &'a [T],
    panel: &'a [T],
    columns: usize,
    column: usize,
}

impl<T: Scalar> WeightGradient<'_, T> {
    fn run<L: Level, const W: usize, const V: usize, const R: usize>(self, level: L, sums: &mut [T]) {
        let units = self.slopes.len() / (VECTORS * W);
        let mut first = 0;
        while first < units {
            let sums = &mut *sums;
            first += match units - first {
                left if left >= R => level.run(WeightTile::<T, W, V, R> { job: self, first, sums }),
                4.. => level.run(WeightTile::<T, W, V, 4> { job: self, first, sums }),
                2.. => level.run(WeightTile::<T, W, V, 2> { job: self, first, sums }),
                _ => level.run(WeightTile::<T, W, V, 1> { job: self, first, sums }),
            };
        }
    }
}

struct WeightTile<'a, 'b, T, const W: usize, const V: usize, const R: usize> {
    job: WeightGradient<'a, T>,
    first: usize,
    sums: &'b mut [T],
}

impl<T: Scalar, const W: usize, const V: usize, const R: usize> Operation for WeightTile<'_, '_, T, W, V, R> {
    type Output = usize;

    #[inline(always)]
    fn run<L: Level>(self) -> usize {
        let job = self.job;
        let mut slopes: [&[T]; R] = [&[]; R];
        let mut tile: Tile<T, W, V, R> = [[[T::ZERO; W]; V]; R];
        for i in 0..R {
            slopes[i] = &job.slopes[(self.first + i) * VECTORS * W..][..VECTORS * W];
            let sums = &self.sums[(self.first + i) * job.columns + job.column..];
            tile[i] = sums.as_chunks::<W>().0.as_chunks::<V>().0[0];
        }
        rows_by_panel::<T, L, W, V, R>(&mut tile, &slopes, job.panel);
        for i in 0..R {
            let sums = &mut self.sums[(self.first + i) * job.columns + job.column..];
            sums.as_chunks_mut::<W>().0.as_chunks_mut::<V>().0[0] = tile[i];
        }
        R
    }
}

/// The gradients of a tile's input rows: `output[p][j] = Σ_i slopes[i][p] · weight[i][j]`; the weight's rows are whole
/// vectors. Tiles of one vector a row have `S` rows.
pub(super) fn input_gradient<T: Scalar, L: Level, const W: usize, const R: usize, const S: usize>(
    level: L,
    slopes: &[T],
    weight: &[T],
    output: &mut Slots<'_, T>,
) {
    let stride = output.width.next_multiple_of(W);
    for group in groups(stride / W) {
        let column = group.first * W;
        let mut first = 0;
        while first < output.count() {
            let output = &mut *output;
            let right = Rows { numbers: &weight[column..], stride };
            first += match group.vectors {
                1 => level.run(InputTile::<T, W, 1, S> { slopes, first, right, column, output }),
                2 => level.run(InputTile::<T, W, 2, R> { slopes, first, right, column, output }),
                _ => level.run(InputTile::<T, W, 3, R> { slopes, first, right, column, output }),
            };
        }
    }
}

/// `R` pairs from the first one on. Where this is more than there are, the others' slopes are read, but not written.
struct InputTile<'a, 'b, T, const W: usize, const V: usize, const R: usize> {
    slopes: &'a [T],
    first: usize,
    right: Rows<'a, T>,
    column: usize,
    output: &'a mut Slots<'b, T>,
}

impl<T: Scalar, const W: usize, const V: usize, const R: usize> Operation for InputTile<'_, '_, T, W, V, R> {
    type Output = usize;

    #[inline(always)]
    fn run<L: Level>(self) -> usize {
        const { assert!((VECTORS * W).is_multiple_of(R), "pairs beyond the tile") };
        let depth = self.slopes.len() / (VECTORS * W);
        let (left, right) = ((&self.slopes[self.first..], VECTORS * W), (self.right.numbers, self.right.stride));
        let tile = columns_by_columns::<T, L, W, V, R>(left, right, depth);
        for i in 0..R.min(self.output.count() - self.first) {
            let output = self.output.row(self.first + i);
            for v in 0..V {
                store(&mut output[self.column + v * W..], &tile[i][v]);
            }
        }
        R
    }
}
