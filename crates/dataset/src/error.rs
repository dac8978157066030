//! What can go wrong with a dataset.

use std::io::ErrorKind as IoErrorKind;
use std::path::{Path, PathBuf};

use fain_features::{DataError, DataErrorKind, EncodersError};

/// An error of this crate. [`DatasetError::kind`] says whose fault it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// A value of the configuration, or of a batch plan, that is not allowed.
    #[error("{key} = {value}: {allowed}")]
    Config {
        /// The key as a user writes it, for example `data.validation.fraction`.
        key: String,
        /// The value found, as TOML writes it.
        value: String,
        /// What is allowed.
        allowed: String,
    },
    /// A source file that cannot be read, or whose content is wrong.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A split without rows.
    #[error("{}: {reason}", file.display())]
    NoRows {
        /// The source file.
        file: PathBuf,
        /// Which split is empty, and how it came to be.
        reason: String,
    },
    /// A training split whose labels are all the same: there is nothing to learn from.
    #[error("{}: column \"{column}\": {rows} rows, all {value}; training needs both 0 and 1", file.display())]
    OneClass {
        /// The source file.
        file: PathBuf,
        /// The label column.
        column: String,
        /// Rows of the training split.
        rows: u64,
        /// The one label: 0 or 1.
        value: u8,
    },
    /// A run of rows with more values in one column than the format can hold.
    #[error("{}: feature \"{feature}\": {values} values in {rows} rows; at most {} are allowed", file.display(), i32::MAX)]
    TooManyValues {
        /// The file being written.
        file: PathBuf,
        /// The feature.
        feature: String,
        /// Values of the run.
        values: u64,
        /// Rows of the run.
        rows: usize,
    },
    /// A batch with more values in one column than its offsets can count.
    #[error("feature \"{feature}\": a batch of {rows} rows has more than {} values", u32::MAX)]
    BatchTooLarge {
        /// The feature.
        feature: String,
        /// Rows of the batch.
        rows: usize,
    },
    /// A source that changed while it was read: its passes saw different rows.
    #[error("{}: the file changed while it was read; run again when it is complete", file.display())]
    Changed {
        /// The source file.
        file: PathBuf,
    },
    /// A file of a dataset that is not what its manifest says, or that this version does not read.
    #[error("{}: {what} is {found}; needed: {needed}", file.display())]
    Damaged {
        /// The file of the dataset.
        file: PathBuf,
        /// What was looked at.
        what: String,
        /// What was found.
        found: String,
        /// What is needed.
        needed: String,
    },
    /// The encoders of a dataset cannot be read or written.
    #[error("{}: {cause}", file.display())]
    Encoders {
        /// The file of the encoders.
        file: PathBuf,
        /// The cause.
        cause: EncodersError,
    },
    /// A row that the split does not have.
    #[error("row {row} of a split of {rows} rows")]
    RowOutOfRange {
        /// The row asked for, counted from 0.
        row: u64,
        /// Rows of the split.
        rows: u64,
    },
    /// A file or folder of the cache cannot be read or written; a full disk is one.
    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// The system's answer.
        cause: std::io::Error,
    },
    /// The thread that makes batches could not be started, or ended before its last batch.
    #[error("the thread that makes batches {0}")]
    Thread(String),
    /// The caller asked to stop. Nothing was left behind.
    #[error("interrupted")]
    Interrupted,
}

/// Whose fault an error is; the command line turns it into an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request or the configuration is wrong.
    Config,
    /// The data is wrong.
    Data,
    /// The work failed.
    Work,
    /// The caller asked to stop.
    Interrupted,
}

impl DatasetError {
    /// Whose fault the error is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Data(error) if error.kind() == DataErrorKind::Config => ErrorKind::Config,
            Self::Config { .. } | Self::RowOutOfRange { .. } | Self::BatchTooLarge { .. } => ErrorKind::Config,
            Self::Data(_)
            | Self::NoRows { .. }
            | Self::OneClass { .. }
            | Self::TooManyValues { .. }
            | Self::Damaged { .. }
            | Self::Encoders { .. } => ErrorKind::Data,
            Self::Changed { .. } | Self::Io { .. } | Self::Thread(_) => ErrorKind::Work,
            Self::Interrupted => ErrorKind::Interrupted,
        }
    }

    pub(crate) fn config(key: impl Into<String>, value: impl std::fmt::Display, allowed: impl Into<String>) -> Self {
        Self::Config { key: key.into(), value: value.to_string(), allowed: allowed.into() }
    }

    pub(crate) fn damaged(
        file: &Path,
        what: impl Into<String>,
        found: impl std::fmt::Display,
        needed: impl std::fmt::Display,
    ) -> Self {
        Self::Damaged { file: file.to_owned(), what: what.into(), found: found.to_string(), needed: needed.to_string() }
    }

    /// A file of a dataset that cannot be opened. A missing one is damage; anything else is the system's refusal.
    pub(crate) fn unreadable(file: &Path, cause: std::io::Error) -> Self {
        match cause.kind() {
            IoErrorKind::NotFound => Self::damaged(file, "the file", "missing", "a file of a dataset"),
            _ => Self::io("open", file, cause),
        }
    }

    pub(crate) fn io(action: &'static str, path: &Path, cause: std::io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), cause }
    }
}
