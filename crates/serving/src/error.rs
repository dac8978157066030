//! What can go wrong with a bundle.

use std::path::{Path, PathBuf};

use fain_features::{DataError, EncodersError};
use fain_models::{ModelError, WeightsError};
use thiserror::Error;

/// Why a bundle could not be written, opened or used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BundleError {
    /// A file of the bundle cannot be written or read.
    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        cause: std::io::Error,
    },
    /// A file of the bundle is not what it should be.
    #[error("{}: {problem}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What was found and what is needed.
        problem: String,
    },
    /// The encoders cannot be written or read.
    #[error("{}: {cause}", file.display())]
    Encoders {
        /// The file.
        file: PathBuf,
        /// The cause.
        cause: EncodersError,
    },
    /// The weights cannot be written or read.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The model cannot be built or run.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The rows to score are wrong.
    #[error(transparent)]
    Data(#[from] DataError),
}

pub(crate) fn io(action: &'static str, path: &Path, cause: std::io::Error) -> BundleError {
    BundleError::Io { action, path: path.to_owned(), cause }
}
