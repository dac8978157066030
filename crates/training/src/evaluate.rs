//! Metrics of a model on a split.

use std::ops::ControlFlow;

use fain_dataset::{BatchPlan, Batches, Order, Split, Tail};
use fain_features::{Ceiling, Samples};
use fain_metrics::{CeilingReport, Evaluation, Evaluator, auc, ceiling_report, sigmoid};
use fain_models::{Model, logits};
use tch::Device;

use crate::TrainingError;

/// Batches made ahead by the other thread.
pub(crate) const PREFETCH: usize = 4;

/// Collects scores batch by batch and measures them at the end.
#[derive(Debug, Default)]
pub struct Measured {
    evaluator: Evaluator,
    ceiling: Ceiling,
    labels: Vec<f32>,
}

impl Measured {
    /// Adds a batch: its samples with labels, and one logit per row.
    ///
    /// # Errors
    /// [`TrainingError::Metric`] when a logit is NaN or the samples have no labels.
    pub fn update(&mut self, samples: &Samples, logits: &[f32]) -> Result<(), TrainingError> {
        let labels = samples.labels.as_deref().unwrap_or_default();
        let probabilities: Vec<f64> = logits.iter().map(|&logit| sigmoid(logit)).collect();
        self.evaluator.update(&probabilities, labels, samples.groups.as_deref())?;
        if let Some(ceiling) = &samples.ceiling {
            self.ceiling.blind.extend_from_slice(&ceiling.blind);
            self.ceiling.optimal.extend_from_slice(&ceiling.optimal);
            self.labels.extend_from_slice(labels);
        }
        Ok(())
    }

    /// The metrics of everything that was added, and, where the true probabilities are known, how far the model went.
    ///
    /// # Errors
    /// [`TrainingError::Metric`] when a known probability is none.
    pub fn finish(mut self) -> Result<(Evaluation, Option<CeilingReport>), TrainingError> {
        let evaluation = self.evaluator.compute();
        let blind = auc(&self.ceiling.blind, &self.labels)?;
        let optimal = auc(&self.ceiling.optimal, &self.labels)?;
        let ceiling = match (evaluation.auc, blind, optimal) {
            (Some(auc), Some(blind), Some(optimal)) => Some(ceiling_report(auc, blind, optimal)?),
            _ => None,
        };
        Ok((evaluation, ceiling))
    }
}

/// Which rows to score, and by what.
#[derive(Debug, Clone, Copy)]
pub struct EvaluationPlan<'a> {
    /// The model.
    pub model: &'a dyn Model,
    /// Where it computes.
    pub device: Device,
    /// The rows.
    pub split: &'a Split,
    /// Rows per batch.
    pub batch_size: usize,
    /// The order in which batches are taken.
    pub order: Order,
    /// At least this many rows are scored, if the split has them; the last batch is not cut.
    pub limit: u64,
}

/// Scores rows of a split and measures the scores.
///
/// `tick` is told how many rows are done and answers whether to go on.
///
/// # Errors
/// [`TrainingError::Interrupted`] when `tick` says so; otherwise what the split or the model refuses.
pub fn evaluate_split(
    plan: &EvaluationPlan<'_>,
    tick: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<(Evaluation, Option<CeilingReport>), TrainingError> {
    let batches =
        BatchPlan { batch_size: plan.batch_size, order: plan.order, tail: Tail::Keep, start: 0, prefetch: PREFETCH };
    let mut batches = Batches::new(plan.split, batches)?;
    let mut measured = Measured::default();
    let mut rows = 0;
    while rows < plan.limit {
        let Some(samples) = batches.next().transpose()? else { break };
        measured.update(&samples, &logits(plan.model, &samples, plan.device)?)?;
        rows += samples.rows as u64;
        batches.recycle(samples);
        if tick(rows).is_break() {
            return Err(TrainingError::Interrupted);
        }
    }
    measured.finish()
}
