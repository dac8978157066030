//! Values and their ids.

use crate::counter::TermList;
use crate::hash::HashBuckets;
use crate::intervals::Intervals;
use crate::number::{Domain, parse_number};

/// The ids of the values of one or more features.
///
/// - Terms learnt from training rows are sorted by code point and numbered from 1. Terms that a vocabulary gained later
///   follow, sorted among themselves: ids never change.
/// - Hash buckets are numbered from 1: the id of a term is 1 + xxh3-64 of its UTF-8 bytes modulo their number. Two terms
///   may share a bucket.
/// - Intervals of a number are numbered from 1, from the lowest. A boundary belongs to the interval above it.
///
/// Id 0 is the unknown: a missing value and, among terms, a rare one or one not seen in training. It stays 0 when the
/// vocabulary grows.
#[derive(Debug, Clone, PartialEq)]
pub struct Vocabulary {
    pub(crate) ids: Ids,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ids {
    Terms(TermList),
    Hash(HashBuckets),
    Intervals(Intervals),
}

impl Vocabulary {
    /// The id of every value that the vocabulary does not have.
    pub const UNKNOWN: u32 = 0;

    /// Number of ids, the unknown included: ids are `0..size`.
    pub fn size(&self) -> usize {
        let values = match &self.ids {
            Ids::Terms(terms) => terms.len(),
            Ids::Hash(buckets) => buckets.number() as usize,
            Ids::Intervals(intervals) => intervals.number(),
        };
        values + 1
    }

    /// The id of a term; [`Vocabulary::UNKNOWN`] for one it does not have, and for the empty text. Among intervals it is
    /// the id of the number that the text says.
    pub fn id(&self, term: &str) -> u32 {
        match &self.ids {
            Ids::Terms(terms) => terms.find(term).map_or(Self::UNKNOWN, |number| number + 1),
            Ids::Hash(buckets) => buckets.id(term),
            Ids::Intervals(intervals) => intervals.id(parse_number(term, Domain::All).ok().flatten()),
        }
    }

    /// The id of a number's interval; [`Vocabulary::UNKNOWN`] for a missing one, for NaN, and where there are no
    /// intervals.
    pub fn id_of_number(&self, value: Option<f64>) -> u32 {
        match &self.ids {
            Ids::Intervals(intervals) => intervals.id(value),
            Ids::Terms(_) | Ids::Hash(_) => Self::UNKNOWN,
        }
    }

    /// The term of an id; `None` for the unknown, for an id outside the vocabulary, and where ids stand for buckets or
    /// intervals.
    pub fn term(&self, id: u32) -> Option<&str> {
        self.list()?.get((id as usize).checked_sub(1)?)
    }

    /// The terms in the order of their ids, from id 1; none where ids stand for buckets or intervals.
    pub fn terms(&self) -> impl ExactSizeIterator<Item = &str> {
        let count = self.list().map_or(0, TermList::len);
        (0..count).map(|number| self.list().and_then(|terms| terms.get(number)).unwrap_or_default())
    }

    /// How many terms the first fit and each later one added, in that order; empty where ids stand for buckets or
    /// intervals.
    pub fn generations(&self) -> &[u32] {
        self.list().map_or(&[], TermList::generations)
    }

    /// Number of hash buckets, where ids stand for those.
    pub fn buckets(&self) -> Option<u32> {
        match &self.ids {
            Ids::Hash(buckets) => Some(buckets.number()),
            Ids::Terms(_) | Ids::Intervals(_) => None,
        }
    }

    /// The numbers between two intervals, ascending, where ids stand for intervals.
    pub fn boundaries(&self) -> Option<&[f64]> {
        match &self.ids {
            Ids::Intervals(intervals) => Some(intervals.boundaries()),
            Ids::Terms(_) | Ids::Hash(_) => None,
        }
    }

    fn list(&self) -> Option<&TermList> {
        match &self.ids {
            Ids::Terms(terms) => Some(terms),
            Ids::Hash(_) | Ids::Intervals(_) => None,
        }
    }
}

impl From<TermList> for Vocabulary {
    fn from(terms: TermList) -> Self {
        Self { ids: Ids::Terms(terms) }
    }
}

impl From<HashBuckets> for Vocabulary {
    fn from(buckets: HashBuckets) -> Self {
        Self { ids: Ids::Hash(buckets) }
    }
}

impl From<Intervals> for Vocabulary {
    fn from(intervals: Intervals) -> Self {
        Self { ids: Ids::Intervals(intervals) }
    }
}
