use crate::MetricError;
use crate::input::{check_labels, check_probabilities, is_click};
use crate::sum::ExactSum;

/// The clip of [`log_loss`] unless another is asked for: the spacing of doubles at 1, `2^-52`.
///
/// scikit-learn's `log_loss` uses the same for double-precision input.
pub const DEFAULT_CLIP: f64 = f64::EPSILON;

/// Mean log loss in nats: `-ln p` for a click, `-ln(1 - p)` otherwise, with `p` first clipped to
/// `[clip, 1 - clip]`.
///
/// The clip decides what a certain and wrong prediction costs (36.04 at [`DEFAULT_CLIP`], 16.1 at
/// 1e-7), so figures with different clips do not compare.
///
/// Returns `None` when there are no samples; one class alone is no obstacle.
///
/// ```
/// use fain_metrics::{DEFAULT_CLIP, log_loss};
///
/// let loss = log_loss(&[0.5, 0.5], &[1.0, 0.0], DEFAULT_CLIP)?;
/// assert_eq!(loss, Some(std::f64::consts::LN_2));
/// # Ok::<(), fain_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Clip`] unless `f64::EPSILON <= clip < 0.5` (below, `1 - clip` could round to 1 and
/// the loss would be infinite), [`MetricError::Length`], [`MetricError::Label`] for a label other
/// than 0 and 1, [`MetricError::Probability`] for a value that is NaN or outside 0 to 1.
pub fn log_loss(probabilities: &[f64], labels: &[f32], clip: f64) -> Result<Option<f64>, MetricError> {
    check_clip(clip)?;
    check_labels(labels, probabilities.len())?;
    check_probabilities(probabilities)?;
    let mut total = ExactSum::default();
    for (&probability, &label) in probabilities.iter().zip(labels) {
        total.add(loss(probability, label, clip));
    }
    Ok((!labels.is_empty()).then(|| total.value() / labels.len() as f64))
}

pub(crate) fn check_clip(clip: f64) -> Result<(), MetricError> {
    if (f64::EPSILON..0.5).contains(&clip) { Ok(()) } else { Err(MetricError::Clip { value: clip }) }
}

/// The loss of one sample, 0 to 36.05.
pub(crate) fn loss(probability: f64, label: f32, clip: f64) -> f64 {
    let clipped = probability.clamp(clip, 1.0 - clip);
    if is_click(label) {
        -clipped.ln()
    } else {
        // 1 - p would lose the digits of a small p.
        -(-clipped).ln_1p()
    }
}
