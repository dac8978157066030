//! Columns as they lie on disk: one buffer for each run of rows.

use arrow_array::{Array, StringArray};
use arrow_buffer::{ArrowNativeType, OffsetBuffer, ScalarBuffer};

use crate::RUN;

/// A column with one value per row. Every buffer but the last has [`RUN`] values.
#[derive(Debug, Clone)]
pub struct Chunks<T: ArrowNativeType>(pub(crate) Vec<ScalarBuffer<T>>);

impl<T: ArrowNativeType> Chunks<T> {
    /// The value of a row; `None` if there is no such row.
    pub fn get(&self, row: u64) -> Option<T> {
        let (chunk, place) = locate(row);
        self.0.get(chunk)?.get(place).copied()
    }

    /// The value of a row that exists.
    ///
    /// # Panics
    /// If it does not, as indexing a slice does.
    pub fn at(&self, row: u64) -> T {
        let (chunk, place) = locate(row);
        self.0[chunk][place]
    }

    /// The values of the rows, in the memory of `used`.
    ///
    /// # Panics
    /// If a row does not exist.
    pub fn gather(&self, rows: &[u64], mut used: Vec<T>) -> Vec<T> {
        used.clear();
        used.extend(rows.iter().map(|row| self.at(*row)));
        used
    }

    /// Appends the values of the rows `start..end`, which are found run by run.
    ///
    /// # Panics
    /// If a row does not exist.
    pub fn extend(&self, start: u64, end: u64, out: &mut Vec<T>) {
        let mut start = start;
        while start < end {
            let (chunk, place) = locate(start);
            let stop = (place as u64 + (end - start)).min(RUN as u64) as usize;
            out.extend_from_slice(&self.0[chunk][place..stop]);
            start += (stop - place) as u64;
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> u64 {
        self.0.iter().map(|chunk| chunk.len() as u64).sum()
    }

    /// The values, run by run.
    pub fn slices(&self) -> impl Iterator<Item = &[T]> {
        self.0.iter().map(AsRef::as_ref)
    }
}

/// A column with a list of values per row.
#[derive(Debug, Clone)]
pub struct ListChunks<T: ArrowNativeType>(pub(crate) Vec<ListChunk<T>>);

/// The lists of one run: that of row `i` is `values[offsets[i]..offsets[i + 1]]`.
#[derive(Debug, Clone)]
pub struct ListChunk<T: ArrowNativeType> {
    /// Where the lists begin and end.
    pub offsets: OffsetBuffer<i32>,
    /// The lists one after the other.
    pub values: ScalarBuffer<T>,
}

impl<T: ArrowNativeType> ListChunks<T> {
    /// Replaces `values` and `offsets` by the lists of the rows: that of `rows[i]` is
    /// `values[offsets[i]..offsets[i + 1]]`. `None`: more values than an offset counts; both are empty lists then.
    ///
    /// # Panics
    /// If a row does not exist.
    #[must_use]
    pub fn gather(&self, rows: &[u64], values: &mut Vec<T>, offsets: &mut Vec<u32>) -> Option<()> {
        values.clear();
        offsets.clear();
        offsets.push(0);
        offsets.reserve(rows.len());
        let mut end = 0_u32;
        for row in rows {
            let Some(next) = end.checked_add(self.list(*row).len() as u32) else {
                offsets.truncate(1);
                return None;
            };
            end = next;
            offsets.push(end);
        }
        values.reserve(end as usize);
        for row in rows {
            values.extend_from_slice(self.list(*row));
        }
        Some(())
    }

    /// The values of all lists, run by run.
    pub fn slices(&self) -> impl Iterator<Item = &[T]> {
        self.0.iter().map(|chunk| chunk.values.as_ref())
    }

    /// Whether the lists of every row are as long as those of another column.
    pub fn same_lengths<U: ArrowNativeType>(&self, other: &ListChunks<U>) -> bool {
        self.0.len() == other.0.len()
            && self.0.iter().zip(&other.0).all(|(ours, theirs)| ours.offsets == theirs.offsets)
    }

    /// The list of a row that exists.
    ///
    /// # Panics
    /// If it does not, as indexing a slice does.
    pub fn list(&self, row: u64) -> &[T] {
        let (chunk, place) = locate(row);
        let ListChunk { offsets, values } = &self.0[chunk];
        &values[offsets[place] as usize..offsets[place + 1] as usize]
    }
}

/// A column with a text per row.
#[derive(Debug, Clone)]
pub struct TextChunks(pub(crate) Vec<StringArray>);

impl TextChunks {
    /// The text of a row; `None` if there is no such row.
    pub fn get(&self, row: u64) -> Option<&str> {
        let (chunk, place) = locate(row);
        let chunk = self.0.get(chunk)?;
        (place < chunk.len()).then(|| chunk.value(place))
    }

    /// The texts in the order of the rows.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|chunk| (0..chunk.len()).map(|place| chunk.value(place)))
    }
}

/// The run of a row, and its place there.
fn locate(row: u64) -> (usize, usize) {
    ((row / RUN as u64) as usize, (row % RUN as u64) as usize)
}

/// The largest of all values; `None` if there are none.
pub fn maximum<'a, T: Ord + Copy + 'a>(slices: impl Iterator<Item = &'a [T]>) -> Option<T> {
    slices.filter_map(|slice| slice.iter().copied().max()).max()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    /// Lists in two runs: row `i` is `i % 3` times the value `i`.
    fn lists() -> ListChunks<u32> {
        let chunk = |rows: std::ops::Range<usize>| {
            let list = |row: usize| vec![row as u32; row % 3];
            ListChunk {
                offsets: OffsetBuffer::from_lengths(rows.clone().map(|row| row % 3)),
                values: rows.flat_map(list).collect(),
            }
        };
        ListChunks(vec![chunk(0..RUN), chunk(RUN..RUN + 5)])
    }

    fn numbers() -> Chunks<u64> {
        Chunks(vec![(0..RUN as u64).collect(), (RUN as u64..RUN as u64 + 5).collect()])
    }

    #[test]
    fn rows_are_found_on_both_sides_of_a_run() {
        let last = RUN as u64 - 1;
        let rows = [last, last + 1, 0, last + 5, last];
        assert_eq!(numbers().gather(&rows, vec![9; 100]), rows);
        assert_eq!(
            (numbers().rows(), numbers().get(last + 5), numbers().get(last + 6)),
            (last + 6, Some(last + 5), None)
        );

        // 65,535 and 0 leave no remainder by 3, 65,536 leaves 1, 65,540 leaves 2.
        let (mut values, mut offsets) = (vec![7; 9], vec![0, 9]);
        lists().gather(&rows, &mut values, &mut offsets).unwrap();
        assert_eq!(offsets, [0, 0, 1, 1, 3, 3]);
        assert_eq!(values, [65_536, 65_540, 65_540]);
    }

    #[test]
    fn a_range_of_rows_may_cross_runs() {
        let last = RUN as u64 - 1;
        let mut out = vec![1];
        numbers().extend(last - 1, last + 3, &mut out);
        numbers().extend(4, 4, &mut out);
        assert_eq!(out, [1, last - 1, last, last + 1, last + 2]);
    }

    #[test]
    fn lengths_are_compared_row_by_row() {
        let of = |lengths: &[usize]| {
            let values = vec![1.5_f64; lengths.iter().sum()].into();
            ListChunks(vec![ListChunk { offsets: OffsetBuffer::from_lengths(lengths.iter().copied()), values }])
        };
        assert!(lists().same_lengths(&lists()));
        assert!(of(&[1, 2]).same_lengths(&of(&[1, 2])));
        assert!(!of(&[1, 2]).same_lengths(&of(&[2, 1])));
        assert!(!of(&[1, 2]).same_lengths(&lists()));
    }

    #[test]
    fn the_maximum_is_over_all_runs() {
        assert_eq!(maximum(lists().slices()), Some(65_540));
        assert_eq!(maximum(std::iter::empty::<&[u32]>()), None);
        assert_eq!(maximum([&[][..], &[0]].into_iter()), Some(0));
    }

    #[test]
    fn values_beyond_the_offsets_are_not_cut() {
        // One list of 2^20 values taken 2^12 times has 2^32 values: one more than an offset counts.
        let long = ListChunks(vec![ListChunk {
            offsets: OffsetBuffer::from_lengths([1 << 20]),
            values: vec![1_u32; 1 << 20].into(),
        }]);
        assert!(long.gather(&vec![0; 1 << 12], &mut Vec::new(), &mut Vec::new()).is_none());
    }
}
