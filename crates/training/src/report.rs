//! What a training leaves behind for people and programs.

use fain_autograd::Precision;
use fain_metrics::{CeilingReport, Evaluation};
use serde::{Deserialize, Serialize};

/// One evaluation on the validation rows: a line of `events.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationEvent {
    /// The running epoch, from 1.
    pub epoch: u64,
    /// Steps since the start of the run.
    pub step: u64,
    /// Rows trained on since the start of the run.
    pub samples: u64,
    /// Mean click loss of the training rows since the evaluation before.
    pub train_loss: f64,
    /// Mean auxiliary loss since the evaluation before, with its weight; absent where the model has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auxiliary_loss: Option<f64>,
    /// The metrics of the validation rows.
    pub validation: Evaluation,
    /// Whether these are the best weights so far.
    pub best: bool,
    /// Seconds spent in training steps since the start of the run, evaluations left out.
    pub train_seconds: f64,
}

/// The result of a training: `report.json`. An undefined metric is `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The kind of model.
    pub model: String,
    /// How many numbers it learns.
    pub parameters: u64,
    /// Training rows per second, evaluations left out.
    pub samples_per_second: f64,
    /// Epochs begun.
    pub epochs: u64,
    /// The epoch of the best weights, from 1.
    pub best_epoch: u64,
    /// The step of the best weights.
    pub best_step: u64,
    /// Seconds from the first step to the end of the last evaluation, over all parts of a resumed run.
    pub seconds: f64,
    /// The metrics of the best weights on a sample of the training rows.
    pub train: Evaluation,
    /// The metrics of the best weights on the validation rows, which chose them.
    pub validation: Evaluation,
    /// The metrics of the best weights on the test rows, which chose nothing; `null` without test rows.
    pub test: Option<Evaluation>,
    /// How far the model went on the test rows where the true probabilities are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<CeilingReport>,
    /// `training.seed`.
    pub seed: u64,
    /// Threads of libtorch.
    pub threads: usize,
    /// The device that computed.
    pub device: String,
    /// `training.precision`; float32 in reports from before there was a choice.
    #[serde(default)]
    pub precision: Precision,
}
