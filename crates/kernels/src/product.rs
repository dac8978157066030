//! The two small matrix products that everything is made of. The sums stay in registers.
//!
//! The rows of a tile are written out one by one: a loop over them is sometimes turned into gathers from memory, ten
//! times slower.

use crate::activation::multiply_add;
use crate::level::Level;
use crate::scalar::Scalar;

/// A register tile: `R` rows of `V` vectors of `W` numbers, `R` at most 16.
pub(crate) type Tile<T, const W: usize, const V: usize, const R: usize> = [[[T; W]; V]; R];

/// The rows of a tile of three vectors where there are 16 registers: 12 sums, three vectors and a factor fill them.
pub(crate) const OF_THREE: usize = 4;

/// The rows of a tile of one vector where one of three has [`OF_THREE`]: each sum waits for itself, and eight keep the
/// processor busy.
pub(crate) const OF_ONE: usize = 8;

/// As [`OF_ONE`], of two vectors.
pub(crate) const OF_TWO: usize = 4;

/// As [`OF_TWO`], for sums over rows and for rows whose places are known beforehand, which leave more registers.
pub(crate) const SUMS_OF_TWO: usize = 6;

/// Runs an operation on a group of one to three vectors, with tiles of `$rows` rows, or of as many more as these few vectors
/// need; `$two` are those of two vectors.
macro_rules! run_group {
    ($level:ident, $vectors:expr, $two:ident, $operation:ident<$T:ident, $W:ident, $rows:ident, $last:tt> $fields:tt) => {
        match $vectors {
            1 if $rows == $crate::product::OF_THREE => $level.run($operation::<$T, $W, 1, { $crate::product::OF_ONE }, $last> $fields),
            1 => $level.run($operation::<$T, $W, 1, $rows, $last> $fields),
            2 if $rows == $crate::product::OF_THREE => $level.run($operation::<$T, $W, 2, { $crate::product::$two }, $last> $fields),
            2 => $level.run($operation::<$T, $W, 2, $rows, $last> $fields),
            _ => $level.run($operation::<$T, $W, 3, $rows, $last> $fields),
        }
    };
}
pub(crate) use run_group;

/// Tiles of so many rows take two steps of a product at once. More rows leave no registers for it.
const FEW: usize = 4;

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
    let mut sums = *tile;
    // One length for all, and no iterator, which would hide that `k` is below it: no check is left in the loops.
    if R > FEW {
        let mut same = *rows;
        for row in &mut same {
            *row = &row[..panel.len()];
        }
        for k in 0..panel.len() {
            let vectors = panel[k];
            add_to_rows!(sums, &vectors, i => same[i][k]);
        }
    } else {
        let (twos, rest) = panel.as_chunks::<2>();
        let mut same: [&[[T; 2]]; R] = [&[]; R];
        for i in 0..R {
            same[i] = &rows[i].as_chunks::<2>().0[..twos.len()];
        }
        for k in 0..twos.len() {
            let [one, two] = twos[k];
            add_to_rows!(sums, &one, i => same[i][k][0]);
            add_to_rows!(sums, &two, i => same[i][k][1]);
        }
        if let [vectors] = rest {
            add_to_rows!(sums, vectors, i => rows[i][2 * twos.len()]);
        }
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
    if depth == 0 {
        return tile;
    }
    // One check for all rows but the last, which may end early: none is left in the loop.
    let whole = (depth - 1) * left_stride;
    let (rows, last) = (&left[..whole], &left[whole..]);
    let (others, other) = right.split_at((depth - 1) * right_stride);
    for (left, right) in rows.chunks_exact(left_stride).zip(others.chunks_exact(right_stride)) {
        let (factors, vectors) = (&left[..R], first_of::<T, W, V>(right));
        add_to_rows!(tile, vectors, i => factors[i]);
    }
    let (factors, vectors) = (&last[..R], first_of::<T, W, V>(other));
    add_to_rows!(tile, vectors, i => factors[i]);
    tile
}

/// The first vectors of a row.
#[inline(always)]
fn first_of<T, const W: usize, const V: usize>(row: &[T]) -> &[[T; W]; V] {
    &row.as_chunks::<W>().0.as_chunks::<V>().0[0]
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
