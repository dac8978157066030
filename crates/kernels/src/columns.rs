//! Matrices whose columns are worked on side by side: how the rows are cut into tasks and tiles, and the columns into
//! vectors.

use std::ops::Range;

use crate::instruction_set::Detected;
use crate::level::{Level, one_by_one};
use crate::memory::vector_start;
use crate::scalar::Scalar;

/// Numbers of a task. Fixed, so that a sum over tasks in their order is the same for any number of threads.
const TASK: usize = 1 << 16;
/// Numbers of a tile, which stays in the nearest cache while it is read more than once.
const TILE: usize = 1 << 10;

/// The rows of each task, and of a tile.
pub(crate) struct Cut {
    rows: usize,
    task: usize,
    /// Rows of a tile.
    pub(crate) tile: usize,
}

impl Cut {
    pub(crate) fn new(rows: usize, width: usize) -> Self {
        let tile = (TILE / width).max(8);
        Self { rows, task: (TASK / width).max(1).next_multiple_of(tile), tile }
    }

    /// The rows of each task in their order; none where there are no rows.
    pub(crate) fn tasks(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (rows, task) = (self.rows, self.task);
        (0..rows.div_ceil(task)).map(move |index| index * task..((index + 1) * task).min(rows))
    }
}

/// A vector of neighbouring columns, `W` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// The first column. The last vector of a row is moved back to end with it, over columns of the one before.
    pub(crate) column: usize,
    /// Where its sums stand in the sums of all vectors, which share no place.
    pub(crate) place: usize,
}

/// Cuts `width` columns into vectors of `lanes` columns; `lanes` is at most `width`.
pub(crate) fn spans(width: usize, lanes: usize) -> impl ExactSizeIterator<Item = Span> + Clone {
    (0..width.div_ceil(lanes))
        .map(move |index| Span { column: vector_start(index, lanes, width), place: index * lanes })
}

/// Brings the sums of all vectors into the order of the columns.
pub(crate) fn in_columns<T: Scalar>(sums: &[T], lanes: usize, width: usize) -> Vec<T> {
    let mut columns = vec![T::ZERO; width];
    for span in spans(width, lanes) {
        columns[span.column..][..lanes].copy_from_slice(&sums[span.place..][..lanes]);
    }
    columns
}

/// Work on columns, for any level and any number of columns in a vector.
pub(crate) trait ByLanes {
    type Output;

    fn run<L: Level, const W: usize>(self, level: L) -> Self::Output;
}

/// Runs work with the widest vectors that the processor has and that a row fills.
pub(crate) fn run_by_lanes<T: Scalar, B: ByLanes>(set: Detected, width: usize, work: B) -> B::Output {
    let lanes = T::lanes(set).min(width);
    match set {
        Detected::Portable(level) => with_level(level, lanes, work),
        #[cfg(target_arch = "x86_64")]
        Detected::Avx2(level) => with_level(level, lanes, work),
        #[cfg(target_arch = "x86_64")]
        Detected::Avx512(level) => with_level(level, lanes, work),
    }
}

fn with_level<L: Level, B: ByLanes>(level: L, lanes: usize, work: B) -> B::Output {
    match lanes {
        16.. => work.run::<L, 16>(level),
        8.. => work.run::<L, 8>(level),
        4.. => work.run::<L, 4>(level),
        _ => work.run::<L, 1>(level),
    }
}

/// The vector at the start of `numbers`, which are at least as many.
#[inline(always)]
pub(crate) fn vector<T, const W: usize>(numbers: &[T]) -> &[T; W] {
    &numbers.as_chunks::<W>().0[0]
}

/// As [`vector`], to be written.
#[inline(always)]
pub(crate) fn vector_mut<T, const W: usize>(numbers: &mut [T]) -> &mut [T; W] {
    &mut numbers.as_chunks_mut::<W>().0[0]
}

/// The sum of a vector's numbers, half upon half: a short chain of additions, of which each row has its own.
///
/// It is a call of its own: inlined, the halves make the compiler split the vectors of the loop before it.
#[inline(never)]
pub(crate) fn total<T: Scalar, const W: usize>(vector: &[T; W]) -> T {
    halves(vector)
}

/// [`total`] of many vectors, in a loop of its own: the calls between are saved.
#[inline(always)]
pub(crate) fn totals<T: Scalar, const W: usize>(vectors: &[T], totals: &mut [T]) {
    for (vector, total) in vectors.as_chunks::<W>().0.iter().zip(totals) {
        // Several at once would be gathered from memory number by number, which some processors are slow at.
        one_by_one();
        *total = halves(vector);
    }
}

#[inline(always)]
fn halves<T: Scalar, const W: usize>(vector: &[T; W]) -> T {
    let mut vector = *vector;
    let mut half = W / 2;
    while half > 0 {
        for w in 0..half {
            let other = vector[w + half];
            vector[w] += other;
        }
        half /= 2;
    }
    vector[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_total_holds_every_lane_once() {
        assert!((total(&[1.0]) - 1.0f64).abs() < f64::EPSILON);
        let powers = |index: usize| f64::from(1u32 << index);
        assert!((total::<f64, 4>(&std::array::from_fn(powers)) - 15.0).abs() < f64::EPSILON);
        assert!((total::<f64, 16>(&std::array::from_fn(powers)) - 65_535.0).abs() < f64::EPSILON);
    }

    #[test]
    fn tasks_cover_all_rows_once_in_whole_tiles() {
        for (rows, width) in [(0, 3), (1, 1), (43_000, 64), (1024, 256), (7, 100_000)] {
            let cut = Cut::new(rows, width);
            let tasks: Vec<_> = cut.tasks().collect();
            assert_eq!(tasks.iter().flat_map(Clone::clone).collect::<Vec<_>>(), (0..rows).collect::<Vec<_>>());
            for task in &tasks {
                assert_eq!(task.start % cut.tile, 0);
            }
        }
    }

    #[test]
    fn vectors_hold_every_column_and_share_no_place() {
        for lanes in [1, 4, 8, 16] {
            for width in lanes..150 {
                let places: Vec<usize> = spans(width, lanes).map(|span| span.place).collect();
                assert_eq!(places, (0..width).step_by(lanes).collect::<Vec<_>>());
                // A sum that is its column's number.
                let sums: Vec<f64> =
                    spans(width, lanes).flat_map(|span| span.column..span.column + lanes).map(|c| c as f64).collect();
                let expected: Vec<f64> = (0..width).map(|column| column as f64).collect();
                assert_eq!(in_columns(&sums, lanes, width), expected);
            }
        }
    }
}
