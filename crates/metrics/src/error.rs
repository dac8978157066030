/// What is wrong with the input of a metric.
///
/// An index counts from 0, within the slices of the call that failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// A slice has another length than the scores it belongs to.
    #[error("{name} has {length} values and there are {scores} scores: one per score is needed")]
    Length {
        /// `labels` or `groups`.
        name: &'static str,
        /// The length of that slice.
        length: usize,
        /// The number of scores.
        scores: usize,
    },
    /// A label is neither 0 nor 1.
    #[error("label at index {index} is {value}: 0 or 1 is allowed")]
    Label {
        /// Where it stands.
        index: usize,
        /// The label as given.
        value: f32,
    },
    /// A score is NaN and has no place in an order.
    #[error("score at index {index} is NaN: a number or an infinity is allowed")]
    NanScore {
        /// Where it stands.
        index: usize,
    },
    /// A probability is NaN or outside 0 to 1.
    #[error("probability at index {index} is {value}: 0 to 1 is allowed")]
    Probability {
        /// Where it stands.
        index: usize,
        /// The probability as given.
        value: f64,
    },
    /// The clip of log loss is NaN, below `f64::EPSILON`, or 0.5 or more.
    #[error("clip of log loss is {value}: {} (f64::EPSILON) up to, not including, 0.5 is allowed", f64::EPSILON)]
    Clip {
        /// The clip as given.
        value: f64,
    },
    /// Some updates came with groups and some without.
    #[error(
        "this update comes {} groups and earlier ones came {}: give groups with every update or with none",
        if *.with_groups { "with" } else { "without" },
        if *.with_groups { "without" } else { "with" }
    )]
    MixedGroups {
        /// Whether the update that failed had groups.
        with_groups: bool,
    },
    /// An AUC given to [`ceiling_report`](crate::ceiling_report) is NaN or outside 0 to 1.
    #[error("{name} is {value}: 0 to 1 is allowed")]
    Auc {
        /// `auc`, `blind_auc` or `optimal_auc`.
        name: &'static str,
        /// The value as given.
        value: f64,
    },
}
