//! What can go wrong on the way from a log to samples.

use std::path::PathBuf;

use fain_samples::{ErrorKind as SamplesErrorKind, SamplesError};
use fain_storage::StorageError;
use fain_tables::{TableError, TableErrorKind, TermTable};

use crate::prepare::Summary;

/// An error of this crate. [`PrepareError::kind`] says whose fault it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// A value of the configuration that is not allowed.
    #[error("{key} = {value}: {allowed}")]
    Config {
        /// The key as a user writes it, for example `log.user`.
        key: String,
        /// The value found, as TOML writes it.
        value: String,
        /// What is allowed.
        allowed: String,
    },
    /// A table that cannot be read, or whose content is wrong.
    #[error(transparent)]
    Table(#[from] TableError),
    /// No sample is left.
    #[error(
        "the log gives no sample: {} of its {} rows fulfil log.only, and history.min_length is {min_length}",
        summary.counted_rows,
        summary.rows
    )]
    NoSamples {
        /// What was found.
        summary: Summary,
        /// The shortest history that a sample may have.
        min_length: u32,
    },
    /// A column with more distinct texts than codes can count.
    #[error("column \"{column}\" has more than {} distinct texts", TermTable::MOST)]
    TooManyTerms {
        /// The column.
        column: String,
    },
    /// More events in all histories than the format can count.
    #[error("the histories have more than {} events; at most so many are allowed", u32::MAX)]
    TooManyEvents,
    /// The folder to be made is there already.
    #[error("{} exists; samples are written to a new folder", output.display())]
    Exists {
        /// The folder.
        output: PathBuf,
    },
    /// Columns that no samples folder can have, or samples that cannot be written.
    #[error(transparent)]
    Samples(#[from] SamplesError),
    /// A source that changed, or a file that the system does not let us read or write.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The caller asked to stop. Nothing was left behind.
    #[error("interrupted")]
    Interrupted,
}

/// Whose fault an error is; the command line turns it into an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The configuration is wrong.
    Config,
    /// The data is wrong.
    Data,
    /// The work failed.
    Work,
    /// The caller asked to stop.
    Interrupted,
}

impl PrepareError {
    /// Whose fault the error is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Config { .. } | Self::Exists { .. } => ErrorKind::Config,
            Self::Table(error) => match error.kind() {
                TableErrorKind::Config => ErrorKind::Config,
                TableErrorKind::Unreadable | TableErrorKind::Content => ErrorKind::Data,
            },
            Self::NoSamples { .. }
            | Self::TooManyTerms { .. }
            | Self::TooManyEvents
            | Self::Storage(StorageError::Changed { .. }) => ErrorKind::Data,
            Self::Samples(error) => match error.kind() {
                SamplesErrorKind::Config => ErrorKind::Config,
                SamplesErrorKind::Data => ErrorKind::Data,
                _ => ErrorKind::Work,
            },
            Self::Storage(_) => ErrorKind::Work,
            Self::Interrupted => ErrorKind::Interrupted,
        }
    }

    /// A value of the configuration that is not allowed; `value` as TOML writes it.
    pub(crate) fn config(key: impl Into<String>, value: impl std::fmt::Display, allowed: impl Into<String>) -> Self {
        Self::Config { key: key.into(), value: value.to_string(), allowed: allowed.into() }
    }
}

/// A text as TOML writes it.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_debug())
}
