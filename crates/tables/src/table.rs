//! A table of texts, row by row.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use csv::StringRecord;

use crate::csv_config::CsvConfig;
use crate::error::TableError;
use crate::source::{END, Source};

/// Longest piece of a wrong value that an error shows, in characters.
const SHOWN: usize = 60;

/// Reads a CSV file, plain or gzip, row by row.
///
/// The first line is the header. Blank lines are skipped. A file is taken for gzip if it starts as gzip
/// does, whatever its name is; several gzip members in one file are read one after the other.
/// Reading and decompression run on a thread of their own.
///
/// ```
/// use fain_tables::{CsvConfig, Record, TableReader};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("clicks.csv");
/// std::fs::write(&path, "label,title\n1,\"Alien, Director's Cut\"\n")?;
///
/// let mut table = TableReader::open(&path, &CsvConfig::default())?;
/// let mut record = Record::new();
/// assert!(table.read(&mut record)?);
/// assert_eq!(table.header(), ["label", "title"]);
/// assert_eq!((record.row(), record.get(1)), (1, "Alien, Director's Cut"));
/// assert!(!table.read(&mut record)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TableReader {
    path: PathBuf,
    header: Vec<String>,
    reader: csv::Reader<Source>,
    row: u64,
    finished: bool,
}

/// One row of a table. Its memory is used again by the next row.
#[derive(Debug, Clone, Default)]
pub struct Record {
    row: u64,
    fields: StringRecord,
}

impl Record {
    /// A record without fields, to read into.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of the row, from 1; the header and blank lines do not count.
    pub fn row(&self) -> u64 {
        self.row
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether nothing was read into the record yet.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The text of a field; empty for a field that the record does not have.
    ///
    /// Every record that [`TableReader::read`] filled has as many fields as the header.
    pub fn get(&self, column: usize) -> &str {
        self.fields.get(column).unwrap_or_default()
    }
}

impl fmt::Debug for TableReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableReader")
            .field("path", &self.path)
            .field("header", &self.header)
            .field("row", &self.row)
            .finish_non_exhaustive()
    }
}

impl TableReader {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// [`TableError::Config`] for a separator or quote that cannot be, [`TableError::Open`] with the true cause
    /// for a file that cannot be opened, [`TableError::Empty`] for a file without header, and what
    /// [`TableReader::read`] gives.
    pub fn open(path: &Path, config: &CsvConfig) -> Result<Self, TableError> {
        config.check()?;
        let source = Source::open(path, config.encoding)
            .map_err(|source| TableError::Open { file: path.to_path_buf(), source })?;
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            // Lengths are compared here, so that the error can name the row.
            .flexible(true)
            .delimiter(config.separator as u8)
            .quote(config.quote as u8)
            .buffer_capacity(64 * 1024)
            .from_reader(source);
        let mut table = Self { path: path.to_path_buf(), header: Vec::new(), reader, row: 0, finished: false };
        let mut header = StringRecord::new();
        if !table.next(&mut header, 0)? {
            return Err(TableError::Empty { file: table.path });
        }
        table.header = header.iter().map(str::to_owned).collect();
        Ok(table)
    }

    /// The names of the columns.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes taken from the file so far, as they lie on the disk (compressed). The reading thread is some
    /// hundred kilobytes ahead of the rows; at the end this is the size of the file.
    pub fn bytes_read(&self) -> u64 {
        self.reader.get_ref().bytes_read()
    }

    /// Reads the next row; false at the end of the table.
    ///
    /// # Errors
    /// A row with more or fewer fields than the header, text that is not UTF-8, a quote that is not closed,
    /// a gzip file that is cut short or damaged, and a file that cannot be read: a [`TableError`] that names
    /// the file and the row. After an error the reader is of no further use.
    pub fn read(&mut self, record: &mut Record) -> Result<bool, TableError> {
        let row = self.row + 1;
        if self.finished || !self.next(&mut record.fields, row)? {
            return Ok(false);
        }
        if record.fields.len() != self.header.len() {
            return Err(TableError::FieldCount {
                file: self.path.clone(),
                row,
                found: record.fields.len(),
                expected: self.header.len(),
            });
        }
        self.row = row;
        record.row = row;
        Ok(true)
    }

    /// Reads fields; `row` is their number, 0 for the header.
    fn next(&mut self, fields: &mut StringRecord, row: u64) -> Result<bool, TableError> {
        let more = self.reader.read_record(fields).map_err(|error| self.error(error, row))?;
        let last = fields.len().checked_sub(1).and_then(|index| fields.get(index)).unwrap_or_default();
        if !more || (fields.len() == 1 && last == END) {
            self.finished = true;
            fields.clear();
            return Ok(false);
        }
        if last.ends_with(END) {
            // The quote swallowed the mark of the end, and maybe many rows.
            return Err(TableError::OpenQuote { file: self.path.clone(), row });
        }
        Ok(true)
    }

    fn error(&self, error: csv::Error, row: u64) -> TableError {
        let file = self.path.clone();
        let read = row.saturating_sub(1);
        match error.into_kind() {
            csv::ErrorKind::Utf8 { err, .. } if row == 0 => {
                TableError::HeaderEncoding { file, field: err.field() + 1, offset: err.valid_up_to() }
            }
            csv::ErrorKind::Utf8 { err, .. } => TableError::Encoding {
                file,
                row,
                column: self.header.get(err.field()).cloned().unwrap_or_else(|| format!("(field {})", err.field() + 1)),
                offset: err.valid_up_to(),
            },
            csv::ErrorKind::Io(source) => match source.kind() {
                io::ErrorKind::UnexpectedEof if self.reader.get_ref().is_gzip() => {
                    TableError::CutShort { file, row: read }
                }
                io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData if self.reader.get_ref().is_gzip() => {
                    TableError::Damaged { file, row: read, reason: source.to_string() }
                }
                _ => TableError::Read { file, row: read, source },
            },
            other => TableError::Read { file, row: read, source: io::Error::other(format!("{other:?}")) },
        }
    }
}

/// The place of the one column with a name; `key` is the setting that names it.
///
/// # Errors
/// [`TableError::MissingColumn`] lists what the header has; [`TableError::RepeatedColumn`] says how often it is there.
pub fn find_column(column: &str, key: &str, header: &[String], path: &Path) -> Result<usize, TableError> {
    let (file, column, key) = (path.to_path_buf(), column.to_owned(), key.to_owned());
    let times = header.iter().filter(|&name| *name == column).count();
    match header.iter().position(|name| *name == column) {
        Some(place) if times == 1 => Ok(place),
        Some(_) => Err(TableError::RepeatedColumn { file, column, key, times }),
        None => Err(TableError::MissingColumn { file, column, key, header: header.to_vec() }),
    }
}

impl Record {
    /// The error of a wrong value in this record; `allowed` says what would be right. A long value is cut.
    pub fn wrong(&self, path: &Path, column: &str, place: usize, allowed: &'static str) -> TableError {
        TableError::Value {
            file: path.to_path_buf(),
            row: self.row,
            column: column.to_owned(),
            value: shown(self.get(place)),
            allowed,
        }
    }
}

/// The start of a value, as much of it as an error shows.
fn shown(text: &str) -> String {
    let mut characters = text.chars();
    let start: String = characters.by_ref().take(SHOWN).collect();
    if characters.next().is_some() { format!("{start}…") } else { start }
}
