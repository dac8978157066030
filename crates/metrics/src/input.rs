//! The checks every metric shares.

use crate::MetricError;

/// Fails unless `name` has one value per score.
pub(crate) fn check_length(name: &'static str, length: usize, scores: usize) -> Result<(), MetricError> {
    if length == scores { Ok(()) } else { Err(MetricError::Length { name, length, scores }) }
}

/// Whether a checked label is a click.
pub(crate) fn is_click(label: f32) -> bool {
    label > 0.5
}

/// Fails at the first label that is not 0 or 1.
#[allow(clippy::float_cmp, reason = "a label is exactly 0 or exactly 1")]
pub(crate) fn check_labels(labels: &[f32], scores: usize) -> Result<(), MetricError> {
    check_length("labels", labels.len(), scores)?;
    match first_outside(labels, |label| label == 0.0 || label == 1.0) {
        None => Ok(()),
        Some((index, value)) => Err(MetricError::Label { index, value }),
    }
}

/// Fails at the first score that is NaN. Infinities have a place in an order and pass.
pub(crate) fn check_scores(scores: &[f64]) -> Result<(), MetricError> {
    match first_outside(scores, |score| !score.is_nan()) {
        None => Ok(()),
        Some((index, _)) => Err(MetricError::NanScore { index }),
    }
}

/// Fails at the first value that is NaN or outside 0 to 1.
pub(crate) fn check_probabilities(probabilities: &[f64]) -> Result<(), MetricError> {
    match first_outside(probabilities, |value| (0.0..=1.0).contains(&value)) {
        None => Ok(()),
        Some((index, value)) => Err(MetricError::Probability { index, value }),
    }
}

/// The first value that is not allowed, and its index.
fn first_outside<T: Copy>(values: &[T], allowed: impl Fn(T) -> bool) -> Option<(usize, T)> {
    // Nearly all input is good. A pass that cannot stop early is one the compiler vectorises.
    if values.iter().fold(true, |all, &value| all & allowed(value)) {
        return None;
    }
    let mut indexed = values.iter().copied().enumerate();
    indexed.find(|&(_, value)| !allowed(value))
}
