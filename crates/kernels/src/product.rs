//! The two small matrix products that everything is made of. The sums stay in registers.

use crate::activation::multiply_add;
use crate::scalar::Scalar;

/// A register tile: `R` rows of `V` vectors of `W` numbers.
pub(crate) type Tile<T, const W: usize, const V: usize, const R: usize> = [[[T; W]; V]; R];

/// `tile[i] + Σ_k rows[i][k] · panel[k]`; the panel holds `V · W` numbers for every `k`, and each row a number.
#[inline(always)]
pub(crate) fn rows_by_panel<T: Scalar, const FUSED: bool, const W: usize, const V: usize, const R: usize>(
    mut tile: Tile<T, W, V, R>,
    mut rows: [&[T]; R],
    panel: &[T],
) -> Tile<T, W, V, R> {
    let panel = panel.as_chunks::<W>().0.as_chunks::<V>().0;
    // One length for all: no check is left in the loop.
    for row in &mut rows {
        *row = &row[..panel.len()];
    }
    for (k, vectors) in panel.iter().enumerate() {
        for i in 0..R {
            let factor = rows[i][k];
            for v in 0..V {
                for w in 0..W {
                    tile[i][v][w] = multiply_add::<T, FUSED>(factor, vectors[v][w], tile[i][v][w]);
                }
            }
        }
    }
    tile
}

/// `Σ_k left[k][i] · right[k][v]`: the sum over rows of outer products. `left` and `right` start at the columns that
/// are wanted and are as many numbers wide as their strides say; `depth` rows are summed.
#[inline(always)]
pub(crate) fn columns_by_columns<T: Scalar, const FUSED: bool, const W: usize, const V: usize, const R: usize>(
    (left, left_stride): (&[T], usize),
    (right, right_stride): (&[T], usize),
    depth: usize,
) -> Tile<T, W, V, R> {
    let mut tile = [[[T::ZERO; W]; V]; R];
    for (left, right) in left.chunks(left_stride).zip(right.chunks(right_stride)).take(depth) {
        let factors = &left[..R];
        let vectors = &right.as_chunks::<W>().0[..V];
        for i in 0..R {
            for v in 0..V {
                for w in 0..W {
                    tile[i][v][w] = multiply_add::<T, FUSED>(factors[i], vectors[v][w], tile[i][v][w]);
                }
            }
        }
    }
    tile
}
