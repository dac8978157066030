//! A table of distinct texts: one string for all of them, one index for fast look-ups.

use std::fmt;

use xxhash_rust::xxh3::xxh3_64;

/// Most texts in one table: ids are these numbers plus one, and a slot counts from one as well.
pub(crate) const MOST_TERMS: u32 = u32::MAX - 1;

/// Distinct texts, numbered from 0 in the order they came.
///
/// The index is open addressing with linear probing, at most half full. A text is stored once, so that
/// millions of them cost their bytes and some 32 bytes each. Most terms are short, such as numbers: one that fits into
/// a [`Key`] is compared at once, without a look at the texts.
#[derive(Clone, Default)]
pub(crate) struct TermTable {
    text: String,
    ends: Vec<usize>,
    keys: Vec<Key>,
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
        let place = self.slots[self.slot(term, Key::new(term))].place;
        place.checked_sub(1)
    }

    /// The number of a text, which is added if it is new; `None` when the table is full.
    pub(crate) fn intern(&mut self, term: &str) -> Option<u32> {
        if (self.len() + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let key = Key::new(term);
        let slot = self.slot(term, key);
        if let Some(number) = self.slots[slot].place.checked_sub(1) {
            return Some(number);
        }
        let number = u32::try_from(self.len()).ok().filter(|&number| number < MOST_TERMS)?;
        self.text.push_str(term);
        self.ends.push(self.text.len());
        self.keys.push(key);
        self.slots[slot] = Slot { tag: tag(key.hash()), place: number + 1 };
        Some(number)
    }

    /// Forgets all texts and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.keys.clear();
        self.slots.fill(Slot::default());
    }

    /// The slot that holds a text, or the free one where it belongs. There must be a free slot.
    fn slot(&self, term: &str, key: Key) -> usize {
        let hash = key.hash();
        let mask = self.slots.len() - 1;
        let tag = tag(hash);
        let mut index = hash as usize & mask;
        loop {
            let slot = self.slots[index];
            if slot.place == 0 || (slot.tag == tag && self.is(slot.place as usize - 1, term, key)) {
                return index;
            }
            index = (index + 1) & mask;
        }
    }

    /// Compares bytes, which spares the checks of character borders.
    fn is(&self, number: usize, term: &str, key: Key) -> bool {
        if self.keys[number] != key {
            return false;
        }
        if key.is_whole() {
            return true;
        }
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.text.as_bytes()[start..self.ends[number]] == term.as_bytes()
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(16);
        self.slots = vec![Slot::default(); size];
        for number in 0..self.len() {
            let hash = self.keys[number].hash();
            let mut index = hash as usize & (size - 1);
            while self.slots[index].place != 0 {
                index = (index + 1) & (size - 1);
            }
            self.slots[index] = Slot { tag: tag(hash), place: number as u32 + 1 };
        }
    }
}

/// A text of up to seven bytes, or the hash of a longer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key(u64);

impl Key {
    /// In the highest byte of a longer text's key; shorter ones have their length there.
    const LONG: u64 = 0xFF << 56;

    fn new(term: &str) -> Self {
        let bytes = term.as_bytes();
        let length = bytes.len();
        let text = match length {
            0 => 0,
            1..4 => {
                // First, middle and last byte, of which two may be the same one.
                let at = |place: usize| u64::from(bytes[place]) << (8 * place);
                at(0) | at(length / 2) | at(length - 1)
            }
            4..8 => {
                // The first four bytes and the last four, which may overlap.
                let four = |start: usize| {
                    let word = [bytes[start], bytes[start + 1], bytes[start + 2], bytes[start + 3]];
                    u64::from(u32::from_le_bytes(word))
                };
                four(0) | four(length - 4) << (8 * (length - 4))
            }
            _ => return Self(xxh3_64(bytes) | Self::LONG),
        };
        Self(text | (length as u64) << 56)
    }

    /// Whether the key is all of the text.
    fn is_whole(self) -> bool {
        self.0 < Self::LONG
    }

    /// Its bits mixed well: the product of 128 bits folded, as in wyhash.
    fn hash(self) -> u64 {
        let product = u128::from(self.0 ^ 0x9E37_79B9_7F4A_7C15) * u128::from(0xD6E8_FEB8_6659_FD93_u64);
        (product >> 64) as u64 ^ product as u64
    }
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
    fn a_key_is_all_of_a_short_text() {
        let key = |term: &str| Key::new(term).0;
        assert_eq!(key(""), 0);
        assert_eq!(key("a"), 0x0100_0000_0000_0061);
        assert_eq!(key("ab"), 0x0200_0000_0000_6261);
        assert_eq!(key("abc"), 0x0300_0000_0063_6261);
        assert_eq!(key("abcd"), 0x0400_0000_6463_6261);
        assert_eq!(key("abcde"), 0x0500_0065_6463_6261);
        assert_eq!(key("abcdef"), 0x0600_6665_6463_6261);
        assert_eq!(key("abcdefg"), 0x0767_6665_6463_6261);
        assert!(Key::new("abcdefg").is_whole() && !Key::new("abcdefgh").is_whole());
        assert_ne!(key("a"), key("a\0"));
    }

    #[test]
    fn terms_of_all_lengths_are_told_apart() {
        let mut table = TermTable::default();
        let terms: Vec<String> = (0..40).flat_map(|length| ["a", "b", "\0"].map(|text| text.repeat(length))).collect();
        let numbers: Vec<Option<u32>> = terms.iter().map(|term| table.intern(term)).collect();
        for (term, number) in terms.iter().zip(&numbers) {
            assert_eq!(table.find(term), *number);
            assert_eq!(number.and_then(|number| table.get(number as usize)), Some(term.as_str()));
        }
        // Only the empty text comes three times.
        assert_eq!(table.len(), terms.len() - 2);
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
