//! What can go wrong with samples.

use std::io;
use std::path::PathBuf;

use fain_storage::StorageError;

use crate::negatives::NoneLeft;
use crate::part::Part;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SamplesError {
    /// Columns that no samples folder can have.
    #[error("\"{name}\": {reason}")]
    Layout {
        /// The column, or the setting.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// Columns handed to the writer that do not fit its layout, or each other.
    #[error("{}: {what} is {found}; needed: {needed}", file.display())]
    Block {
        /// The file being written.
        file: PathBuf,
        /// What was looked at.
        what: String,
        /// What was found.
        found: String,
        /// What is needed.
        needed: String,
    },
    /// A run of rows with more in one column than the format can hold.
    #[error("{}: column \"{column}\": {found} {unit} in {rows} rows; at most {} are allowed", file.display(), i32::MAX)]
    TooMuch {
        /// The file being written.
        file: PathBuf,
        /// The column.
        column: String,
        /// What was counted: terms, or bytes of text.
        unit: &'static str,
        /// How much of it.
        found: u64,
        /// Rows of the run.
        rows: usize,
    },
    /// A file of a samples folder that is not what it should be, or one that the system does not let us read or write.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A user has chosen every item that can be drawn.
    #[error(transparent)]
    NoneLeft(#[from] NoneLeft),
    /// A value that cannot be written in line.
    #[error("{part}, row {row}, column \"{column}\": \"{value}\" {reason}")]
    Inline {
        /// The part of the samples.
        part: Part,
        /// The stored row, counted from 0.
        row: u64,
        /// The column.
        column: String,
        /// The value.
        value: String,
        /// Why it cannot be written.
        reason: &'static str,
    },
    /// Rows cannot be written to where they should go.
    #[error("cannot write samples: {0}")]
    Output(io::Error),
}

/// Whose fault an error is; the command line turns it into an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request is wrong.
    Config,
    /// The data is wrong.
    Data,
    /// The work failed.
    Work,
}

impl SamplesError {
    /// Whose fault the error is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Layout { .. } => ErrorKind::Config,
            Self::TooMuch { .. }
            | Self::NoneLeft(_)
            | Self::Inline { .. }
            | Self::Storage(StorageError::Damaged { .. }) => ErrorKind::Data,
            Self::Block { .. } | Self::Storage(_) | Self::Output(_) => ErrorKind::Work,
        }
    }
}
