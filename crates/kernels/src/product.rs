//! The two small matrix products that everything is made of. The sums stay in registers.
//!
//! The rows of a tile are written out one by one: a loop over them is sometimes turned into gathers from memory, ten
//! times slower.

use crate::activation::multiply_add;
use crate::level::Level;
use crate::scalar::Scalar;

/// A register tile: `R` rows of `V` vectors of `W` numbers, `R` at most 16.
pub(crate) type Tile<T, const W: usize, const V: usize, const R: usize> = [[[T; W]; V]; R];

/// `tile[i] += factors[i] · vectors`, row by row; `$factor` gives the factor of row `$i`.
macro_rules! add_to_rows {
    ($tile:ident, $vectors:expr, $i:ident => $factor:expr) => {
        add_to_rows!($tile, $vectors, $i => $factor, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    };
    ($tile:ident, $vectors:expr, $i:ident => $factor:expr, $($row:literal)*) => {
        const { assert!(R <= 16, "a row of the tile is not written out") };
        $(
            if $row < R {
                // Modulo R only for the rows that are not there.
                let $i = $row % R;
                add_to_row::<T, L, W, V>(&mut $tile[$i], $factor, $vectors);
            }
        )*
    };
}

/// `tile[i] += Σ_k rows[i][k] · panel[k]`; the panel holds `V · W` numbers for every `k`, and each row a number.
#[inline(always)]
pub(crate) fn rows_by_panel<T: Scalar, L: Level, const W: usize, const V: usize, const R: usize>(
    tile: &mut Tile<T, W, V, R>,
    rows: &[&[T]; R],
    panel: &[T],
) {
    let panel = panel.as_chunks::<W>().0.as_chunks::<V>().0;
    let depth = panel.len();
    // One length for all, and no iterator, which would hide that `k` is below it: no check is left in the loop.
    let mut same = *rows;
    for row in &mut same {
        *row = &row[..depth];
    }
    let mut sums = *tile;
    for k in 0..depth {
        let vectors = panel[k];
        add_to_rows!(sums, &vectors, i => same[i][k]);
    }
    *tile = sums;
}

/// As [`rows_by_panel`] for `R` rows of `B` vectors that follow each other: their places are known beforehand, and take
/// no registers.
#[inline(always)]
pub(crate) fn blocks_by_panel<T: Scalar, L: Level, const W: usize, const V: usize, const R: usize, const B: usize>(
    tile: &mut Tile<T, W, V, R>,
    rows: &[[[T; W]; B]],
    panel: &[T],
) {
    let panel = panel.as_chunks::<W>().0.as_chunks::<V>().0;
    let (rows, panel) = (&rows[..R], &panel[..B * W]);
    let mut sums = *tile;
    for b in 0..B {
        for w in 0..W {
            let vectors = panel[b * W + w];
            add_to_rows!(sums, &vectors, i => rows[i][b][w]);
        }
    }
    *tile = sums;
}

/// `Σ_k left[k][i] · right[k][v]`: the sum over rows of outer products. `left` and `right` start at the columns that
/// are wanted and are as many numbers wide as their strides say; `depth` rows are summed.
#[inline(always)]
pub(crate) fn columns_by_columns<T: Scalar, L: Level, const W: usize, const V: usize, const R: usize>(
    (left, left_stride): (&[T], usize),
    (right, right_stride): (&[T], usize),
    depth: usize,
) -> Tile<T, W, V, R> {
    let mut tile = [[[T::ZERO; W]; V]; R];
    for k in 0..depth {
        let factors = &left[k * left_stride..][..R];
        let vectors = right[k * right_stride..].as_chunks::<W>().0.as_chunks::<V>().0[0];
        add_to_rows!(tile, &vectors, i => factors[i]);
    }
    tile
}

#[inline(always)]
fn add_to_row<T: Scalar, L: Level, const W: usize, const V: usize>(
    row: &mut [[T; W]; V],
    factor: T,
    vectors: &[[T; W]],
) {
    for v in 0..V {
        for w in 0..W {
            row[v][w] = multiply_add::<T, L>(factor, vectors[v][w], row[v][w]);
        }
    }
}
