//! What can be wrong with a schema, with data, and with stored encoders.

use std::path::PathBuf;

use fain_tables::{TableError, TableErrorKind};
use thiserror::Error;

/// A schema that contradicts itself. Found before any data is read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{key} = {value}: {allowed}")]
pub struct SchemaError {
    /// The key, such as `schema.features.history.vocabulary`.
    pub key: String,
    /// The value found there, as TOML writes it.
    pub value: String,
    /// What is allowed.
    pub allowed: String,
}

/// What a [`DataError`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataErrorKind {
    /// A setting or an argument is wrong.
    Config,
    /// The file cannot be opened or read.
    Unreadable,
    /// The file was read, and its content is wrong.
    Content,
}

/// Data that cannot be read or encoded.
///
/// Rows are data rows counted from 1; the header and blank lines do not count.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// A table that cannot be read, or a value in it that is not what it should be.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A setting or an argument is wrong.
    #[error("{key} = {value}: {allowed}")]
    Config {
        /// The key, such as `data.csv.separator`.
        key: String,
        /// The value found there.
        value: String,
        /// What is allowed.
        allowed: String,
    },
    /// A numeric column has no value in any training row, so nothing can stand for the missing ones.
    #[error("column \"{column}\": no training row has a value, so the feature \"{feature}\" cannot be scaled")]
    NoValues {
        /// The column.
        column: String,
        /// The feature.
        feature: String,
    },
    /// A vocabulary has more terms than ids.
    #[error("the vocabulary of the feature \"{feature}\" has more than {limit} terms")]
    VocabularyFull {
        /// The feature that owns the vocabulary.
        feature: String,
        /// Most terms possible.
        limit: u32,
    },
    /// The sequences of one run of rows have more terms than an offset can count.
    #[error(
        "{}, row {row}, column \"{column}\": the rows read at once have more than {} terms; read fewer at once",
        file.display(),
        u32::MAX
    )]
    RunTooLong {
        /// The file.
        file: PathBuf,
        /// The row.
        row: u64,
        /// The column.
        column: String,
    },
    /// A record, a binding, samples and encoders that do not belong together.
    #[error("the {what} was made for another schema, other parts or another file")]
    Mismatch {
        /// Which of them.
        what: &'static str,
    },
    /// The encoders cannot be assembled.
    #[error(transparent)]
    Encoders(#[from] EncodersError),
}

impl DataError {
    /// What the error is about.
    pub fn kind(&self) -> DataErrorKind {
        match self {
            Self::Table(error) => match error.kind() {
                TableErrorKind::Config => DataErrorKind::Config,
                TableErrorKind::Unreadable => DataErrorKind::Unreadable,
                TableErrorKind::Content => DataErrorKind::Content,
            },
            Self::Config { .. } | Self::Mismatch { .. } => DataErrorKind::Config,
            _ => DataErrorKind::Content,
        }
    }
}

/// Stored encoders that cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EncodersError {
    /// Not JSON, or JSON of another shape.
    #[error("encoders: {0}")]
    Json(#[from] serde_json::Error),
    /// Another kind of file.
    #[error("encoders: the format is \"{found}\"; \"{read}\" is read")]
    Format {
        /// The format found.
        found: String,
        /// The format that is read.
        read: &'static str,
    },
    /// Another version of the format.
    #[error("encoders: the version is {found}; version {read} is read")]
    Version {
        /// The version found.
        found: u64,
        /// The version that is read.
        read: u64,
    },
    /// The schema inside contradicts itself.
    #[error("encoders: {0}")]
    Schema(#[from] SchemaError),
    /// The content does not fit the schema inside.
    #[error("encoders: {key}: {problem}")]
    Content {
        /// Where.
        key: String,
        /// What is wrong.
        problem: String,
    },
}
