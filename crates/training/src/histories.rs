//! Histories that one interest reads together.

use fain_dataset::{BatchPlan, Batches, Dataset, Order, Origin, Split, Tail};
use fain_features::{Column, Times};
use fain_models::ModelConfig;

use crate::TrainingError;
use crate::evaluate::PREFETCH;

/// Rows looked at together.
const ROWS: usize = 8192;

/// Looks through all rows for histories of one interest whose lengths differ, and for times that fall, before hours of
/// training find one.
///
/// # Errors
/// [`TrainingError::HistoryLengths`] and [`TrainingError::FallingTimes`] name the file, the row and the features.
pub(crate) fn check(dataset: &Dataset, model: &ModelConfig) -> Result<(), TrainingError> {
    let schema = dataset.encoders().schema();
    let positions = |names: &[String]| -> Vec<(&str, usize)> {
        let found = names.iter().filter_map(|name| schema.feature(name));
        found.map(|(position, feature)| (feature.name.as_str(), position)).collect()
    };
    let groups = model.equal_lengths().iter().filter(|names| names.len() > 1).map(|names| positions(names)).collect();
    let rules = Rules { groups, times: positions(&model.times()) };
    if rules.groups.is_empty() && rules.times.is_empty() {
        return Ok(());
    }
    check_split("training", dataset.train(), &rules, |row| dataset.train_origin(row))?;
    check_split("validation", dataset.validation(), &rules, |row| dataset.validation_origin(row))?;
    match dataset.test() {
        Some(test) => check_split("test", test, &rules, |row| dataset.test_origin(row)),
        None => Ok(()),
    }
}

/// What a model asks of its lists; each feature with its place.
struct Rules<'a> {
    /// Features whose lists have equal lengths in a row.
    groups: Vec<Vec<(&'a str, usize)>>,
    /// Features of times that never fall within a row.
    times: Vec<(&'a str, usize)>,
}

/// `origin` says where a row of the split, counted from 0, came from.
fn check_split(
    name: &'static str,
    split: &Split,
    rules: &Rules<'_>,
    origin: impl Fn(u64) -> Option<Origin>,
) -> Result<(), TrainingError> {
    let plan = BatchPlan { batch_size: ROWS, order: Order::Sequential, tail: Tail::Keep, start: 0, prefetch: PREFETCH };
    let mut batches = Batches::new(split, plan)?;
    let mut before = 0;
    while let Some(samples) = batches.next().transpose()? {
        let lists = |feature: usize| match samples.columns.get(feature) {
            Some(Column::Sequence(lists)) => Some(lists.offsets.as_slice()),
            Some(Column::Times(times)) => Some(times.offsets.as_slice()),
            _ => None,
        };
        for &(feature, place) in &rules.times {
            let Some(Column::Times(times)) = samples.columns.get(place) else { continue };
            if let Some((row, [before_it, time])) = fall(times) {
                return Err(TrainingError::FallingTimes {
                    split: name,
                    row: before + row + 1,
                    origin: origin(before + row).map(Box::new),
                    feature: feature.to_owned(),
                    before: before_it,
                    time,
                });
            }
        }
        for group in &rules.groups {
            let Some((&(first, first_feature), others)) = group.split_first() else { continue };
            for &(other, other_feature) in others {
                let (Some(left), Some(right)) = (lists(first_feature), lists(other_feature)) else { continue };
                if let Some((row, first_length, other_length)) = difference(left, right) {
                    return Err(TrainingError::HistoryLengths {
                        split: name,
                        row: before + row + 1,
                        origin: origin(before + row).map(Box::new),
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
fn difference(left: &[u32], right: &[u32]) -> Option<(u64, u32, u32)> {
    let lengths = |offsets: &[u32]| offsets.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>();
    if left == right {
        return None;
    }
    let (left, right) = (lengths(left), lengths(right));
    let row = left.iter().zip(&right).position(|(left, right)| left != right)?;
    Some((row as u64, left[row], right[row]))
}

/// The first row in which a time is below the one before it, from 0, and the two.
fn fall(times: &Times) -> Option<(u64, [i64; 2])> {
    (0..times.offsets.len() - 1).find_map(|row| {
        let pair = times.get(row)?.windows(2).find(|pair| pair[1] < pair[0])?;
        Some((row as u64, [pair[0], pair[1]]))
    })
}
