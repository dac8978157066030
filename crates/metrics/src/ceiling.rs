use crate::MetricError;
use serde::{Deserialize, Serialize};

/// How far a model went from the blind AUC to the best possible one, on data whose true click
/// probabilities are known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CeilingReport {
    /// The model's AUC.
    pub auc: f64,
    /// The AUC of the best scores that do not look at the history.
    pub blind_auc: f64,
    /// The AUC of the true click probabilities.
    pub optimal_auc: f64,
    /// `(auc - blind_auc) / (optimal_auc - blind_auc)`: 0 for a model that gains nothing from the
    /// history, 1 for the best possible one; below 0 and above 1 are possible. `None` when the
    /// optimal AUC is not above the blind one, so that there is no way to go.
    pub share: Option<f64>,
}

/// Places a model's AUC between the blind and the optimal AUC of the same samples.
///
/// ```
/// let report = fain_metrics::ceiling_report(0.75, 0.5, 1.0)?;
/// assert_eq!(report.share, Some(0.5));
/// # Ok::<(), fain_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Auc`] for a value that is NaN or outside 0 to 1.
pub fn ceiling_report(auc: f64, blind_auc: f64, optimal_auc: f64) -> Result<CeilingReport, MetricError> {
    for (name, value) in [("auc", auc), ("blind_auc", blind_auc), ("optimal_auc", optimal_auc)] {
        if !(0.0..=1.0).contains(&value) {
            return Err(MetricError::Auc { name, value });
        }
    }
    let share = (optimal_auc > blind_auc).then(|| (auc - blind_auc) / (optimal_auc - blind_auc));
    Ok(CeilingReport { auc, blind_auc, optimal_auc, share })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::ceiling_report;

    #[test]
    fn share_runs_from_blind_to_optimal_and_beyond() {
        for (auc, share) in [(0.625, 0.0), (0.875, 1.0), (0.5, -0.5), (1.0, 1.5)] {
            assert_eq!(ceiling_report(auc, 0.625, 0.875).unwrap().share, Some(share));
        }
    }

    #[test]
    fn no_share_without_a_way_to_go() {
        assert_eq!(ceiling_report(0.7, 0.7, 0.7).unwrap().share, None);
        assert_eq!(ceiling_report(0.7, 0.8, 0.7).unwrap().share, None);
    }

    #[test]
    fn refuses_what_is_no_auc() {
        let message = |report: Result<_, crate::MetricError>| report.unwrap_err().to_string();
        assert_eq!(message(ceiling_report(f64::NAN, 0.6, 0.8)), "auc is NaN: 0 to 1 is allowed");
        assert_eq!(message(ceiling_report(0.7, -0.1, 0.8)), "blind_auc is -0.1: 0 to 1 is allowed");
        assert_eq!(message(ceiling_report(0.7, 0.6, 1.5)), "optimal_auc is 1.5: 0 to 1 is allowed");
    }
}
