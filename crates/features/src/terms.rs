//! A table of distinct texts: one string for all of them, one index for fast look-ups.

use std::fmt;

use xxhash_rust::xxh3::xxh3_64;

/// Most texts in one table: ids are these numbers plus one, and a slot counts from one as well.
pub(crate) const MOST_TERMS: u32 = u32::MAX - 1;

/// Distinct texts, numbered from 0 in the order they came.
///
/// The index is open addressing with linear probing, at most half full. A text is stored once, so that
/// millions of them cost their bytes and some 24 bytes each.
#[derive(Clone, Default)]
pub(crate) struct TermTable {
    text: String,
    ends: Vec<usize>,
    slots: Vec<Slot>,
}

/// `place` is the number of a text plus one, 0 in a free slot; `tag` spares most comparisons of texts.
#[derive(Clone, Copy, Default)]
struct Slot {
    tag: u32,
    place: u32,
}

impl fmt::Debug for TermTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TermTable").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl PartialEq for TermTable {
    fn eq(&self, other: &Self) -> bool {
        self.ends == other.ends && self.text == other.text
    }
}

impl TermTable {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn get(&self, number: usize) -> Option<&str> {
        let end = *self.ends.get(number)?;
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        self.text.get(start..end)
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|number| self.get(number).unwrap_or_default())
    }

    /// The number of a text.
    pub(crate) fn find(&self, term: &str) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let place = self.slots[self.slot(term, hash(term))].place;
        place.checked_sub(1)
    }

    /// The number of a text, which is added if it is new; `None` when the table is full.
    pub(crate) fn intern(&mut self, term: &str) -> Option<u32> {
        if (self.len() + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let hash = hash(term);
        let slot = self.slot(term, hash);
        if let Some(number) = self.slots[slot].place.checked_sub(1) {
            return Some(number);
        }
        let number = u32::try_from(self.len()).ok().filter(|&number| number < MOST_TERMS)?;
        self.text.push_str(term);
        self.ends.push(self.text.len());
        self.slots[slot] = Slot { tag: tag(hash), place: number + 1 };
        Some(number)
    }

    /// Forgets all texts and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.slots.fill(Slot::default());
    }

    /// The slot that holds a text, or the free one where it belongs. There must be a free slot.
    fn slot(&self, term: &str, hash: u64) -> usize {
        let mask = self.slots.len() - 1;
        let tag = tag(hash);
        let mut index = hash as usize & mask;
        loop {
            let slot = self.slots[index];
            if slot.place == 0 || (slot.tag == tag && self.is(slot.place as usize - 1, term)) {
                return index;
            }
            index = (index + 1) & mask;
        }
    }

    /// Compares bytes, which spares the checks of character borders.
    fn is(&self, number: usize, term: &str) -> bool {
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.text.as_bytes()[start..self.ends[number]] == term.as_bytes()
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(16);
        self.slots = vec![Slot::default(); size];
        for number in 0..self.len() {
            let Some(term) = self.get(number) else { continue };
            let hash = hash(term);
            let mut index = hash as usize & (size - 1);
            while self.slots[index].place != 0 {
                index = (index + 1) & (size - 1);
            }
            self.slots[index] = Slot { tag: tag(hash), place: number as u32 + 1 };
        }
    }
}

fn hash(term: &str) -> u64 {
    xxh3_64(term.as_bytes())
}

/// The half of the hash that does not choose the slot.
fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_order_of_arrival() {
        let mut table = TermTable::default();
        assert_eq!(table.find("a"), None);
        assert_eq!(table.intern("b"), Some(0));
        assert_eq!(table.intern("a"), Some(1));
        assert_eq!(table.intern("b"), Some(0));
        assert_eq!(table.find("a"), Some(1));
        assert_eq!(table.find("c"), None);
        assert_eq!(table.get(1), Some("a"));
        assert_eq!(table.get(2), None);
        assert_eq!(table.iter().collect::<Vec<_>>(), ["b", "a"]);
    }

    #[test]
    fn every_term_is_found_after_growth() {
        let mut table = TermTable::default();
        for number in 0..5000_u32 {
            assert_eq!(table.intern(&format!("term {number}")), Some(number));
        }
        for number in 0..5000_u32 {
            assert_eq!(table.find(&format!("term {number}")), Some(number));
        }
        assert_eq!(table.find("term 5000"), None);
        assert_eq!(table.find(""), None);
    }
}
