use crate::MetricError;
use crate::input::{check_labels, check_scores};
use crate::ranking::{ByClass, auc_of_sorted, order_key};

/// Area under the ROC curve: the share of (clicked, not clicked) pairs that the scores put in the
/// right order, where a tie counts one half (the Mann–Whitney statistic).
///
/// `scores` may be probabilities, logits or any other ranking score, infinities included; only
/// their order counts. Two scores tie when they are equal, and `-0.0` equals `0.0`.
///
/// Returns `None` when one of the two classes is missing, or both. Pairs are counted in integers.
/// Takes time `n log n` and 8 bytes per score.
///
/// ```
/// use fain_metrics::auc;
///
/// assert_eq!(auc(&[0.9, 0.4, 0.4, 0.1], &[1.0, 1.0, 0.0, 0.0])?, Some(3.5 / 4.0));
/// assert_eq!(auc(&[0.9, 0.4], &[1.0, 1.0])?, None);
/// # Ok::<(), fain_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Length`], [`MetricError::Label`] for a label other than 0 and 1,
/// [`MetricError::NanScore`].
pub fn auc(scores: &[f64], labels: &[f32]) -> Result<Option<f64>, MetricError> {
    check_labels(labels, scores.len())?;
    check_scores(scores)?;
    let mut keys = ByClass::default();
    for (&score, &label) in scores.iter().zip(labels) {
        keys.push(order_key(score), label);
    }
    keys.sort();
    Ok(auc_of_sorted(&keys.positives, &keys.negatives))
}
