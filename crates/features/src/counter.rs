//! Terms that are counted, and the list of those that are kept.

use std::collections::BTreeSet;

use fain_tables::{Term, TermTable};

/// Terms in the order of their ids.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct TermList {
    terms: TermTable,
    /// How many terms each fit added; no fit added none, but the first, which is always there.
    generations: Vec<u32>,
}

impl TermList {
    pub(crate) fn len(&self) -> usize {
        self.terms.len()
    }

    #[inline]
    pub(crate) fn find(&self, term: Term<'_>) -> Option<u32> {
        self.terms.find(term)
    }

    pub(crate) fn get(&self, number: usize) -> Option<&str> {
        self.terms.get(number)
    }

    pub(crate) fn generations(&self) -> &[u32] {
        &self.generations
    }

    /// A list read from a file: terms that are distinct, not empty, and sorted within each generation; else the first
    /// term that is not. The generations must be as long as the terms together.
    pub(crate) fn from_sorted<'a>(
        terms: impl IntoIterator<Item = &'a str>,
        generations: Vec<u32>,
    ) -> Result<Self, &'a str> {
        let mut table = TermTable::default();
        let mut starts: BTreeSet<usize> = BTreeSet::new();
        let mut start = 0;
        for &length in &generations {
            starts.insert(start);
            start += length as usize;
        }
        let mut previous = "";
        for (number, term) in terms.into_iter().enumerate() {
            if starts.contains(&number) {
                previous = "";
            }
            // The empty text is never a term, so that "greater than the one before" refuses it too. A term of an
            // earlier generation keeps its old number.
            if term <= previous || table.intern(Term::new(term)) != u32::try_from(number).ok() {
                return Err(term);
            }
            previous = term;
        }
        Ok(Self { terms: table, generations })
    }

    /// Adds the new terms among those that were counted often enough. False when they do not fit.
    pub(crate) fn grow(&mut self, counter: &TermCounter, min_count: u64) -> bool {
        let before = self.len();
        for term in counter.kept(min_count) {
            if self.terms.intern(Term::new(term)).is_none() {
                return false;
            }
        }
        if self.len() > before {
            self.generations.push((self.len() - before) as u32);
        }
        true
    }
}

/// Counts terms.
#[derive(Debug, Clone, Default)]
pub(crate) struct TermCounter {
    terms: TermTable,
    counts: Vec<u64>,
}

impl TermCounter {
    /// The number of the empty text, which is no term.
    pub(crate) const MISSING: u32 = u32::MAX;

    /// Counts a term so many times; the empty text is a missing one and not counted. False when no more terms fit.
    pub(crate) fn observe(&mut self, term: Term<'_>, times: u64) -> bool {
        if term.is_empty() || times == 0 {
            return true;
        }
        let Some(number) = self.terms.intern(term) else { return false };
        match self.counts.get_mut(number as usize) {
            Some(count) => *count = count.saturating_add(times),
            None => self.counts.push(times),
        }
        true
    }

    /// Counts a term once, and gives its number, [`TermCounter::MISSING`] for the empty text; `None` when no more terms
    /// fit.
    #[inline]
    pub(crate) fn count(&mut self, term: Term<'_>) -> Option<u32> {
        if term.is_empty() {
            return Some(Self::MISSING);
        }
        let number = self.terms.intern(term)?;
        match self.counts.get_mut(number as usize) {
            Some(count) => *count = count.saturating_add(1),
            None => self.counts.push(1),
        }
        Some(number)
    }

    /// Counts terms once more, by their numbers.
    pub(crate) fn count_again(&mut self, numbers: &[u32]) {
        for &number in numbers {
            // The empty text has no count.
            if let Some(count) = self.counts.get_mut(number as usize) {
                *count = count.saturating_add(1);
            }
        }
    }

    /// Counts what another counter counted. False when no more terms fit.
    pub(crate) fn merge(&mut self, other: &Self) -> bool {
        other.terms.iter().zip(&other.counts).all(|(term, &times)| self.observe(Term::new(term), times))
    }

    /// Forgets all terms and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.terms.clear();
        self.counts.clear();
    }

    /// The terms counted at least `min_count` times.
    pub(crate) fn finish(&self, min_count: u64) -> TermList {
        let mut terms = TermTable::default();
        for term in self.kept(min_count) {
            // They fitted into one table before, so they fit again.
            terms.intern(Term::new(term));
        }
        TermList { generations: vec![terms.len() as u32], terms }
    }

    /// The terms counted at least `min_count` times, sorted.
    fn kept(&self, min_count: u64) -> Vec<&str> {
        let counted = self.terms.iter().zip(&self.counts);
        let mut kept: Vec<&str> = counted.filter(|&(_, &count)| count >= min_count).map(|(term, _)| term).collect();
        // UTF-8 keeps the order of code points.
        kept.sort_unstable();
        kept
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::vocabulary::Vocabulary;

    fn counted(terms: &[&str]) -> TermCounter {
        let mut counter = TermCounter::default();
        assert!(terms.iter().all(|term| counter.observe(Term::new(term), 1)));
        counter
    }

    fn fitted(terms: &[&str], min_count: u64) -> Vocabulary {
        counted(terms).finish(min_count).into()
    }

    #[test]
    fn ids_are_sorted_by_code_point_and_start_at_one() {
        let vocabulary = fitted(&["b", "\u{1F600}", "a", "\u{FFEE}", "b"], 1);
        assert_eq!(vocabulary.terms().collect::<Vec<_>>(), ["a", "b", "\u{FFEE}", "\u{1F600}"]);
        assert_eq!(vocabulary.size(), 5);
        assert_eq!(vocabulary.id("a"), 1);
        assert_eq!(vocabulary.id("\u{1F600}"), 4);
        assert_eq!(vocabulary.term(2), Some("b"));
        assert_eq!(vocabulary.term(0), None);
        assert_eq!(vocabulary.term(5), None);
    }

    #[test]
    fn rare_unseen_and_missing_terms_are_unknown() {
        let vocabulary = fitted(&["x", "x", "y", "", ""], 2);
        assert_eq!(vocabulary.size(), 2);
        assert_eq!(vocabulary.id("x"), 1);
        for term in ["y", "z", ""] {
            assert_eq!(vocabulary.id(term), Vocabulary::UNKNOWN);
        }
    }

    #[test]
    fn nothing_observed_leaves_the_unknown_alone() {
        let vocabulary = fitted(&[], 1);
        assert_eq!((vocabulary.size(), vocabulary.id("x"), vocabulary.term(0)), (1, 0, None));
    }

    #[test]
    fn counters_add_up() {
        let mut counter = counted(&["a", "b"]);
        assert!(
            counter.merge(&counted(&["b", "c"]))
                && counter.observe(Term::new("c"), 4)
                && counter.observe(Term::new("d"), 0)
        );
        assert_eq!(counter.finish(2).terms.iter().collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(counter.finish(5).terms.iter().collect::<Vec<_>>(), ["c"]);
        counter.clear();
        assert_eq!(counter.finish(1).len(), 0);
        assert!(counter.observe(Term::new("z"), 1));
        assert_eq!(counter.finish(1).terms.iter().collect::<Vec<_>>(), ["z"]);
    }

    #[test]
    fn new_terms_follow_the_old_ones() {
        let mut list = counted(&["m", "c"]).finish(1);
        assert!(list.grow(&counted(&["z", "a", "z", "m"]), 1) && list.grow(&counted(&["a", "b", "b"]), 2));
        assert!(list.grow(&counted(&["a"]), 1));
        assert_eq!(list.terms.iter().collect::<Vec<_>>(), ["c", "m", "a", "z", "b"]);
        assert_eq!(list.generations(), [2, 2, 1]);
        assert_eq!(TermList::from_sorted(["c", "m", "a", "z", "b"], vec![2, 2, 1]), Ok(list));
    }

    #[test]
    fn stored_terms_must_be_sorted_distinct_and_not_empty() {
        assert_eq!(TermList::from_sorted(["b", "a"], vec![2]), Err("a"));
        assert_eq!(TermList::from_sorted(["a", "a"], vec![2]), Err("a"));
        assert_eq!(TermList::from_sorted(["a", "a"], vec![1, 1]), Err("a"));
        assert_eq!(TermList::from_sorted(["", "a"], vec![2]), Err(""));
        assert_eq!(TermList::from_sorted(["b", "a", "c"], vec![1, 2]).unwrap().len(), 3);
    }
}
