//! Which rows a batch looks up, each with the places where it stands.

use std::ops::Range;

use crate::error::KernelError;
use crate::instruction_set::{Detected, InstructionSet};
use crate::level::{Level, Operation};

/// Bits that one pass of the sort goes through, at most: its counters stay in the nearest cache.
const DIGIT: u32 = 12;
/// Bounds the tasks of an update; each has at least [`LEAST_LOOKUPS`].
const MOST_TASKS: usize = 32;
/// A task smaller than this costs more than it brings.
const LEAST_LOOKUPS: usize = 1024;

/// The lookups of a batch in one table, sorted by row; those of one row in the order of the batch.
///
/// A value keeps its memory from batch to batch.
#[derive(Clone, Debug, Default)]
pub struct Lookups {
    /// The row in the high half, the place in the batch in the low half.
    keys: Vec<u64>,
    spare: Vec<u64>,
    rows: usize,
}

impl Lookups {
    /// Sorts the ids of a batch, whose table has this many rows.
    ///
    /// It takes as many passes over the ids as the number of rows has groups of 12 bits.
    ///
    /// # Errors
    /// [`KernelError::Id`] names an id that is no row; [`KernelError::TooMany`] when there are 2³² ids or rows. The
    /// lookups are empty then.
    pub fn sort(&mut self, ids: &[i64], rows: usize) -> Result<(), KernelError> {
        self.keys.clear();
        self.rows = rows;
        check_less("ids", ids.len())?;
        check_less("rows", rows)?;
        check_ids(Detected::new(InstructionSet::best())?, ids, rows)?;
        self.keys.extend(ids.iter().zip(0u64..).map(|(&id, place)| (id as u64) << 32 | place));
        let bits = usize::BITS - rows.saturating_sub(1).leading_zeros();
        let passes = bits.div_ceil(DIGIT).max(1);
        let digit = bits.div_ceil(passes);
        for pass in 0..passes {
            self.pass(32 + pass * digit, digit);
        }
        Ok(())
    }

    /// Orders the keys by some of their bits; keys that are equal there stay in their order.
    fn pass(&mut self, shift: u32, bits: u32) {
        let of = |key: u64| (key >> shift) as usize & ((1 << bits) - 1);
        let mut starts = vec![0usize; 1 << bits];
        for &key in &self.keys {
            starts[of(key)] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += std::mem::replace(start, sum);
        }
        self.spare.resize(self.keys.len(), 0);
        for &key in &self.keys {
            let start = &mut starts[of(key)];
            self.spare[*start] = key;
            *start += 1;
        }
        std::mem::swap(&mut self.keys, &mut self.spare);
    }

    /// How many ids were looked up.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether nothing was looked up.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The rows that were looked up, each once, ascending.
    pub fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.keys.chunk_by(|&one, &next| row(one) == row(next)).map(|keys| row(keys[0]))
    }

    /// Rows of the table.
    pub(super) fn table_rows(&self) -> usize {
        self.rows
    }

    pub(super) fn keys(&self, part: Range<usize>) -> &[u64] {
        &self.keys[part]
    }

    /// Cuts the lookups into tasks of about as many each; a row is in one task. The cut depends on the lookups alone.
    pub(super) fn tasks(&self) -> Vec<Range<usize>> {
        let count = (self.len() / LEAST_LOOKUPS).clamp(1, MOST_TASKS);
        let mut tasks = Vec::with_capacity(count);
        let mut start = 0;
        for index in 1..=count {
            let aim = (self.len() * index / count).max(start);
            let end = match self.keys.get(aim) {
                // On to the row's first lookup behind the aim that has another row before it.
                Some(&key) => aim + self.keys[aim..].partition_point(|&other| row(other) == row(key)),
                None => self.len(),
            };
            if end > start {
                tasks.push(start..end);
                start = end;
            }
        }
        tasks
    }
}

/// Refuses 2³² and more of something: a half of a key counts them.
pub(super) fn check_less(what: &'static str, number: usize) -> Result<(), KernelError> {
    if u32::try_from(number).is_ok() { Ok(()) } else { Err(KernelError::TooMany { what, number }) }
}

/// Refuses ids that are no rows.
pub(super) fn check_ids(set: Detected, ids: &[i64], rows: usize) -> Result<(), KernelError> {
    let largest = match set {
        Detected::Portable(level) => level.run(Largest(ids)),
        #[cfg(target_arch = "x86_64")]
        Detected::Avx2(level) => level.run(Largest(ids)),
        #[cfg(target_arch = "x86_64")]
        Detected::Avx512(level) => level.run(Largest(ids)),
    };
    if ids.is_empty() || largest < rows as u64 {
        return Ok(());
    }
    let index = ids.iter().position(|&id| id as u64 >= rows as u64).unwrap_or_default();
    Err(KernelError::Id { index, id: ids[index], rows })
}

/// The largest id; a negative one is a very large number without its sign.
struct Largest<'a>(&'a [i64]);

impl Operation for Largest<'_> {
    type Output = u64;

    #[inline(always)]
    fn run<L: Level>(self, _: L) -> u64 {
        self.0.iter().fold(0, |largest, &id| largest.max(id as u64))
    }
}

/// The row of a key.
#[inline(always)]
pub(super) fn row(key: u64) -> usize {
    (key >> 32) as usize
}

/// Where a key stands in the batch.
#[inline(always)]
pub(super) fn place(key: u64) -> usize {
    (key & u64::from(u32::MAX)) as usize
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use proptest::prelude::*;

    use super::*;

    fn sorted(ids: &[i64], rows: usize) -> Lookups {
        let mut lookups = Lookups::default();
        // What an earlier batch left does not matter.
        lookups.sort(&[0, 0, 0], 1).unwrap();
        lookups.sort(ids, rows).unwrap();
        lookups
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn lookups_are_sorted_by_row_and_place(bits in 0u32..31, draws in prop::collection::vec(any::<u32>(), 0..300)) {
            let rows = 1usize << bits;
            let ids: Vec<i64> = draws.iter().map(|&draw| i64::from(draw) % rows as i64).collect();
            let lookups = sorted(&ids, rows);
            let mut expected: Vec<(i64, usize)> = ids.iter().copied().zip(0..).collect();
            expected.sort_unstable();
            let got: Vec<(i64, usize)> =
                lookups.keys(0..ids.len()).iter().map(|&key| (row(key) as i64, place(key))).collect();
            prop_assert_eq!(got, expected);
            let mut unique = ids;
            unique.sort_unstable();
            unique.dedup();
            prop_assert!(lookups.rows().map(|row| row as i64).eq(unique));
        }

        #[test]
        fn every_lookup_is_in_one_task_and_a_row_too(
            rows in 1usize..5000,
            draws in prop::collection::vec(any::<u32>(), 0..20_000),
        ) {
            let ids: Vec<i64> = draws.iter().map(|&draw| i64::from(draw) % rows as i64).collect();
            let lookups = sorted(&ids, rows);
            let tasks = lookups.tasks();
            prop_assert!(tasks.iter().cloned().flatten().eq(0..ids.len()));
            for pair in tasks.windows(2) {
                let [last, first] = [pair[0].end - 1, pair[1].start].map(|index| row(lookups.keys[index]));
                prop_assert!(last < first);
            }
            prop_assert!(tasks.len() <= MOST_TASKS && tasks.len() <= 1 + ids.len() / LEAST_LOOKUPS);
        }
    }

    #[test]
    fn ids_that_are_no_rows_are_refused() {
        for (ids, rows, index, id) in [(&[0, 3][..], 3, 1, 3), (&[-1], 3, 0, -1), (&[0], 0, 0, 0)] {
            let mut lookups = Lookups::default();
            assert_eq!(lookups.sort(ids, rows), Err(KernelError::Id { index, id, rows }));
            assert!(lookups.is_empty());
        }
        let (what, number) = ("rows", 1 << 32);
        assert_eq!(Lookups::default().sort(&[], number), Err(KernelError::TooMany { what, number }));
    }
}
