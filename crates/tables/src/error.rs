//! What can be wrong with a table.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// What a [`TableError`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableErrorKind {
    /// A setting or an argument is wrong.
    Config,
    /// The file cannot be opened or read.
    Unreadable,
    /// The file was read, and its content is wrong.
    Content,
}

/// A table that cannot be read, or a value in it that is not what it should be.
///
/// Rows are data rows counted from 1; the header and blank lines do not count.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TableError {
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
}

impl TableError {
    /// What the error is about.
    pub fn kind(&self) -> TableErrorKind {
        match self {
            Self::Config { .. } => TableErrorKind::Config,
            Self::Open { .. } | Self::Read { .. } => TableErrorKind::Unreadable,
            _ => TableErrorKind::Content,
        }
    }
}

/// Where a field is that started in a row, 0 being the header.
fn place(row: u64) -> String {
    if row == 0 { "header".to_owned() } else { format!("row {row}") }
}
