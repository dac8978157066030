//! What one pass over a split counts.

use fain_features::Samples;

use super::columns::ColumnTally;
use super::duplicates::RowTally;
use super::finding::SplitName;
use super::hash_sample::GroupSample;
use super::history::HistoryTally;
use super::negatives::NegativesTally;
use super::plan::Plan;
use super::times::TimesTally;

/// Groups of a split that are held in memory; of more, some are drawn by their hash.
const MOST_GROUPS: usize = 1 << 22;

/// What one pass over a split counts. It does not depend on the order of the rows, but for the examples.
pub(super) struct Tally {
    pub(super) split: SplitName,
    pub(super) rows: u64,
    pub(super) positives: u64,
    pub(super) content: RowTally,
    pub(super) groups: Option<GroupSample>,
    pub(super) times: Option<TimesTally>,
    /// One for each feature.
    pub(super) columns: Vec<ColumnTally>,
    /// One for each history of the plan.
    pub(super) histories: Vec<HistoryTally>,
    /// One for each sequence of negatives of the plan.
    pub(super) negatives: Vec<NegativesTally>,
    labels: Vec<usize>,
}

impl Tally {
    /// Nothing counted yet, of a split with so many rows. Those later than `limit` will be, where they have times.
    pub(super) fn new(plan: &Plan<'_>, split: SplitName, rows: u64, limit: Option<i64>) -> Self {
        Self {
            split,
            rows: 0,
            positives: 0,
            content: RowTally::new(plan.config.most_compared, rows),
            groups: plan.encoders.schema().group().map(|_| GroupSample::new(MOST_GROUPS)),
            times: plan.encoders.schema().time().map(|_| TimesTally::new(plan, limit)),
            columns: (0..plan.features().len()).map(|place| ColumnTally::new(plan, split, place)).collect(),
            histories: plan.histories.iter().map(|history| HistoryTally::new(plan.size(history.sequence))).collect(),
            negatives: plan.negatives.iter().map(|one| NegativesTally::new(plan.size(one.sequence))).collect(),
            labels: Vec::new(),
        }
    }

    /// Takes the next rows of the split in.
    pub(super) fn observe(&mut self, plan: &Plan<'_>, samples: &Samples) {
        let first = self.rows;
        let mut labels = std::mem::take(&mut self.labels);
        labels.clear();
        labels.extend(samples.labels.iter().flatten().map(|label| usize::from(*label > 0.5)));
        self.rows += labels.len() as u64;
        self.positives += labels.iter().sum::<usize>() as u64;
        self.content.observe(plan, samples, &labels, first);
        if let (Some(tally), Some(groups)) = (&mut self.groups, &samples.groups) {
            groups.iter().zip(first..).for_each(|(group, row)| tally.add(*group, row));
        }
        if let (Some(tally), Some(times)) = (&mut self.times, &samples.times) {
            tally.observe(samples, times, first);
        }
        for (tally, column) in self.columns.iter_mut().zip(&samples.columns) {
            tally.observe(column, &labels, first);
        }
        for (tally, history) in self.histories.iter_mut().zip(&plan.histories) {
            tally.observe(history, samples, &labels, first);
        }
        for (tally, negatives) in self.negatives.iter_mut().zip(&plan.negatives) {
            tally.observe(negatives, samples, &labels, first);
        }
        self.labels = labels;
    }

    /// Rows with each label.
    pub(super) fn classes(&self) -> [u64; 2] {
        [self.rows - self.positives, self.positives]
    }
}
