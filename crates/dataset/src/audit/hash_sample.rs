//! Hashes of rows, few enough to be held in memory.

use std::collections::HashMap;

/// The hash of a row and where the row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    /// The hash of all but the label.
    pub(super) hash: [u64; 2],
    pub(super) label: bool,
    pub(super) row: u64,
}

/// `Entry` without padding: the label takes the place of a bit of the hash.
type Packed = [u64; 3];

/// Rows by their hashes. Where there are too many, those are kept whose hash ends in enough zero bits: rows with equal
/// hashes are kept together or left out together, and the order of the rows does not matter.
pub(super) struct HashSample {
    entries: Vec<Packed>,
    mask: u64,
    most: usize,
}

impl HashSample {
    /// Keeps at most `most` rows, 1 or more, of so many.
    pub(super) fn new(most: usize, rows: u64) -> Self {
        // Grown step by step, it would take up to twice the memory.
        let most_held = usize::try_from(rows).unwrap_or(usize::MAX).min(most.saturating_add(1));
        Self { entries: Vec::with_capacity(most_held), mask: 0, most }
    }

    pub(super) fn add(&mut self, hash: u128, label: bool, row: u64) {
        let (high, low) = ((hash >> 64) as u64, hash as u64);
        if high & self.mask != 0 {
            return;
        }
        self.entries.push([high, low & !1 | u64::from(label), row]);
        while self.entries.len() > self.most && self.mask != u64::MAX {
            self.narrow(self.mask << 1 | 1);
        }
    }

    fn narrow(&mut self, mask: u64) {
        self.mask = mask;
        self.entries.retain(|entry| entry[0] & mask == 0);
    }

    /// The hash bits that were zero in every row kept.
    pub(super) fn mask(&self) -> u64 {
        self.mask
    }

    /// The rows kept, sorted by hash, then label, then row, of those that a sample with this mask keeps, too.
    pub(super) fn sort(&mut self, mask: u64) {
        if mask != self.mask {
            self.narrow(self.mask | mask);
        }
        self.entries.sort_unstable();
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The rows kept, in the order of [`HashSample::sort`].
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        self.entries.iter().map(|&[high, low, row]| Entry { hash: [high, low & !1], label: low & 1 == 1, row })
    }
}

/// How many rows each group has, and its first row. Bounded as [`HashSample`] is.
pub(super) struct GroupSample {
    groups: HashMap<u64, Group>,
    mask: u64,
    most: usize,
}

/// The rows of one group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    pub(super) rows: u64,
    pub(super) first: u64,
}

impl GroupSample {
    /// Keeps at most `most` groups, which is 1 or more.
    pub(super) fn new(most: usize) -> Self {
        Self { groups: HashMap::new(), mask: 0, most }
    }

    /// Counts a row; groups are hashes already.
    pub(super) fn add(&mut self, group: u64, row: u64) {
        if group & self.mask != 0 {
            return;
        }
        let found = self.groups.entry(group).or_insert(Group { rows: 0, first: row });
        found.rows += 1;
        while self.groups.len() > self.most && self.mask != u64::MAX {
            self.mask = self.mask << 1 | 1;
            let mask = self.mask;
            self.groups.retain(|group, _| *group & mask == 0);
        }
    }

    /// The number of groups: exact, or estimated where not all were kept.
    pub(super) fn count(&self) -> u64 {
        self.groups.len() as u64 * self.mask.saturating_add(1)
    }

    /// The groups that both samples would keep.
    pub(super) fn common<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (u64, Group)> + 'a {
        let mask = self.mask | other.mask;
        self.groups.iter().filter(move |(group, _)| **group & mask == 0).map(|(group, found)| (*group, *found))
    }

    pub(super) fn has(&self, group: u64) -> bool {
        self.groups.contains_key(&group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

    fn sample(rows: impl Iterator<Item = u64>, most: usize) -> HashSample {
        let mut sample = HashSample::new(most, 10_000);
        rows.for_each(|row| sample.add(xxh3_128(&(row / 2).to_le_bytes()), row % 2 == 1, row));
        sample.sort(0);
        sample
    }

    #[test]
    fn equal_rows_stay_together_in_any_order() {
        let forth = sample(0..10_000, 1000);
        let entries: Vec<Entry> = forth.entries().collect();
        assert!((300..=1000).contains(&entries.len()), "{}", entries.len());
        for pair in entries.chunks(2) {
            assert_eq!(pair[0].hash, pair[1].hash);
            assert_eq!((pair[0].label, pair[1].label), (false, true));
            assert_eq!(pair[0].row + 1, pair[1].row);
        }
        let back: Vec<Entry> = sample((0..10_000).rev(), 1000).entries().collect();
        assert_eq!(entries, back);
    }

    #[test]
    fn a_narrower_sample_is_a_part_of_a_wider_one() {
        let mut wide = sample(0..4000, 100_000);
        assert_eq!((wide.mask(), wide.len()), (0, 4000));
        let narrow = sample(0..4000, 500);
        assert_ne!(narrow.mask(), 0);
        wide.sort(narrow.mask());
        assert!(wide.entries().eq(narrow.entries()));
    }

    #[test]
    fn rows_that_are_all_equal_end() {
        let mut sample = HashSample::new(3, 10);
        (0..10).for_each(|row| sample.add(u128::MAX << 64, false, row));
        assert_eq!(sample.len(), 0);
        let mut zeros = HashSample::new(3, 10);
        (0..10).for_each(|row| zeros.add(0, false, row));
        assert_eq!(zeros.mask(), u64::MAX);
    }

    #[test]
    fn groups_are_counted_and_bounded() {
        let add = |most| {
            let mut groups = GroupSample::new(most);
            (0..20_000_u64).for_each(|row| groups.add(xxh3_64(&(row % 5000).to_le_bytes()), row));
            groups
        };
        let (all, some) = (add(10_000), add(1000));
        assert_eq!(all.count(), 5000);
        assert!((4000..6000).contains(&some.count()), "{}", some.count());
        assert!(all.common(&some).all(|(group, found)| some.has(group) && found.rows == 4));
        assert_eq!(all.common(&some).count(), some.groups.len());
    }
}
