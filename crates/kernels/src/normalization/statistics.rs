//! Means and variances of columns.

use std::ops::Range;

use crate::activation::multiply_add;
use crate::columns::{ByLanes, Cut, in_columns, spans, vector};
use crate::level::{Level, Operation, one_by_one};
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
            add_columns::<T, L, W, 1>(level, tile);
            continue;
        }
        for (column, next) in tile.columns[1..].iter_mut().zip(&mut spans) {
            *column = next.column;
        }
        add_columns::<T, L, W, SIDE>(level, tile);
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

/// Adds the first `V` vectors of a tile. Sums that lived through the loops of several steps would become single numbers:
/// each step is a function, and what it gives lies in memory before the next.
fn add_columns<T: Scalar, L: Level, const W: usize, const V: usize>(level: L, tile: Tile<'_, T>) {
    let mean = level.run(Means::<T, W, V>(&tile));
    let squares = level.run(Squares::<T, W, V>(&tile, &mean));
    level.run(Merge::<T, W, V>(tile, &mean, &squares));
}

/// The means of the first `V` vectors.
struct Means<'a, 'b, T, const W: usize, const V: usize>(&'a Tile<'b, T>);

impl<T: Scalar, const W: usize, const V: usize> Operation for Means<'_, '_, T, W, V> {
    type Output = [[T; W]; V];

    #[inline(always)]
    fn run<L: Level>(self, _: L) -> [[T; W]; V] {
        let &Tile { numbers, width, columns, part, .. } = self.0;
        let mut sums = [[T::ZERO; W]; V];
        for row in numbers.chunks_exact(width) {
            one_by_one();
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
        sums
    }
}

/// The sums of the squared distances from the means.
struct Squares<'a, 'b, T, const W: usize, const V: usize>(&'a Tile<'b, T>, &'a [[T; W]; V]);

impl<T: Scalar, const W: usize, const V: usize> Operation for Squares<'_, '_, T, W, V> {
    type Output = [[T; W]; V];

    #[inline(always)]
    fn run<L: Level>(self, _: L) -> [[T; W]; V] {
        let Self(&Tile { numbers, width, columns, .. }, means) = self;
        let mean = *means;
        let mut sums = [[T::ZERO; W]; V];
        for row in numbers.chunks_exact(width) {
            one_by_one();
            for v in 0..V {
                let row: &[T; W] = vector(&row[columns[v]..]);
                for w in 0..W {
                    let distance = row[w] - mean[v][w];
                    sums[v][w] = multiply_add::<T, L>(distance, distance, sums[v][w]);
                }
            }
        }
        sums
    }
}

/// Adds a tile's means and squares to those of all rows.
struct Merge<'a, 'b, T, const W: usize, const V: usize>(Tile<'b, T>, &'a [[T; W]; V], &'a [[T; W]; V]);

impl<T: Scalar, const W: usize, const V: usize> Operation for Merge<'_, '_, T, W, V> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, _: L) {
        let Self(Tile { share, weight, mean, squares, .. }, means, distances) = self;
        let all = mean.as_chunks_mut::<W>().0.iter_mut().zip(squares.as_chunks_mut::<W>().0);
        for ((mean, squares), (of_tile, distances)) in all.zip(means.iter().zip(distances)) {
            for w in 0..W {
                let step = of_tile[w] - mean[w];
                mean[w] += step * share;
                squares[w] += distances[w] + step * step * weight;
            }
        }
    }
}
