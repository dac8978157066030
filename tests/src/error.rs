//! What can go wrong before numbers are compared.

use fain_layers::LayerError;
use thiserror::Error;

/// Why a fixture could not be read, or a layer could not be run on it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GoldenError {
    /// A file cannot be read.
    #[error("{file}: {source}")]
    File {
        /// The file or folder.
        file: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A sidecar, or the configuration of a case in it, has another form than its reader knows.
    #[error("{place}: {source}")]
    Form {
        /// The file, and the case where one is concerned.
        place: String,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// A fixture contradicts itself, or asks for what its reader does not know.
    #[error("{place}: {problem}")]
    Fixture {
        /// The file, and the case where one is concerned.
        place: String,
        /// What is wrong, with the value and what is allowed.
        problem: String,
    },
    /// The layer's variables are not those of the fixture.
    #[error("variable {name}: {problem}")]
    Variable {
        /// The variable, by the name that the problem speaks of.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// The layer refused its configuration or its input.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// What is no layer refused its configuration or its input.
    #[error(transparent)]
    Other(Box<dyn std::error::Error + Send + Sync>),
    /// libtorch refused an operation of the harness.
    #[error("libtorch: {0}")]
    Torch(#[from] tch::TchError),
}
