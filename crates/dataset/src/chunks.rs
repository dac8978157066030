//! Columns as they lie on disk: one buffer for each run of rows.

use arrow_buffer::{ArrowNativeType, OffsetBuffer, ScalarBuffer};
use fain_features::Sequences;

use crate::layout::RUN;

/// A column with one value per row. Every buffer but the last has [`RUN`] values.
pub(crate) struct Chunks<T: ArrowNativeType>(pub(crate) Vec<ScalarBuffer<T>>);

impl<T: ArrowNativeType> Chunks<T> {
    /// The values of the rows, which must all exist, in the memory of `used`.
    pub(crate) fn gather(&self, rows: &[u64], mut used: Vec<T>) -> Vec<T> {
        used.clear();
        used.extend(rows.iter().map(|row| {
            let (chunk, place) = locate(*row);
            self.0[chunk][place]
        }));
        used
    }

    pub(crate) fn slices(&self) -> impl Iterator<Item = &[T]> {
        self.0.iter().map(AsRef::as_ref)
    }
}

/// A column with a list of values per row.
pub(crate) struct ListChunks(pub(crate) Vec<ListChunk>);

/// The lists of one run: that of row `i` is `values[offsets[i]..offsets[i + 1]]`.
pub(crate) struct ListChunk {
    pub(crate) offsets: OffsetBuffer<i32>,
    pub(crate) values: ScalarBuffer<u32>,
}

impl ListChunks {
    /// The lists of the rows, which must all exist, in the memory of `used`. `None`: more values than an offset counts.
    pub(crate) fn gather(&self, rows: &[u64], mut used: Sequences) -> Option<Sequences> {
        used.clear();
        used.offsets.reserve(rows.len());
        let mut end = 0_u32;
        for row in rows {
            end = end.checked_add(self.list(*row).len() as u32)?;
            used.offsets.push(end);
        }
        used.values.reserve(end as usize);
        for row in rows {
            used.values.extend_from_slice(self.list(*row));
        }
        Some(used)
    }

    pub(crate) fn slices(&self) -> impl Iterator<Item = &[u32]> {
        self.0.iter().map(|chunk| chunk.values.as_ref())
    }

    fn list(&self, row: u64) -> &[u32] {
        let (chunk, place) = locate(row);
        let ListChunk { offsets, values } = &self.0[chunk];
        &values[offsets[place] as usize..offsets[place + 1] as usize]
    }
}

/// The run of a row, and its place there.
fn locate(row: u64) -> (usize, usize) {
    ((row / RUN as u64) as usize, (row % RUN as u64) as usize)
}

/// The largest of all values; `None` if there are none.
pub(crate) fn maximum<'a>(slices: impl Iterator<Item = &'a [u32]>) -> Option<u32> {
    slices.filter_map(|slice| slice.iter().copied().max()).max()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    /// Lists in two runs: row `i` is `i % 3` times the value `i`.
    fn lists() -> ListChunks {
        let chunk = |rows: std::ops::Range<usize>| {
            let list = |row: usize| vec![row as u32; row % 3];
            ListChunk {
                offsets: OffsetBuffer::from_lengths(rows.clone().map(|row| row % 3)),
                values: rows.flat_map(list).collect(),
            }
        };
        ListChunks(vec![chunk(0..RUN), chunk(RUN..RUN + 5)])
    }

    #[test]
    fn rows_are_found_on_both_sides_of_a_run() {
        let last = RUN as u64 - 1;
        let chunks = Chunks(vec![(0..RUN as u64).collect(), (RUN as u64..RUN as u64 + 5).collect()]);
        let rows = [last, last + 1, 0, last + 5, last];
        assert_eq!(chunks.gather(&rows, vec![9; 100]), rows);

        // 65,535 and 0 leave no remainder by 3, 65,536 leaves 1, 65,540 leaves 2.
        let used = Sequences { values: vec![7; 9], offsets: vec![0, 9] };
        let gathered = lists().gather(&rows, used).unwrap();
        assert_eq!(gathered.offsets, [0, 0, 1, 1, 3, 3]);
        assert_eq!(gathered.values, [65_536, 65_540, 65_540]);
    }

    #[test]
    fn the_maximum_is_over_all_runs() {
        assert_eq!(maximum(lists().slices()), Some(65_540));
        assert_eq!(maximum(std::iter::empty()), None);
        assert_eq!(maximum([&[][..], &[0]].into_iter()), Some(0));
    }

    #[test]
    fn values_beyond_the_offsets_are_not_cut() {
        // One list of 2^20 values taken 2^12 times has 2^32 values: one more than an offset counts.
        let long = ListChunks(vec![ListChunk {
            offsets: OffsetBuffer::from_lengths([1 << 20]),
            values: vec![1; 1 << 20].into(),
        }]);
        assert!(long.gather(&vec![0; 1 << 12], Sequences::default()).is_none());
    }
}
