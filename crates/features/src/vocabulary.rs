//! Terms and their ids.

use fain_tables::TermTable;

/// The terms of one or more features and their ids.
///
/// Terms are sorted by code point and numbered from 1. Id 0 is the unknown: a rare term, a term not seen
/// in training, or a missing one. It stays 0 when a later vocabulary has more terms.
#[derive(Debug, Clone, PartialEq)]
pub struct Vocabulary {
    terms: TermTable,
}

impl Vocabulary {
    /// The id of every term that the vocabulary does not have.
    pub const UNKNOWN: u32 = 0;

    /// Number of ids, the unknown included: ids are `0..size`.
    pub fn size(&self) -> usize {
        self.terms.len() + 1
    }

    /// The id of a term; [`Vocabulary::UNKNOWN`] for one it does not have.
    pub fn id(&self, term: &str) -> u32 {
        self.terms.find(term).map_or(Self::UNKNOWN, |number| number + 1)
    }

    /// The term of an id; `None` for the unknown and for an id outside the vocabulary.
    pub fn term(&self, id: u32) -> Option<&str> {
        self.terms.get((id as usize).checked_sub(1)?)
    }

    /// The terms in the order of their ids, from id 1.
    pub fn terms(&self) -> impl ExactSizeIterator<Item = &str> {
        self.terms.iter()
    }

    /// A vocabulary of terms that are sorted, distinct and not empty; else the first term that is not.
    pub(crate) fn from_sorted<'a>(sorted: impl Iterator<Item = &'a str>) -> Result<Self, &'a str> {
        let mut terms = TermTable::default();
        let mut previous = "";
        for term in sorted {
            // The empty text is never a term, so that "greater than the one before" refuses it too.
            if term <= previous || terms.intern(term).is_none() {
                return Err(term);
            }
            previous = term;
        }
        Ok(Self { terms })
    }
}

/// Counts terms.
#[derive(Debug, Clone, Default)]
pub(crate) struct TermCounter {
    terms: TermTable,
    counts: Vec<u64>,
}

impl TermCounter {
    /// Counts a term; the empty text is a missing one and not counted. False when no more terms fit.
    pub(crate) fn observe(&mut self, term: &str) -> bool {
        self.observe_times(term, 1)
    }

    /// Counts a term that came so many times.
    pub(crate) fn observe_times(&mut self, term: &str, times: u64) -> bool {
        if term.is_empty() {
            return true;
        }
        let Some(number) = self.terms.intern(term) else { return false };
        match self.counts.get_mut(number as usize) {
            Some(count) => *count += times,
            None => self.counts.push(times),
        }
        true
    }

    /// The terms counted at least `min_count` times.
    pub(crate) fn finish(self, min_count: u64) -> Vocabulary {
        let mut kept: Vec<&str> = self
            .terms
            .iter()
            .zip(&self.counts)
            .filter(|&(_, &count)| count >= min_count)
            .map(|(term, _)| term)
            .collect();
        // UTF-8 keeps the order of code points.
        kept.sort_unstable();
        let mut terms = TermTable::default();
        for term in kept {
            // They fitted into one table before, so they fit again.
            terms.intern(term);
        }
        Vocabulary { terms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(terms: &[&str], min_count: u64) -> Vocabulary {
        let mut counter = TermCounter::default();
        assert!(terms.iter().all(|term| counter.observe(term)));
        counter.finish(min_count)
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
    fn stored_terms_must_be_sorted_distinct_and_not_empty() {
        assert_eq!(Vocabulary::from_sorted(["b", "a"].into_iter()), Err("a"));
        assert_eq!(Vocabulary::from_sorted(["a", "a"].into_iter()), Err("a"));
        assert_eq!(Vocabulary::from_sorted(["", "a"].into_iter()), Err(""));
        assert_eq!(Vocabulary::from_sorted(["a", "b"].into_iter()), Ok(fitted(&["b", "a"], 1)));
    }
}
