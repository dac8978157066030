//! Means and variances of columns.

use std::ops::Range;

use crate::activation::multiply_add;
use crate::columns::{ByLanes, Cut, Span, in_columns, spans, vector, vector_mut};
use crate::level::{Level, Operation};
use crate::scalar::Scalar;

/// The mean of each column, and the sum of the squared distances from it.
pub(crate) struct Moments<T> {
    pub(crate) rows: usize,
    pub(crate) mean: Vec<T>,
    pub(crate) squares: Vec<T>,
}

impl<T: Scalar> Moments<T> {
    /// Of all rows of both: Chan and others, "Updating formulae and a pairwise algorithm for computing sample
    /// variances".
    pub(crate) fn merge(&mut self, other: &Self) {
        let all = self.rows + other.rows;
        let (share, weight) = shares::<T>(self.rows, other.rows);
        for column in 0..self.mean.len() {
            let step = other.mean[column] - self.mean[column];
            self.mean[column] += step * share;
            self.squares[column] += other.squares[column] + step * step * weight;
        }
        self.rows = all;
    }
}

/// For `rows` seen before and `more` rows: the share of the new ones in all, and the weight of the squared distance of
/// the two means.
fn shares<T: Scalar>(rows: usize, more: usize) -> (T, T) {
    let share = more as f64 / (rows + more) as f64;
    (T::from_f64(share), T::from_f64(share * rows as f64))
}

/// The moments of some rows. Within a tile, which is read twice, the mean comes first and then the distances from it:
/// nothing is cancelled.
pub(super) struct MomentsOf<'a, T> {
    pub(super) input: &'a [T],
    pub(super) width: usize,
    pub(super) cut: &'a Cut,
    pub(super) rows: Range<usize>,
}

impl<T: Scalar> ByLanes for MomentsOf<'_, T> {
    type Output = Moments<T>;

    fn run<L: Level, const W: usize>(self, level: L) -> Moments<T> {
        let width = self.width;
        let padded = width.div_ceil(W) * W;
        let mut moments = Moments { rows: 0, mean: vec![T::ZERO; padded], squares: vec![T::ZERO; padded] };
        for tile in self.input[self.rows.start * width..self.rows.end * width].chunks(self.cut.tile * width) {
            add_tile::<T, L, W>(level, tile, width, &mut moments);
        }
        let columns = |sums: &[T]| in_columns(sums, W, width);
        Moments { rows: moments.rows, mean: columns(&moments.mean), squares: columns(&moments.squares) }
    }
}

/// Adds the rows of a tile to moments in the order of the vectors' places.
pub(crate) fn add_tile<T: Scalar, L: Level, const W: usize>(
    level: L,
    tile: &[T],
    width: usize,
    moments: &mut Moments<T>,
) {
    let rows = tile.len() / width;
    let (share, weight) = shares(moments.rows, rows);
    for span in spans(width, W) {
        let mean = &mut moments.mean[span.place..];
        let squares = &mut moments.squares[span.place..];
        let part = T::from_f64(1.0 / rows as f64);
        level.run(Of::<T, W>(Tile { numbers: tile, width, span, share, weight, part, mean, squares }));
    }
    moments.rows += rows;
}

struct Tile<'a, T> {
    numbers: &'a [T],
    width: usize,
    span: Span,
    share: T,
    weight: T,
    /// 1 / rows of the tile.
    part: T,
    mean: &'a mut [T],
    squares: &'a mut [T],
}

struct Of<'a, T, const W: usize>(Tile<'a, T>);

impl<T: Scalar, const W: usize> Operation for Of<'_, T, W> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let tile = self.0;
        let mut sums: [T; W] = [T::ZERO; W];
        for row in tile.numbers.chunks_exact(tile.width) {
            let row: &[T; W] = vector(&row[tile.span.column..]);
            for w in 0..W {
                sums[w] += row[w];
            }
        }
        for w in 0..W {
            sums[w] = sums[w] * tile.part;
        }
        let mut squares: [T; W] = [T::ZERO; W];
        for row in tile.numbers.chunks_exact(tile.width) {
            let row: &[T; W] = vector(&row[tile.span.column..]);
            for w in 0..W {
                let distance = row[w] - sums[w];
                squares[w] = multiply_add::<T, L>(distance, distance, squares[w]);
            }
        }
        let (all_means, all_squares) = (vector_mut::<T, W>(tile.mean), vector_mut::<T, W>(tile.squares));
        for w in 0..W {
            let step = sums[w] - all_means[w];
            all_means[w] += step * tile.share;
            all_squares[w] += squares[w] + step * step * tile.weight;
        }
    }
}
