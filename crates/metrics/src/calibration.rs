use crate::MetricError;
use crate::input::{check_labels, check_probabilities, is_click};
use crate::sum::ExactSum;

/// Predicted clicks over observed clicks (PCOC): mean probability divided by the click rate.
///
/// 1 is calibrated on the whole, above 1 promises too many clicks. It says nothing about segments.
///
/// Returns `None` when there is no click to divide by, so also without samples.
///
/// ```
/// use fain_metrics::pcoc;
///
/// assert_eq!(pcoc(&[0.5, 0.25, 0.75], &[1.0, 0.0, 0.0])?, Some(1.5));
/// assert_eq!(pcoc(&[0.5], &[0.0])?, None);
/// # Ok::<(), fain_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Length`], [`MetricError::Label`] for a label other than 0 and 1,
/// [`MetricError::Probability`] for a value that is NaN or outside 0 to 1.
pub fn pcoc(probabilities: &[f64], labels: &[f32]) -> Result<Option<f64>, MetricError> {
    check_labels(labels, probabilities.len())?;
    check_probabilities(probabilities)?;
    let mut predicted = ExactSum::default();
    for &probability in probabilities {
        predicted.add(probability);
    }
    let clicks = labels.iter().filter(|&&label| is_click(label)).count() as u64;
    Ok(predicted_over_observed(predicted, clicks))
}

pub(crate) fn predicted_over_observed(predicted: ExactSum, clicks: u64) -> Option<f64> {
    (clicks > 0).then(|| predicted.value() / clicks as f64)
}
