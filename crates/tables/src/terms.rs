//! A table of distinct texts: one string for all of them, one index for fast look-ups.

use std::fmt;

use crate::term::{Key, Term};

/// Distinct texts, numbered from 0 in the order they came.
///
/// The index is open addressing with linear probing, at most half full. A text is stored once, so that
/// millions of them cost their bytes and some 40 bytes each. Most terms are short: one of up to seven bytes is compared
/// at once, without a look at the texts. Where most are whole numbers not much greater than the number of texts, these
/// are looked up in a list of their own, for another 24 bytes each.
///
/// ```
/// use fain_tables::TermTable;
///
/// let mut terms = TermTable::default();
/// assert_eq!((terms.intern("Drama"), terms.intern("Comedy"), terms.intern("Drama")), (Some(0), Some(1), Some(0)));
/// assert_eq!((terms.get(1), terms.find("Western")), (Some("Comedy"), None));
/// ```
#[derive(Clone, Default)]
pub struct TermTable {
    text: String,
    ends: Vec<usize>,
    /// The slots: which text is in each, and in `numbers` its number.
    keys: Vec<Key>,
    numbers: Vec<u32>,
    /// Where most texts are small whole numbers, as ids often are: for each of these the number of its text plus one, or
    /// 0 where there is no such text.
    direct: Vec<u32>,
}

/// How many numbers are looked up directly, for each slot.
const DIRECT: usize = 2;

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
    /// Most texts in one table: a slot counts from one, and so may whoever makes ids of the numbers.
    pub const MOST: u32 = u32::MAX - 1;

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text of a number.
    pub fn get(&self, number: usize) -> Option<&str> {
        let end = *self.ends.get(number)?;
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        self.text.get(start..end)
    }

    /// The texts in the order of their numbers.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|number| self.get(number).unwrap_or_default())
    }

    /// The number of a text.
    #[inline]
    pub fn find<'t>(&self, term: impl Into<Term<'t>>) -> Option<u32> {
        let term = term.into();
        if self.keys.is_empty() {
            return None;
        }
        if let Some(place) = self.direct(term) {
            return place.checked_sub(1);
        }
        let slot = self.slot(term);
        (self.keys[slot] != Key::NONE).then(|| self.numbers[slot])
    }

    /// The number of a text, which is added if it is new; `None` when the table is full.
    #[inline]
    pub fn intern<'t>(&mut self, term: impl Into<Term<'t>>) -> Option<u32> {
        let term = term.into();
        match self.direct(term).and_then(|place| place.checked_sub(1)) {
            Some(number) => Some(number),
            None => self.intern_by_hash(term),
        }
    }

    fn intern_by_hash(&mut self, term: Term<'_>) -> Option<u32> {
        if (self.len() + 1) * 2 > self.keys.len() {
            self.grow();
        }
        let slot = self.slot(term);
        if self.keys[slot] != Key::NONE {
            return Some(self.numbers[slot]);
        }
        let number = u32::try_from(self.len()).ok().filter(|&number| number < Self::MOST)?;
        self.text.push_str(term.text());
        self.ends.push(self.text.len());
        (self.keys[slot], self.numbers[slot]) = (term.key(), number);
        if let Some(place) = place_of(&mut self.direct, term.key()) {
            *place = number + 1;
        }
        Some(number)
    }

    /// Forgets all texts and keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.keys.fill(Key::NONE);
        self.direct.fill(0);
    }

    /// What `direct` has for a text that is one of its numbers.
    #[inline]
    fn direct(&self, term: Term<'_>) -> Option<u32> {
        if self.direct.is_empty() {
            return None;
        }
        self.direct.get(term.key().number()? as usize).copied()
    }

    /// The slot that holds a text, or the free one where it belongs. There must be a free slot.
    #[inline]
    fn slot(&self, term: Term<'_>) -> usize {
        let (key, mask) = (term.key(), self.keys.len() - 1);
        let first = key.hash() as usize & mask;
        // Nearly all texts are in the first or the second slot. Which one is computed: it could not be guessed.
        let likely = (first + usize::from(self.keys[first] != key)) & mask;
        if self.keys[likely] == key && self.is(likely, term) { likely } else { self.slot_from(first, term) }
    }

    fn slot_from(&self, first: usize, term: Term<'_>) -> usize {
        let mask = self.keys.len() - 1;
        let mut slot = first;
        while self.keys[slot] != Key::NONE && !(self.keys[slot] == term.key() && self.is(slot, term)) {
            slot = (slot + 1) & mask;
        }
        slot
    }

    /// Whether a slot with the key of a text holds that text. Bytes are compared, which spares the checks of character
    /// borders.
    #[inline]
    fn is(&self, slot: usize, term: Term<'_>) -> bool {
        term.key().is_whole() || self.is_text(slot, term)
    }

    fn is_text(&self, slot: usize, term: Term<'_>) -> bool {
        let number = self.numbers[slot] as usize;
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.text.as_bytes()[start..self.ends[number]] == term.text().as_bytes()
    }

    fn grow(&mut self) {
        let size = (self.keys.len() * 2).max(16);
        let keys = std::mem::replace(&mut self.keys, vec![Key::NONE; size]);
        let numbers = std::mem::replace(&mut self.numbers, vec![0; size]);
        for (key, number) in keys.into_iter().zip(numbers).filter(|(key, _)| *key != Key::NONE) {
            let mut slot = key.hash() as usize & (size - 1);
            while self.keys[slot] != Key::NONE {
                slot = (slot + 1) & (size - 1);
            }
            (self.keys[slot], self.numbers[slot]) = (key, number);
        }
        self.fill_direct();
    }

    /// Decides anew whether small whole numbers have a list of their own.
    fn fill_direct(&mut self) {
        let most = DIRECT * self.keys.len();
        let small = |key: &Key| key.number().is_some_and(|value| (value as usize) < most);
        let wanted = 2 * self.keys.iter().filter(|key| small(key)).count() > self.len();
        self.direct = vec![0; if wanted { most } else { 0 }];
        for (key, number) in self.keys.iter().zip(&self.numbers) {
            if let Some(place) = place_of(&mut self.direct, *key) {
                *place = number + 1;
            }
        }
    }
}

/// The place in `direct` of a text that is a number.
fn place_of(direct: &mut [u32], key: Key) -> Option<&mut u32> {
    direct.get_mut(key.number()? as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intern(table: &mut TermTable, term: &str) -> Option<u32> {
        table.intern(Term::new(term))
    }

    fn find(table: &TermTable, term: &str) -> Option<u32> {
        table.find(Term::new(term))
    }

    #[test]
    fn numbers_follow_the_order_of_arrival() {
        let mut table = TermTable::default();
        assert_eq!(find(&table, "a"), None);
        assert_eq!(intern(&mut table, "b"), Some(0));
        assert_eq!(intern(&mut table, "a"), Some(1));
        assert_eq!(intern(&mut table, "b"), Some(0));
        assert_eq!(find(&table, "a"), Some(1));
        assert_eq!(find(&table, "c"), None);
        assert_eq!(table.get(1), Some("a"));
        assert_eq!(table.get(2), None);
        assert_eq!(table.iter().collect::<Vec<_>>(), ["b", "a"]);
    }

    #[test]
    fn terms_of_all_lengths_are_told_apart() {
        let mut table = TermTable::default();
        let terms: Vec<String> = (0..40).flat_map(|length| ["a", "b", "\0"].map(|text| text.repeat(length))).collect();
        let numbers: Vec<Option<u32>> = terms.iter().map(|term| intern(&mut table, term)).collect();
        for (term, number) in terms.iter().zip(&numbers) {
            assert_eq!(find(&table, term), *number);
            assert_eq!(number.and_then(|number| table.get(number as usize)), Some(term.as_str()));
        }
        // Only the empty text comes three times.
        assert_eq!(table.len(), terms.len() - 2);
    }

    #[test]
    fn numbers_are_told_from_texts_that_look_like_them() {
        let mut table = TermTable::default();
        let mut terms: Vec<String> = (0..3000).map(|number| (number * 7919 % 20_011).to_string()).collect();
        terms.extend(["007", "+7", "7.0", "seven", "00", "", "7000000", "70000000"].map(str::to_owned));
        // At first most are numbers, then few, then most again.
        terms.extend((0..9000).map(|number| format!("term {number}")));
        terms.extend((0..40_000).map(|number| (number + 20_011).to_string()));
        for round in 0..2 {
            for (number, term) in (0..).zip(&terms) {
                assert_eq!(find(&table, term), (round == 1).then_some(number), "{term}");
                assert_eq!(intern(&mut table, term), Some(number), "{term}");
                assert_eq!(find(&table, term), Some(number), "{term}");
            }
        }
        assert!(
            ["3", "100000000", "0007", "60011"]
                .iter()
                .all(|term| terms.contains(&(*term).to_owned()) || find(&table, term).is_none())
        );
        table.clear();
        assert!(terms.iter().all(|term| find(&table, term).is_none()));
        assert_eq!((intern(&mut table, "42"), find(&table, "42"), find(&table, "43")), (Some(0), Some(0), None));
    }

    #[test]
    fn every_term_is_found_after_growth() {
        let mut table = TermTable::default();
        for number in 0..5000_u32 {
            assert_eq!(intern(&mut table, &format!("term {number}")), Some(number));
        }
        for number in 0..5000_u32 {
            assert_eq!(find(&table, &format!("term {number}")), Some(number));
        }
        assert_eq!(find(&table, "term 5000"), None);
        assert_eq!(find(&table, ""), None);
    }
}
