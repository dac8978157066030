//! What can go wrong in an experiment or a training.

use std::path::PathBuf;

use fain_dataset::{DatasetError, Origin};
use fain_features::{DataErrorKind, SchemaError};
use fain_metrics::MetricError;
use fain_models::{ModelError, WeightsError};
use thiserror::Error;

/// Why a configuration is refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: {cause}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// The cause.
        cause: std::io::Error,
    },
    /// The file is not TOML, has one key twice for example.
    #[error("{origin}: {message}")]
    Syntax {
        /// The file.
        origin: String,
        /// Line, column and cause.
        message: String,
    },
    /// A key is misspelt, missing or of the wrong type.
    #[error("{origin}: {key}: {message}")]
    Key {
        /// The file.
        origin: String,
        /// The key, or the table it belongs into.
        key: String,
        /// What is wrong and what is allowed.
        message: String,
    },
    /// A value is out of its bounds.
    #[error("{origin}: {key} is {value}; allowed: {allowed}")]
    Value {
        /// The file.
        origin: String,
        /// The key.
        key: String,
        /// Its value.
        value: String,
        /// What is allowed.
        allowed: String,
    },
    /// The settings do not fit together.
    #[error("{origin}: {message}")]
    Conflict {
        /// The file.
        origin: String,
        /// Keys, values and what is allowed.
        message: String,
    },
    /// A `--set` that cannot be applied.
    #[error("--set {text}: {message}")]
    Override {
        /// As written.
        text: String,
        /// What is wrong with it.
        message: String,
    },
}

/// Why a training failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainingError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The schema is wrong.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The data cannot be read or is wrong.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The model cannot be built or run.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Weights cannot be written or read.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A metric refused its input.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// The run folder exists.
    #[error("{} exists; choose another folder with --output, or go on with it by --resume", .0.display())]
    RunExists(PathBuf),
    /// The run folder does not hold what is needed.
    #[error("{}: {problem}", folder.display())]
    Run {
        /// The folder.
        folder: PathBuf,
        /// What is missing or does not fit.
        problem: String,
    },
    /// A file of the run cannot be written or read.
    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        cause: std::io::Error,
    },
    /// The metric that chooses the best weights is undefined on the validation rows.
    #[error(
        "the {monitor} of the {samples} validation rows is undefined ({positives} of them are clicks); choose another \
         training.monitor, or validation rows with both classes"
    )]
    UndefinedMonitor {
        /// `training.monitor`.
        monitor: &'static str,
        /// Validation rows.
        samples: u64,
        /// Clicks among them.
        positives: u64,
    },
    /// The loss is no number any more.
    #[error("the training loss is {loss} after step {step}; a lower training.learning_rate may help")]
    Diverged {
        /// The loss.
        loss: f64,
        /// The step at which it was looked at.
        step: u64,
    },
    /// Two histories that one interest reads together have different lengths in a row.
    #[error(
        "{}: {first} has {first_length} events and {other} has {other_length}; one interest reads both, so their lengths \
         must be equal",
        row_place(origin.as_deref(), split, *row)
    )]
    HistoryLengths {
        /// `training`, `validation` or `test`.
        split: &'static str,
        /// The row among the encoded ones of the split, from 1.
        row: u64,
        /// The row of the file, where it is known.
        origin: Option<Box<Origin>>,
        /// The interest's first history.
        first: String,
        /// The one that differs from it.
        other: String,
        /// Events of the first.
        first_length: u32,
        /// Events of the other.
        other_length: u32,
    },
    /// The times of a history fall.
    #[error(
        "{}: {feature} has {time} after {before}; a history is divided by these times, so they must not fall",
        row_place(origin.as_deref(), split, *row)
    )]
    FallingTimes {
        /// `training`, `validation` or `test`.
        split: &'static str,
        /// The row among the encoded ones of the split, from 1.
        row: u64,
        /// The row of the file, where it is known.
        origin: Option<Box<Origin>>,
        /// The feature of times.
        feature: String,
        /// A time, in seconds.
        before: i64,
        /// The one after it.
        time: i64,
    },
    /// Two rows at least are needed to train.
    #[error("the training split has {0} row(s); at least 2 are needed")]
    TooFewRows(u64),
    /// A gradient, or what an optimiser goes on from, does not fit its parameter.
    #[error("{what} has {got}; {needed} is needed")]
    Shape {
        /// The tensor, by the name of its parameter.
        what: String,
        /// What it has.
        got: String,
        /// What it must have.
        needed: String,
    },
    /// A kernel refused, or was not run to its end.
    #[error("kernel: {0}")]
    Kernel(#[from] fain_kernels::KernelError),
    /// The numbers of a tensor cannot be reached.
    #[error(transparent)]
    Slice(#[from] fain_autograd::SliceError),
    /// A differentiable function failed.
    #[error(transparent)]
    Function(#[from] fain_autograd::AutogradError),
    /// libtorch refused.
    #[error("libtorch: {0}")]
    Torch(#[from] tch::TchError),
    /// The caller asked to stop; a checkpoint was written where there was something to keep.
    #[error("interrupted")]
    Interrupted,
}

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The work failed.
    Work,
    /// The request or the configuration is wrong.
    Request,
    /// The data is wrong.
    Data,
    /// The caller asked to stop.
    Interrupted,
}

impl TrainingError {
    /// Whose fault the error is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Config(_)
            | Self::Schema(_)
            | Self::RunExists(_)
            | Self::Run { .. }
            | Self::Model(ModelError::Config { .. }) => ErrorKind::Request,
            Self::Dataset(error) => match error.kind() {
                fain_dataset::ErrorKind::Config => ErrorKind::Request,
                fain_dataset::ErrorKind::Data => ErrorKind::Data,
                fain_dataset::ErrorKind::Interrupted => ErrorKind::Interrupted,
                _ => ErrorKind::Work,
            },
            Self::Model(ModelError::Vectors(error)) => match error.kind() {
                DataErrorKind::Config => ErrorKind::Request,
                _ => ErrorKind::Data,
            },
            Self::Model(ModelError::HistoryLengths { .. })
            | Self::HistoryLengths { .. }
            | Self::FallingTimes { .. }
            | Self::UndefinedMonitor { .. }
            | Self::TooFewRows(_) => ErrorKind::Data,
            Self::Interrupted => ErrorKind::Interrupted,
            _ => ErrorKind::Work,
        }
    }
}

/// Where a row stands: in its file if that is known, else among the encoded rows, some of which were held out.
fn row_place(origin: Option<&Origin>, split: &str, row: u64) -> String {
    origin.map_or_else(|| format!("row {row} of the encoded {split} rows"), Origin::to_string)
}
