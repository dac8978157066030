//! Means and variances of columns.

use std::ops::Range;

use crate::activation::multiply_add;
use crate::columns::{ByLanes, Cut, in_columns, spans, vector};
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
    let part = T::from_f64(1.0 / rows as f64);
    let mut spans = spans(width, W);
    while let Some(span) = spans.next() {
        let mean = &mut moments.mean[span.place..];
        let squares = &mut moments.squares[span.place..];
        let mut tile = Tile { numbers: tile, width, columns: [span.column; SIDE], share, weight, part, mean, squares };
        if spans.len() + 1 < SIDE {
            level.run(Of::<T, W, 1>(tile));
            continue;
        }
        for (column, next) in tile.columns[1..].iter_mut().zip(&mut spans) {
            *column = next.column;
        }
        level.run(Of::<T, W, SIDE>(tile));
    }
    moments.rows += rows;
}

/// Vectors of columns that are summed side by side: each sum waits for itself. Of four the compiler made single numbers.
const SIDE: usize = 2;

struct Tile<'a, T> {
    numbers: &'a [T],
    width: usize,
    /// Where the vectors stand in a row; their sums follow each other.
    columns: [usize; SIDE],
    share: T,
    weight: T,
    /// 1 / rows of the tile.
    part: T,
    mean: &'a mut [T],
    squares: &'a mut [T],
}

/// Of the first `V` vectors.
struct Of<'a, T, const W: usize, const V: usize>(Tile<'a, T>);

impl<T: Scalar, const W: usize, const V: usize> Operation for Of<'_, T, W, V> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, _: L) {
        let Tile { numbers, width, columns, share, weight, part, mean, squares } = self.0;
        let mut sums = [[T::ZERO; W]; V];
        for row in numbers.chunks_exact(width) {
            for v in 0..V {
                let row: &[T; W] = vector(&row[columns[v]..]);
                for w in 0..W {
                    sums[v][w] += row[w];
                }
            }
        }
        for v in 0..V {
            for w in 0..W {
                sums[v][w] = sums[v][w] * part;
            }
        }
        let mut distances = [[T::ZERO; W]; V];
        for row in numbers.chunks_exact(width) {
            for v in 0..V {
                let row: &[T; W] = vector(&row[columns[v]..]);
                for w in 0..W {
                    let distance = row[w] - sums[v][w];
                    distances[v][w] = multiply_add::<T, L>(distance, distance, distances[v][w]);
                }
            }
        }
        let (means, squares) = (mean.as_chunks_mut::<W>().0, squares.as_chunks_mut::<W>().0);
        for (v, (mean, squares)) in means.iter_mut().zip(squares).enumerate().take(V) {
            for w in 0..W {
                let step = sums[v][w] - mean[w];
                mean[w] += step * share;
                squares[w] += distances[v][w] + step * step * weight;
            }
        }
    }
}
