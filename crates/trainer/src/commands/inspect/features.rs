//! Features as a table.

use fain_features::FeatureSummary;

use crate::text::{Align, count, table};

/// A table of features.
pub(super) fn text(features: &[FeatureSummary]) -> String {
    let heading = ["feature", "kind", "column", "vocabulary", "ids", ""].map(str::to_owned);
    let lines = features.iter().map(|line| {
        [
            line.feature.clone(),
            line.kind.to_owned(),
            line.column.clone(),
            line.vocabulary.clone().unwrap_or_default(),
            line.size.map(|size| count(size as u64)).unwrap_or_default(),
            line.detail.clone(),
        ]
    });
    let rows: Vec<_> = [heading].into_iter().chain(lines).collect();
    let left = Align::Left;
    table([left, left, left, left, Align::Right, left], &rows)
}
