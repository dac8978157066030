//! The audit of a dataset: what makes a measured quality a lie, found before a model learns from it.

mod auc;
mod balance;
mod columns;
mod config;
mod constants;
mod duplicates;
mod finding;
mod hash_sample;
mod history;
mod leakage;
mod negatives;
mod plan;
mod report;
mod row_hash;
mod tally;
mod terms;
mod times;

use std::ops::ControlFlow;

use fain_features::Samples;

use crate::batches::Batches;
use crate::dataset::Dataset;
use crate::error::DatasetError;
use crate::origin::Origin;
use crate::plan::{BatchPlan, Order, Tail};
use crate::split::Split;
use plan::Plan;
use tally::Tally;

pub use config::{AuditConfig, AuditMode};
pub use finding::{Example, Finding, FindingKind, Severity, SplitName};
pub use report::{Audit, SplitStatistics, UnknownShare};

/// Rows looked at at once.
const BLOCK: usize = 2048;

/// How far an audit has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditProgress {
    /// Rows looked at, of all splits together.
    pub rows_done: u64,
    /// Rows of all splits.
    pub rows_total: u64,
}

/// Looks for what makes a measured quality a lie, in one pass over the encoded rows of each split:
///
/// - rows that stand in two splits, or more than once in one; validation equal to test
/// - candidates inside their own history, events after their sample, training rows after the first test row
/// - drawn negatives that are positives
/// - single columns that tell the label: their AUC, of a category that of its share of positives in training
/// - terms and groups that training does not teach, features that say nothing, classes that come in other shares
///
/// The same rows in another order give the same findings, but for the rows given as examples. Memory does not grow with
/// the rows beyond [`AuditConfig::most_compared`] of each split; it grows with the vocabularies, by at most 8 bytes a
/// term for each feature, each history and each split. `progress` is called every few thousand rows, and stops the work
/// by answering [`ControlFlow::Break`].
///
/// # Errors
/// [`DatasetError::Config`] for a setting or a feature's name that is not allowed; [`DatasetError::Interrupted`] if
/// `progress` asked for it.
pub fn audit(
    dataset: &Dataset,
    config: &AuditConfig,
    progress: &mut dyn FnMut(&AuditProgress) -> ControlFlow<()>,
) -> Result<Audit, DatasetError> {
    let plan = Plan::new(dataset.encoders(), config)?;
    // Training comes last: what is counted there depends on when the test begins.
    let mut splits: Vec<(SplitName, &Split)> =
        dataset.test().map(|split| (SplitName::Test, split)).into_iter().collect();
    splits.extend([(SplitName::Validation, dataset.validation()), (SplitName::Train, dataset.train())]);
    let mut state = AuditProgress { rows_done: 0, rows_total: splits.iter().map(|(_, split)| split.rows()).sum() };
    let mut tallies: Vec<Tally> = Vec::with_capacity(splits.len());
    let mut test_begins = None;
    for (name, split) in splits {
        let limit = test_begins.filter(|_| name == SplitName::Train);
        let mut tally = Tally::new(&plan, name, split.rows(), limit);
        pass(split, |samples| {
            tally.observe(&plan, samples);
            state.rows_done += samples.rows as u64;
            progress(&state)
        })?;
        if name == SplitName::Test {
            test_begins = tally.times.as_ref().and_then(|times| times.earliest);
        }
        tallies.push(tally);
    }
    tallies.sort_by_key(|tally| tally.split);
    let mut findings = Vec::new();
    duplicates::find(&plan, &mut tallies, &mut findings);
    let telling = history::find(&plan, &tallies, &mut findings);
    times::find(&plan, &tallies, &mut findings);
    negatives::find(&plan, &tallies, &mut findings);
    leakage::find(&plan, &tallies, &telling, &mut findings);
    constants::find(&plan, &tallies, &mut findings);
    terms::find(&plan, &tallies, &mut findings);
    balance::find(&plan, &tallies, &mut findings);
    findings.sort_by(|a, b| a.rank().cmp(&b.rank()));
    for example in findings.iter_mut().filter_map(|finding| finding.example.as_mut()) {
        example.origin = origin(dataset, example).map(|origin| origin.to_string());
    }
    let training = tallies.iter().find(|tally| tally.split == SplitName::Train);
    let splits = tallies.iter().map(|tally| SplitStatistics::new(&plan, tally, training)).collect();
    Ok(Audit { findings, splits })
}

/// Visits the rows of a split in order, block by block.
fn pass(split: &Split, mut visit: impl FnMut(&Samples) -> ControlFlow<()>) -> Result<(), DatasetError> {
    let plan = BatchPlan { batch_size: BLOCK, order: Order::Sequential, tail: Tail::Keep, start: 0, prefetch: 2 };
    let mut batches = Batches::new(split, plan)?;
    while let Some(batch) = batches.next() {
        let batch = batch?;
        if visit(&batch).is_break() {
            return Err(DatasetError::Interrupted);
        }
        batches.recycle(batch);
    }
    Ok(())
}

fn origin(dataset: &Dataset, example: &Example) -> Option<Origin> {
    match example.split {
        SplitName::Train => dataset.train_origin(example.row),
        SplitName::Validation => dataset.validation_origin(example.row),
        SplitName::Test => dataset.test_origin(example.row),
    }
}
