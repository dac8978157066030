//! What can go wrong in a model.

use fain_layers::LayerError;
use thiserror::Error;

/// Why a model could not be built or run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A setting does not fit the schema, or is out of its bounds.
    #[error("{key} is {value}; allowed: {allowed}")]
    Config {
        /// The key, as in the configuration file.
        key: String,
        /// What it is.
        value: String,
        /// What it may be.
        allowed: String,
    },
    /// The histories of one interest have different lengths in a row.
    #[error(
        "the histories {first} and {other} belong to one interest, but row {row} of the batch has {first_length} events \
         in the one and {other_length} in the other"
    )]
    HistoryLengths {
        /// The interest's first history.
        first: String,
        /// The one that differs from it.
        other: String,
        /// The row in the batch, from 0.
        row: usize,
        /// Events of the first.
        first_length: u32,
        /// Events of the other.
        other_length: u32,
    },
    /// A batch has other columns than the model was built for.
    #[error("the batch's column {column} is {got}, but the model was built for {needed}")]
    Column {
        /// The feature.
        column: String,
        /// What the batch has.
        got: &'static str,
        /// What the model needs.
        needed: &'static str,
    },
    /// Built parts do not fit together.
    #[error("{part}: {problem}")]
    Parts {
        /// Which part.
        part: String,
        /// What does not fit.
        problem: String,
    },
    /// Vectors that a table should start from cannot be read.
    #[error(transparent)]
    Vectors(#[from] fain_features::DataError),
    /// A layer refused.
    #[error(transparent)]
    Layer(#[from] LayerError),
}

impl From<tch::TchError> for ModelError {
    fn from(error: tch::TchError) -> Self {
        Self::Layer(error.into())
    }
}

impl ModelError {
    /// Puts a layer's complaint about a setting under the key it has in the configuration file.
    pub(crate) fn under(prefix: &str, error: LayerError) -> Self {
        match error {
            LayerError::Config { field, value, allowed } => {
                Self::Config { key: format!("{prefix}.{field}"), value, allowed: allowed.to_owned() }
            }
            other => Self::Layer(other),
        }
    }
}
