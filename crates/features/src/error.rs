//! What can be wrong with a schema, with data, and with stored encoders.

use std::io;
use std::path::PathBuf;

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
    /// The file cannot be opened: it is missing, a folder, or not permitted.
    #[error("{}: cannot be opened: {source}", file.display())]
    Open {
        /// The file.
        file: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The file was opened, and reading it failed.
    #[error("{}: reading failed after row {row}: {source}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// The last row that was read whole.
        row: u64,
        /// The operating system's reason.
        source: io::Error,
    },
    /// A gzip file ends in the middle.
    #[error("{}: the gzip file is cut short after row {row}", file.display())]
    CutShort {
        /// The file.
        file: PathBuf,
        /// The last row that was read whole.
        row: u64,
    },
    /// A gzip file is damaged, or something that is not gzip follows it.
    #[error("{}: the gzip file is damaged after row {row}: {reason}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// The last row that was read whole.
        row: u64,
        /// What the decoder says.
        reason: String,
    },
    /// The file has no header.
    #[error("{}: the file is empty; its first line must be a header", file.display())]
    Empty {
        /// The file.
        file: PathBuf,
    },
    /// A row has more or fewer fields than the header.
    #[error("{}, row {row}: {found} fields, but the header has {expected}", file.display())]
    FieldCount {
        /// The file.
        file: PathBuf,
        /// The row.
        row: u64,
        /// Fields of the row.
        found: usize,
        /// Fields of the header.
        expected: usize,
    },
    /// The file ends inside a quoted field.
    #[error("{}, {}: the file ends inside a quoted field; a closing quote is missing", file.display(), place(*row))]
    OpenQuote {
        /// The file.
        file: PathBuf,
        /// The row; 0 for the header.
        row: u64,
    },
    /// A field of the header is not UTF-8.
    #[error(
        "{}, header, field {field}: byte {offset} is not UTF-8; data.csv.encoding = \"latin1\" reads ISO-8859-1",
        file.display()
    )]
    HeaderEncoding {
        /// The file.
        file: PathBuf,
        /// The field, counted from 1.
        field: usize,
        /// Offset in the field of the first wrong byte, counted from 0.
        offset: usize,
    },
    /// A field is not UTF-8.
    #[error(
        "{}, row {row}, column \"{column}\": byte {offset} is not UTF-8; \
         data.csv.encoding = \"latin1\" reads ISO-8859-1",
        file.display()
    )]
    Encoding {
        /// The file.
        file: PathBuf,
        /// The row.
        row: u64,
        /// The column.
        column: String,
        /// Offset in the field of the first wrong byte, counted from 0.
        offset: usize,
    },
    /// The header lacks a column that the schema names.
    #[error(
        "{}: no column \"{column}\", which {key} names; the header has: {}",
        file.display(),
        header.join(", ")
    )]
    MissingColumn {
        /// The file.
        file: PathBuf,
        /// The column.
        column: String,
        /// The key of the schema that names it.
        key: String,
        /// The columns of the header.
        header: Vec<String>,
    },
    /// The header has a wanted column more than once.
    #[error("{}: the header has the column \"{column}\", which {key} names, {times} times", file.display())]
    RepeatedColumn {
        /// The file.
        file: PathBuf,
        /// The column.
        column: String,
        /// The key of the schema that names it.
        key: String,
        /// How often the header has it.
        times: usize,
    },
    /// A value is not one of those allowed.
    #[error("{}, row {row}, column \"{column}\": \"{value}\" is not {allowed}", file.display())]
    Value {
        /// The file.
        file: PathBuf,
        /// The row.
        row: u64,
        /// The column.
        column: String,
        /// The value; a long one is cut.
        value: String,
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
            Self::Config { .. } | Self::Mismatch { .. } => DataErrorKind::Config,
            Self::Open { .. } | Self::Read { .. } => DataErrorKind::Unreadable,
            _ => DataErrorKind::Content,
        }
    }
}

/// Where a field is that started in a row, 0 being the header.
fn place(row: u64) -> String {
    if row == 0 { "header".to_owned() } else { format!("row {row}") }
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
