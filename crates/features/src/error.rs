//! What can be wrong with a schema, with data, and with stored encoders.

use std::path::PathBuf;

use fain_tables::{TableError, TableErrorKind};
use thiserror::Error;

use crate::checked::Schema;
use crate::column::ColumnRule;

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
    /// A value was given to a feature of another kind.
    #[error("the feature {feature} does not take {given}")]
    Kind {
        /// The feature, or its place where the schema has no such feature.
        feature: String,
        /// What it was given.
        given: &'static str,
    },
    /// A number that a feature does not take.
    #[error("feature \"{feature}\": {value} is not {allowed}")]
    Number {
        /// The feature.
        feature: String,
        /// The number.
        value: f64,
        /// What is allowed.
        allowed: &'static str,
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
            Self::Config { .. } | Self::Kind { .. } | Self::Mismatch { .. } => DataErrorKind::Config,
            _ => DataErrorKind::Content,
        }
    }

    /// The error of a feature, given by its place, that does not take what it was given.
    pub(crate) fn kind_of(schema: &Schema, feature: usize, given: &'static str) -> Self {
        let name = schema.features().get(feature).map(|feature| format!("\"{}\"", feature.name));
        Self::Kind { feature: name.unwrap_or_else(|| feature.to_string()), given }
    }

    /// A number, if the feature at this place takes it; NaN is a missing one.
    pub(crate) fn check_number(
        schema: &Schema,
        rule: Option<&ColumnRule>,
        feature: usize,
        value: Option<f64>,
    ) -> Result<Option<f64>, Self> {
        let Some(domain) = rule.and_then(ColumnRule::domain) else {
            return Err(Self::kind_of(schema, feature, "numbers"));
        };
        let Some(value) = value.filter(|value| !value.is_nan()) else { return Ok(None) };
        domain.check(value).map(Some).map_err(|allowed| Self::Number {
            feature: schema.features()[feature].name.clone(),
            value,
            allowed,
        })
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
    #[error("encoders: the version is {found}; the versions 1 to {read} are read")]
    Version {
        /// The version found.
        found: u64,
        /// The newest version that is read.
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
