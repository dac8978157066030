//! Histories that one interest reads together.

use fain_dataset::{BatchPlan, Batches, Dataset, Order, Origin, Split, Tail};
use fain_features::{Column, Sequences};

use crate::TrainingError;
use crate::evaluate::PREFETCH;

/// Rows looked at together.
const ROWS: usize = 8192;

/// Looks through all rows for histories of one interest whose lengths differ, before hours of training find one.
///
/// # Errors
/// [`TrainingError::HistoryLengths`] names the file, the row and the features.
pub(crate) fn check(dataset: &Dataset, groups: &[Vec<String>]) -> Result<(), TrainingError> {
    let schema = dataset.encoders().schema();
    let position = |name| schema.feature(name).map(|(position, feature)| (feature.name.as_str(), position));
    let groups: Vec<Vec<(&str, usize)>> = groups
        .iter()
        .filter(|names| names.len() > 1)
        .map(|names| names.iter().map(String::as_str).filter_map(position).collect())
        .collect();
    if groups.is_empty() {
        return Ok(());
    }
    check_split("training", dataset.train(), &groups, |row| dataset.train_origin(row))?;
    check_split("validation", dataset.validation(), &groups, |row| dataset.validation_origin(row))?;
    match dataset.test() {
        Some(test) => check_split("test", test, &groups, |row| dataset.test_origin(row)),
        None => Ok(()),
    }
}

/// `origin` says where a row of the split, counted from 0, came from.
fn check_split(
    name: &'static str,
    split: &Split,
    groups: &[Vec<(&str, usize)>],
    origin: impl Fn(u64) -> Option<Origin>,
) -> Result<(), TrainingError> {
    let plan = BatchPlan { batch_size: ROWS, order: Order::Sequential, tail: Tail::Keep, start: 0, prefetch: PREFETCH };
    let mut batches = Batches::new(split, plan)?;
    let mut before = 0;
    while let Some(samples) = batches.next().transpose()? {
        let lists = |feature: usize| match samples.columns.get(feature) {
            Some(Column::Sequence(lists)) => Some(lists),
            _ => None,
        };
        for group in groups {
            let Some((&(first, first_feature), others)) = group.split_first() else { continue };
            for &(other, other_feature) in others {
                let (Some(left), Some(right)) = (lists(first_feature), lists(other_feature)) else { continue };
                if let Some((row, first_length, other_length)) = difference(left, right) {
                    return Err(TrainingError::HistoryLengths {
                        split: name,
                        row: before + row + 1,
                        origin: origin(before + row),
                        first: first.to_owned(),
                        other: other.to_owned(),
                        first_length,
                        other_length,
                    });
                }
            }
        }
        before += samples.rows as u64;
        batches.recycle(samples);
    }
    Ok(())
}

/// The first row with different lengths, from 0, and the lengths.
fn difference(left: &Sequences, right: &Sequences) -> Option<(u64, u32, u32)> {
    let lengths = |lists: &Sequences| lists.offsets.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>();
    if left.offsets == right.offsets {
        return None;
    }
    let (left, right) = (lengths(left), lengths(right));
    let row = left.iter().zip(&right).position(|(left, right)| left != right)?;
    Some((row as u64, left[row], right[row]))
}
