//! Which rows make which batch.

use std::ops::Range;

use crate::error::DatasetError;
use crate::permutation::Permutation;

/// The order of rows in an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As in the source.
    Sequential,
    /// A pseudo-random order, the same for the same seed, epoch and number of rows.
    Shuffled {
        /// Seed of the run.
        seed: u64,
        /// Number of the epoch: each has another order.
        epoch: u64,
    },
}

/// What becomes of the rows left when the batches are full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// They are the last batch.
    Keep,
    /// They are the last batch, unless it is a single row: that one joins the batch before, which has `batch_size + 1`
    /// rows then. Batch statistics of a single row are undefined. With `batch_size` 1, or with one row in all, there
    /// is nothing to merge.
    MergeSingle,
}

/// How an epoch is cut into batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchPlan {
    /// Rows of a batch, 1 or more.
    pub batch_size: usize,
    /// The order of rows.
    pub order: Order,
    /// What becomes of the rows left at the end.
    pub tail: Tail,
    /// Batches to skip: where an interrupted epoch goes on. At most the number of batches.
    pub start: u64,
    /// Batches made ahead of their use, 1 or more. It changes neither their order nor their contents.
    pub prefetch: usize,
}

impl BatchPlan {
    /// Batches of a whole epoch over so many rows.
    pub(crate) fn count(&self, rows: u64) -> u64 {
        let size = self.batch_size as u64;
        let count = rows.div_ceil(size);
        let single = size > 1 && count > 1 && rows % size == 1;
        if single && self.tail == Tail::MergeSingle { count - 1 } else { count }
    }

    pub(crate) fn check(&self, rows: u64) -> Result<(), DatasetError> {
        for (key, value) in [("batch_size", self.batch_size), ("prefetch", self.prefetch)] {
            if value == 0 {
                return Err(DatasetError::config(key, value, "must be 1 or more"));
            }
        }
        let count = self.count(rows);
        if self.start > count {
            let allowed = format!("must be at most {count}, the number of batches");
            return Err(DatasetError::config("start", self.start, allowed));
        }
        Ok(())
    }
}

/// The rows of every batch of an epoch.
#[derive(Debug, Clone)]
pub(crate) struct Epoch {
    rows: u64,
    size: u64,
    count: u64,
    permutation: Option<Permutation>,
}

impl Epoch {
    /// The plan must have been checked.
    pub(crate) fn new(plan: &BatchPlan, rows: u64) -> Self {
        Self {
            rows,
            size: plan.batch_size as u64,
            count: plan.count(rows),
            permutation: match plan.order {
                Order::Sequential => None,
                Order::Shuffled { seed, epoch } => Some(Permutation::new(rows, seed, epoch)),
            },
        }
    }

    /// Replaces `out` by the rows of one batch.
    pub(crate) fn batch(&self, number: u64, out: &mut Vec<u64>) {
        out.clear();
        match &self.permutation {
            None => out.extend(self.places(number)),
            Some(permutation) => out.extend(self.places(number).map(|place| permutation.row(place))),
        }
    }

    /// The places of a batch in the order. The last batch has whatever is left.
    fn places(&self, number: u64) -> Range<u64> {
        let start = number * self.size;
        let end = if number + 1 == self.count { self.rows } else { start + self.size };
        start..end
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn plan(batch_size: usize, tail: Tail) -> BatchPlan {
        BatchPlan { batch_size, order: Order::Sequential, tail, start: 0, prefetch: 1 }
    }

    fn sizes(rows: u64, plan: &BatchPlan) -> Vec<usize> {
        let epoch = Epoch::new(plan, rows);
        let mut batch = Vec::new();
        let size = |number| {
            epoch.batch(number, &mut batch);
            batch.len()
        };
        (0..plan.count(rows)).map(size).collect()
    }

    #[test]
    fn the_tail_is_kept_or_merged() {
        assert_eq!(sizes(9, &plan(4, Tail::Keep)), [4, 4, 1]);
        assert_eq!(sizes(9, &plan(4, Tail::MergeSingle)), [4, 5]);
        assert_eq!(sizes(10, &plan(4, Tail::MergeSingle)), [4, 4, 2]);
        assert_eq!(sizes(8, &plan(4, Tail::MergeSingle)), [4, 4]);
        assert_eq!(sizes(1, &plan(4, Tail::MergeSingle)), [1]);
        assert_eq!(sizes(3, &plan(1, Tail::MergeSingle)), [1, 1, 1]);
        assert_eq!(sizes(5, &plan(100, Tail::Keep)), [5]);
        assert_eq!(sizes(0, &plan(4, Tail::Keep)), [0; 0]);
    }

    #[test]
    fn plans_are_checked() {
        let message = |plan: BatchPlan| plan.check(10).unwrap_err().to_string();
        assert_eq!(message(plan(0, Tail::Keep)), "batch_size = 0: must be 1 or more");
        let none_ahead = BatchPlan { prefetch: 0, ..plan(4, Tail::Keep) };
        assert_eq!(message(none_ahead), "prefetch = 0: must be 1 or more");
        let beyond = BatchPlan { start: 4, ..plan(4, Tail::Keep) };
        assert_eq!(message(beyond), "start = 4: must be at most 3, the number of batches");
        BatchPlan { start: 3, ..plan(4, Tail::Keep) }.check(10).unwrap();
    }
}
