//! What the rows of a split hold in each feature.

use fain_features::{Column, FeatureKind, Vocabulary};

use super::auc::{ByLabel, ValueCounts};
use super::finding::SplitName;
use super::plan::Plan;

/// What the rows of a split hold in one feature.
pub(super) enum ColumnTally {
    Category(CategoryTally),
    List(ListTally),
    Times(Lengths),
    /// Numbers as encoded.
    Numeric(ValueCounts),
}

/// Rows by id and label.
pub(super) struct CategoryTally {
    counts: Vec<[u32; 2]>,
    first_unknown: Option<u64>,
}

/// Lists by their lengths.
#[derive(Default)]
pub(super) struct Lengths {
    pub(super) counts: ValueCounts,
    empty: u64,
}

/// Lists of ids.
#[derive(Default)]
pub(super) struct ListTally {
    lengths: Lengths,
    values: u64,
    unknown: u64,
    first_unknown: Option<u64>,
    /// How often training shows each id; nothing for the other splits.
    shown: Vec<u32>,
    first: Option<Vec<u32>>,
    differ: bool,
}

/// Unknown terms of a feature.
pub(super) struct Unknown {
    pub(super) count: u64,
    pub(super) of: u64,
    pub(super) first: Option<u64>,
}

impl ColumnTally {
    pub(super) fn new(plan: &Plan<'_>, split: SplitName, place: usize) -> Self {
        let size = plan.size(place);
        match plan.feature(place).kind {
            FeatureKind::Category { .. } | FeatureKind::Bucket { .. } => {
                Self::Category(CategoryTally { counts: vec![[0; 2]; size], first_unknown: None })
            }
            FeatureKind::Sequence { .. } => {
                let shown = if split == SplitName::Train { vec![0; size] } else { Vec::new() };
                Self::List(ListTally { shown, ..ListTally::default() })
            }
            FeatureKind::Numeric { .. } => Self::Numeric(ValueCounts::default()),
            FeatureKind::Times { .. } => Self::Times(Lengths::default()),
        }
    }

    /// Takes a block of rows in; `labels` are 0 or 1, and the block's first row is the split's row `first`.
    pub(super) fn observe(&mut self, column: &Column, labels: &[usize], first: u64) {
        match (self, column) {
            (Self::Category(tally), Column::Category(ids)) => {
                for ((&id, &label), row) in ids.iter().zip(labels).zip(first..) {
                    tally.observe(id, label, row);
                }
            }
            (Self::List(tally), Column::Sequence(lists)) => {
                for (row, &label) in labels.iter().enumerate() {
                    tally.observe(lists.get(row).unwrap_or_default(), label, first + row as u64);
                }
            }
            (Self::Times(tally), Column::Times(lists)) => {
                for (row, &label) in labels.iter().enumerate() {
                    tally.observe(lists.get(row).unwrap_or_default().len(), label);
                }
            }
            (Self::Numeric(values), Column::Numeric(numbers)) => {
                for (&number, &label) in numbers.iter().zip(labels) {
                    values.add(number, label);
                }
            }
            // A split's columns are those of its schema.
            _ => {}
        }
    }

    /// The lengths of lists; `None` for a feature that has none.
    pub(super) fn lengths(&self) -> Option<&Lengths> {
        match self {
            Self::List(tally) => Some(&tally.lengths),
            Self::Times(lengths) => Some(lengths),
            Self::Category(_) | Self::Numeric(_) => None,
        }
    }

    /// Whether each of so many rows has a list without values.
    pub(super) fn is_empty(&self, rows: u64) -> bool {
        self.lengths().is_some_and(|lengths| lengths.empty == rows)
    }

    /// Whether all of so many rows have the same value. The empty list is one; other times are never taken for constant.
    pub(super) fn is_constant(&self, rows: u64) -> bool {
        rows > 0
            && match self {
                Self::Category(tally) => tally.commonest() == rows,
                Self::List(tally) => !tally.differ,
                Self::Times(lengths) => lengths.empty == rows,
                Self::Numeric(values) => values.is_exact() && values.commonest() == rows,
            }
    }

    /// Rows of the commonest value; of lists, the empty ones.
    pub(super) fn commonest(&self) -> u64 {
        match self {
            Self::Category(tally) => tally.commonest(),
            Self::List(ListTally { lengths, .. }) | Self::Times(lengths) => lengths.empty,
            Self::Numeric(values) => values.commonest(),
        }
    }

    /// Unknown terms among all; `None` for a feature without terms.
    pub(super) fn unknown(&self) -> Option<Unknown> {
        match self {
            Self::Category(tally) => {
                let rows = |counts: &[u32; 2]| u64::from(counts[0]) + u64::from(counts[1]);
                Some(Unknown {
                    count: tally.counts.get(Vocabulary::UNKNOWN as usize).map_or(0, rows),
                    of: tally.counts.iter().map(rows).sum(),
                    first: tally.first_unknown,
                })
            }
            Self::List(tally) => Some(Unknown { count: tally.unknown, of: tally.values, first: tally.first_unknown }),
            Self::Numeric(_) | Self::Times(_) => None,
        }
    }

    /// How often each id of the vocabulary comes, as far as it is counted.
    pub(super) fn shown(&self) -> Box<dyn Iterator<Item = u32> + '_> {
        match self {
            Self::Category(tally) => Box::new(tally.counts.iter().map(|[zeros, ones]| zeros.saturating_add(*ones))),
            Self::List(tally) => Box::new(tally.shown.iter().copied()),
            Self::Numeric(_) | Self::Times(_) => Box::new(std::iter::empty()),
        }
    }
}

impl CategoryTally {
    fn observe(&mut self, id: u32, label: usize, row: u64) {
        // Ids were held against the vocabulary when the dataset was opened.
        if let Some(counts) = self.counts.get_mut(id as usize) {
            counts[label] = counts[label].saturating_add(1);
        }
        if id == Vocabulary::UNKNOWN && self.first_unknown.is_none() {
            self.first_unknown = Some(row);
        }
    }

    /// Rows of each id, by label.
    pub(super) fn by_id(&self) -> impl ExactSizeIterator<Item = ByLabel> + '_ {
        self.counts.iter().map(|counts| counts.map(u64::from))
    }

    fn commonest(&self) -> u64 {
        self.by_id().map(|counts| counts[0] + counts[1]).max().unwrap_or(0)
    }
}

impl Lengths {
    fn observe(&mut self, length: usize, label: usize) {
        self.counts.add(length as f32, label);
        self.empty += u64::from(length == 0);
    }
}

impl ListTally {
    fn observe(&mut self, list: &[u32], label: usize, row: u64) {
        self.lengths.observe(list.len(), label);
        self.values += list.len() as u64;
        let unknown = list.iter().filter(|id| **id == Vocabulary::UNKNOWN).count() as u64;
        self.unknown += unknown;
        if unknown > 0 && self.first_unknown.is_none() {
            self.first_unknown = Some(row);
        }
        if !self.shown.is_empty() {
            for id in list {
                if let Some(count) = self.shown.get_mut(*id as usize) {
                    *count = count.saturating_add(1);
                }
            }
        }
        if !self.differ {
            self.differ = self.first.get_or_insert_with(|| list.to_vec()) != list;
        }
    }
}
