//! What can go wrong with a dataset.

use std::path::{Path, PathBuf};

use fain_features::{DataError, DataErrorKind, EncodersError, TableError};
use fain_samples::{NoneLeft, Part, SamplesError};
use fain_storage::StorageError;

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
    /// A file of a dataset that is not what its manifest says, or one that the system does not let us read or write.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The encoders of a dataset cannot be read or written.
    #[error("{}: {cause}", file.display())]
    Encoders {
        /// The file of the encoders.
        file: PathBuf,
        /// The cause.
        cause: EncodersError,
    },
    /// A samples folder that cannot be read.
    #[error(transparent)]
    Samples(#[from] SamplesError),
    /// A user for whom no negative can be drawn.
    #[error("user \"{user}\": {cause}")]
    NoneLeft {
        /// The user.
        user: String,
        /// The draw.
        cause: NoneLeft,
    },
    /// A known probability that is none.
    #[error("the {part} samples, row {row}: the known probability is {value}; needed: a number from 0 to 1")]
    Probability {
        /// The part of the samples.
        part: Part,
        /// The row, counted from 1.
        row: u64,
        /// What was found.
        value: String,
    },
    /// A row that the split does not have.
    #[error("row {row} of a split of {rows} rows")]
    RowOutOfRange {
        /// The row asked for, counted from 0.
        row: u64,
        /// Rows of the split.
        rows: u64,
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

impl From<TableError> for DatasetError {
    fn from(error: TableError) -> Self {
        DataError::from(error).into()
    }
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
            | Self::Storage(StorageError::Damaged { .. })
            | Self::NoneLeft { .. }
            | Self::Probability { .. }
            | Self::Encoders { .. } => ErrorKind::Data,
            Self::Samples(error) => match error.kind() {
                fain_samples::ErrorKind::Config => ErrorKind::Config,
                fain_samples::ErrorKind::Data => ErrorKind::Data,
                _ => ErrorKind::Work,
            },
            Self::Changed { .. } | Self::Storage(_) | Self::Thread(_) => ErrorKind::Work,
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
        StorageError::damaged(file, what, found, needed).into()
    }

    pub(crate) fn io(action: &'static str, path: &Path, cause: std::io::Error) -> Self {
        StorageError::io(action, path, cause).into()
    }
}
