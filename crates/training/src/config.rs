//! The settings of a training.

use fain_autograd::Precision;
use fain_metrics::Evaluation;
use serde::{Deserialize, Serialize};

use crate::{OptimizerConfig, TablesConfig, UpdateRule};

/// The settings of a training, as written: `[training]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingConfig {
    /// Samples per step, at least 2.
    pub batch_size: usize,
    /// Samples per batch when scoring, at least 1.
    pub evaluation_batch_size: usize,
    /// Most passes over the training rows, at least 1.
    pub epochs: u64,
    /// Seed of the initial weights, the order of the rows and dropout.
    pub seed: u64,
    /// Threads of libtorch; by default as many as the machine has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// What a training step computes matrix products in; scoring is float32.
    pub precision: Precision,
    /// The optimiser's step size, above 0.
    pub learning_rate: f64,
    /// Regularisation, at least 0: this times a parameter is added to its gradient (L2); `AdamW` shrinks the parameter.
    pub weight_decay: f64,
    /// The validation metric that chooses the best weights.
    pub monitor: Monitor,
    /// Evaluations without a new best after which training stops, at least 1.
    pub patience: u64,
    /// Evaluations on the validation rows per epoch, at least 1.
    pub evaluations_per_epoch: u64,
    /// The optimiser; its step size and weight decay are those above.
    pub optimizer: UpdateRule,
    /// What is apart for embedding tables.
    pub tables: TablesConfig,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self {
            batch_size: 1024,
            evaluation_batch_size: 4096,
            epochs: 10,
            seed: 1,
            threads: None,
            precision: Precision::default(),
            learning_rate: 1e-3,
            weight_decay: 0.0,
            monitor: Monitor::Auc,
            patience: 2,
            evaluations_per_epoch: 1,
            optimizer: UpdateRule::default(),
            tables: TablesConfig::default(),
        }
    }
}

/// The validation metric that chooses the best weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monitor {
    /// Area under the ROC curve; more is better.
    Auc,
    /// AUC within groups; more is better. Needs `schema.group`.
    Gauc,
    /// Log loss; less is better.
    LogLoss,
}

impl Monitor {
    /// As in a configuration file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auc => "auc",
            Self::Gauc => "gauc",
            Self::LogLoss => "log_loss",
        }
    }

    /// The metric as a score of which more is better; `None` when it is undefined.
    pub fn score(self, evaluation: &Evaluation) -> Option<f64> {
        match self {
            Self::Auc => evaluation.auc,
            Self::Gauc => evaluation.gauc,
            Self::LogLoss => evaluation.log_loss.map(|loss| -loss),
        }
    }
}

/// A key, its value and what is allowed.
pub(crate) type Refusal = (&'static str, String, &'static str);

impl TrainingConfig {
    /// The first setting that is out of its bounds.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        let whole = |key, value: u64, least: u64, allowed| (value < least).then(|| (key, value.to_string(), allowed));
        whole("training.batch_size", self.batch_size as u64, 2, "at least 2")
            .or(whole("training.evaluation_batch_size", self.evaluation_batch_size as u64, 1, "at least 1"))
            .or(whole("training.epochs", self.epochs, 1, "at least 1"))
            .or(whole("training.threads", self.threads.unwrap_or(1) as u64, 1, "1 to 1024"))
            .or((self.threads.unwrap_or(1) > 1024)
                .then(|| ("training.threads", self.threads.unwrap_or(1).to_string(), "1 to 1024")))
            .or(whole("training.patience", self.patience, 1, "at least 1"))
            .or(whole("training.evaluations_per_epoch", self.evaluations_per_epoch, 1, "at least 1"))
            .or(self.optimizer_config().refusal())
            .or(self.tables.refusal(self.optimizer))
            .or((i64::try_from(self.seed).is_err())
                .then(|| ("training.seed", self.seed.to_string(), "0 to 9223372036854775807")))
    }

    /// The number of threads that will be used.
    pub fn resolved_threads(&self) -> usize {
        self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
    }

    /// All settings of the optimiser.
    pub(crate) fn optimizer_config(&self) -> OptimizerConfig {
        let Self { learning_rate, weight_decay, optimizer: rule, .. } = *self;
        OptimizerConfig { learning_rate, weight_decay, rule }
    }
}
