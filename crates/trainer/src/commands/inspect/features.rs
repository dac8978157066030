//! The features of a schema, one line each.

use fain_features::{Feature, FeatureKind, FeatureSummary, Keep, Scaling, Schema};

use crate::text::{Align, count, table};

/// The features as the configuration gives them: nothing is fitted yet, so that no vocabulary has a size.
pub(super) fn of_schema(schema: &Schema) -> Vec<FeatureSummary> {
    let line = |feature: &Feature| {
        let (kind, vocabulary, detail) = match &feature.kind {
            FeatureKind::Category { vocabulary } => ("category", Some(*vocabulary), String::new()),
            FeatureKind::Sequence { vocabulary, separator, max_length, keep } => {
                let end = match keep {
                    Keep::Last => "last",
                    Keep::First => "first",
                };
                let detail = format!("{end} {max_length}, separated by \"{}\"", separator.escape_debug());
                ("sequence", Some(*vocabulary), detail)
            }
            FeatureKind::Numeric { scale } => ("numeric", None, scaling(*scale)),
        };
        let min_count = vocabulary.filter(|&index| schema.vocabularies()[index] == feature.name);
        let min_count = min_count.map(|index| schema.min_counts()[index]).filter(|&least| least > 1);
        let rare = min_count.map(|least| format!("terms seen at least {least} times"));
        let detail: Vec<String> = [Some(detail).filter(|text| !text.is_empty()), rare].into_iter().flatten().collect();
        FeatureSummary {
            feature: feature.name.clone(),
            kind,
            column: feature.column.clone(),
            vocabulary: vocabulary.map(|index| schema.vocabularies()[index].clone()),
            size: None,
            detail: detail.join(", "),
        }
    };
    schema.features().iter().map(line).collect()
}

fn scaling(scale: Scaling) -> String {
    match scale {
        Scaling::Standard => "scaled to mean 0 and standard deviation 1".to_owned(),
        Scaling::MinMax => "scaled to 0 to 1".to_owned(),
        Scaling::Quantile { quantiles } => format!("scaled to its rank, {quantiles} quantiles"),
        Scaling::None => "as it is".to_owned(),
    }
}

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
