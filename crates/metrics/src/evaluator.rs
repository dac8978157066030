use crate::MetricError;
use crate::calibration::predicted_over_observed;
use crate::gauc::{GroupWeighting, Grouped, group_key};
use crate::input::{check_labels, check_length, check_probabilities};
use crate::log_loss::{DEFAULT_CLIP, check_clip, loss};
use crate::ranking::{ByClass, auc_of_sorted};
use crate::sum::ExactSum;
use serde::{Deserialize, Serialize};

/// What an [`Evaluator`] needs to be told, as written in a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvaluatorConfig {
    /// The weight of a user's AUC in GAUC.
    pub gauc_weighting: GroupWeighting,
    /// The clip of log loss, `f64::EPSILON` up to, not including, 0.5.
    pub log_loss_clip: f64,
}

impl Default for EvaluatorConfig {
    /// Impressions, and [`DEFAULT_CLIP`].
    fn default() -> Self {
        Self { gauc_weighting: GroupWeighting::default(), log_loss_clip: DEFAULT_CLIP }
    }
}

/// Every metric of the samples an [`Evaluator`] has seen. An undefined metric is `None`, which
/// serialises as `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Area under the ROC curve; undefined unless both classes occur.
    pub auc: Option<f64>,
    /// Group AUC; undefined without groups, or when no group has both classes.
    pub gauc: Option<f64>,
    /// Mean log loss in nats; undefined without samples.
    pub log_loss: Option<f64>,
    /// Predicted clicks over observed clicks; undefined without clicks.
    pub pcoc: Option<f64>,
    /// Samples seen.
    pub samples: u64,
    /// Clicks among them.
    pub positives: u64,
    /// Groups with both classes, which GAUC is over; 0 without groups.
    pub groups_used: u64,
    /// Groups with one class only, which GAUC leaves out; 0 without groups.
    pub groups_skipped: u64,
    /// The weight each group had in GAUC.
    pub gauc_weighting: GroupWeighting,
    /// The clip of log loss.
    pub log_loss_clip: f64,
}

/// Collects predictions batch by batch and computes every metric of all of them.
///
/// The result is the same to the last bit however the samples were ordered and split into updates.
/// Keeps 16 bytes per sample; [`compute`](Self::compute) takes 8 more while it runs.
#[derive(Debug, Clone, Default)]
pub struct Evaluator {
    config: EvaluatorConfig,
    /// Group and score of each sample; without groups the group is 0.
    keys: ByClass<u128>,
    /// Whether the samples came with groups; `None` before the first.
    with_groups: Option<bool>,
    loss: ExactSum,
    predicted: ExactSum,
}

impl Evaluator {
    /// An empty evaluator with the default configuration.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty evaluator.
    ///
    /// # Errors
    /// [`MetricError::Clip`] for a clip of log loss out of its bounds.
    pub fn with_config(config: EvaluatorConfig) -> Result<Self, MetricError> {
        check_clip(config.log_loss_clip)?;
        Ok(Self { config, ..Self::default() })
    }

    /// Adds samples: a probability, a label and, for GAUC, a group id each.
    ///
    /// After an error the evaluator is as it was before the call.
    ///
    /// # Errors
    /// [`MetricError::Length`], [`MetricError::Label`] for a label other than 0 and 1,
    /// [`MetricError::Probability`] for a value that is NaN or outside 0 to 1,
    /// [`MetricError::MixedGroups`] when some samples come with groups and some without. An index
    /// counts from 0 within this update.
    pub fn update(&mut self, probabilities: &[f64], labels: &[f32], groups: Option<&[u64]>) -> Result<(), MetricError> {
        check_labels(labels, probabilities.len())?;
        if let Some(groups) = groups {
            check_length("groups", groups.len(), probabilities.len())?;
        }
        check_probabilities(probabilities)?;
        if probabilities.is_empty() {
            return Ok(());
        }
        let with_groups = groups.is_some();
        if self.with_groups.is_some_and(|before| before != with_groups) {
            return Err(MetricError::MixedGroups { with_groups });
        }
        self.with_groups = Some(with_groups);
        let mut groups = groups.into_iter().flatten();
        for (&probability, &label) in probabilities.iter().zip(labels) {
            let group = groups.next().copied().unwrap_or(0);
            self.keys.push(group_key(group, probability), label);
            self.loss.add(loss(probability, label, self.config.log_loss_clip));
            self.predicted.add(probability);
        }
        Ok(())
    }

    /// The metrics of all samples since the start or the last [`clear`](Self::clear).
    ///
    /// Sorts what was collected in place, hence `&mut`; more updates may follow.
    pub fn compute(&mut self) -> Evaluation {
        let mut scores = self.keys.map(|key| key as u64);
        scores.sort();
        let auc = auc_of_sorted(&scores.positives, &scores.negatives);
        drop(scores);

        let grouped = if self.with_groups == Some(true) {
            self.keys.sort();
            Grouped::of_sorted(&self.keys, self.config.gauc_weighting)
        } else {
            Grouped::default()
        };

        let positives = self.keys.positives.len() as u64;
        let samples = positives + self.keys.negatives.len() as u64;
        Evaluation {
            auc,
            gauc: grouped.value(),
            log_loss: (samples > 0).then(|| self.loss.value() / samples as f64),
            pcoc: predicted_over_observed(self.predicted, positives),
            samples,
            positives,
            groups_used: grouped.used,
            groups_skipped: grouped.skipped,
            gauc_weighting: self.config.gauc_weighting,
            log_loss_clip: self.config.log_loss_clip,
        }
    }

    /// Forgets the samples and keeps the configuration.
    pub fn clear(&mut self) {
        *self = Self { config: self.config, ..Self::default() };
    }
}
