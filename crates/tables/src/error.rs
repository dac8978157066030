//! What can be wrong with a table.

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::format::Format;

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
    /// A compressed file, or a Parquet file, ends in the middle.
    #[error("{}: the {format} file is cut short after row {row}", file.display())]
    CutShort {
        /// The file.
        file: PathBuf,
        /// How it is written.
        format: Format,
        /// The last row that was read whole.
        row: u64,
    },
    /// A compressed file, or a Parquet file, is damaged, or something else follows it.
    #[error("{}: the {format} file is damaged after row {row}: {reason}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// How it is written.
        format: Format,
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
    /// A row has more or fewer fields than there are columns.
    #[error(
        "{}, {place}: {found} fields, but {} {expected}",
        file.display(),
        names.as_ref().map_or("the header has".to_owned(), |key| format!("{key} names"))
    )]
    FieldCount {
        /// The file.
        file: PathBuf,
        /// The row.
        place: RowPlace,
        /// Fields of the row.
        found: usize,
        /// Columns of the file.
        expected: usize,
        /// The setting that names the columns, for a file without header.
        names: Option<String>,
    },
    /// The file ends inside a quoted field.
    #[error("{}, {place}: the file ends inside a quoted field; a closing quote is missing", file.display())]
    OpenQuote {
        /// The file.
        file: PathBuf,
        /// The row.
        place: RowPlace,
    },
    /// A row is so long that it cannot be meant.
    #[error(
        "{}, {place}: more than {limit} bytes without an end; a closing quote or a line break is missing",
        file.display()
    )]
    RowTooLong {
        /// The file.
        file: PathBuf,
        /// The row.
        place: RowPlace,
        /// The longest row that is read.
        limit: usize,
    },
    /// A field of the header is not UTF-8.
    #[error(
        "{}, header, field {field}: byte {offset} is not UTF-8; {key}.encoding = \"latin1\" reads ISO-8859-1",
        file.display()
    )]
    HeaderEncoding {
        /// The file.
        file: PathBuf,
        /// The field, counted from 1.
        field: usize,
        /// Offset in the field of the first wrong byte, counted from 0.
        offset: usize,
        /// Where the settings of CSV files stand.
        key: String,
    },
    /// A field is not UTF-8.
    #[error(
        "{}, {place}, column \"{column}\": byte {offset} is not UTF-8; \
         {key}.encoding = \"latin1\" reads ISO-8859-1",
        file.display()
    )]
    Encoding {
        /// The file.
        file: PathBuf,
        /// The row.
        place: RowPlace,
        /// The column.
        column: String,
        /// Offset in the field of the first wrong byte, counted from 0.
        offset: usize,
        /// Where the settings of CSV files stand.
        key: String,
    },
    /// A file has other columns than the one before which it is read.
    #[error(
        "{}: the columns are {}, but those of {} are {}; files that are read as one table need the same columns in \
         the same order",
        file.display(),
        found.join(", "),
        first.display(),
        expected.join(", ")
    )]
    OtherColumns {
        /// The file.
        file: PathBuf,
        /// Its columns.
        found: Vec<String>,
        /// The first of the files.
        first: PathBuf,
        /// The columns of the first.
        expected: Vec<String>,
    },
    /// A column of a Parquet file has a type that is no text, number or time, and no list of these.
    #[error(
        "{}, column \"{column}\": the type {found} cannot be read; texts, numbers, dates and timestamps can, and lists \
         of them",
        file.display()
    )]
    ColumnType {
        /// The file.
        file: PathBuf,
        /// The column.
        column: String,
        /// Its type, as Arrow names it.
        found: String,
    },
    /// No file has a name.
    #[error("{}: {pattern} matches no file", root.display())]
    NoFile {
        /// The folder in which it was looked for.
        root: PathBuf,
        /// The name or the pattern.
        pattern: String,
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
    #[error("{}, {place}, column \"{column}\": \"{value}\" is not {allowed}", file.display())]
    Value {
        /// The file.
        file: PathBuf,
        /// The row.
        place: RowPlace,
        /// The column.
        column: String,
        /// The value; a long one is cut.
        value: String,
        /// What is allowed.
        allowed: &'static str,
    },
}

/// Where in a file a row is: `row 7 (byte 1234)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowPlace {
    /// Number of the row in its file, from 1; the header and blank lines do not count. 0 is the header.
    pub row: u64,
    /// Where the row starts in the decompressed text of a CSV file, in bytes. A Parquet file has no such place.
    pub byte: Option<u64>,
}

impl fmt::Display for RowPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.row, self.byte) {
            (0, _) => f.write_str("header"),
            (row, Some(byte)) => write!(f, "row {row} (byte {byte})"),
            (row, None) => write!(f, "row {row}"),
        }
    }
}

impl TableError {
    /// What the error is about.
    pub fn kind(&self) -> TableErrorKind {
        match self {
            Self::Config { .. } => TableErrorKind::Config,
            Self::Open { .. } | Self::Read { .. } | Self::NoFile { .. } => TableErrorKind::Unreadable,
            _ => TableErrorKind::Content,
        }
    }
}
