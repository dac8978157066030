//! Rows as their readers see them.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::block::{Block, Span};
use crate::error::{RowPlace, TableError};

/// Longest piece of a wrong value that an error shows, in characters.
const SHOWN: usize = 60;

/// One row of a table. It shares its text with the rows around it: making, cloning and moving one copies no text.
#[derive(Clone, Default)]
pub struct Record {
    block: Arc<Block>,
    row: usize,
}

impl Record {
    /// A record without fields, to read into.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of the row in its file, from 1; the header and blank lines do not count.
    pub fn row(&self) -> u64 {
        self.place().row
    }

    /// Where the row is in its file.
    pub fn place(&self) -> RowPlace {
        self.block.place(self.row)
    }

    /// The file of the row.
    pub fn file(&self) -> &Path {
        self.block.file()
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        self.block.width
    }

    /// Whether nothing was read into the record yet.
    pub fn is_empty(&self) -> bool {
        self.block.width == 0
    }

    /// The text of a field; empty for a field that the record does not have.
    ///
    /// Every record that [`TableReader::read`](crate::TableReader::read) filled has as many fields as the header.
    /// A list of a Parquet file reads `[a, b]`; [`Record::list`] has its items.
    #[inline]
    pub fn get(&self, column: usize) -> &str {
        self.block.get(self.row, column)
    }

    /// The items of a list; `None` for a field that is a text, as all fields of CSV files are.
    ///
    /// A missing list has no items, a missing item is an empty text.
    #[inline]
    pub fn list(&self, column: usize) -> Option<impl DoubleEndedIterator<Item = &str> + ExactSizeIterator + Clone> {
        let items: &[Span] = self.block.list(self.row, column)?;
        Some(items.iter().map(|&item| self.block.cut(item)))
    }

    /// The error of a wrong value in this record; `allowed` says what would be right. A long value is cut.
    pub fn wrong(&self, column: &str, place: usize, allowed: &'static str) -> TableError {
        TableError::Value {
            file: self.file().to_path_buf(),
            place: self.place(),
            column: column.to_owned(),
            value: shown(self.get(place)),
            allowed,
        }
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<&str> = (0..self.len()).map(|column| self.get(column)).collect();
        let Self { block, row: _ } = self;
        f.debug_struct("Record")
            .field("file", &block.file())
            .field("row", &self.row())
            .field("fields", &fields)
            .finish()
    }
}

/// The start of a value, as much of it as an error shows.
pub(crate) fn shown(text: &str) -> String {
    let mut characters = text.chars();
    let start: String = characters.by_ref().take(SHOWN).collect();
    if characters.next().is_some() { format!("{start}…") } else { start }
}

/// Some rows of one file, in their order: what a thread works on at once.
#[derive(Clone, Default)]
pub struct Rows {
    block: Arc<Block>,
    /// Rows of the block that come before these.
    start: usize,
}

impl Rows {
    /// No rows, to read into.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn of(block: Block) -> Self {
        Self { block: Arc::new(block), start: 0 }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.block.rows - self.start
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The file of the rows.
    pub fn file(&self) -> &Path {
        self.block.file()
    }

    /// The rows.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Record> + '_ {
        (self.start..self.block.rows).map(|row| Record { block: Arc::clone(&self.block), row })
    }

    /// Moves the first row to `record`; false if there is none.
    pub(crate) fn take_first(&mut self, record: &mut Record) -> bool {
        if self.is_empty() {
            return false;
        }
        if !Arc::ptr_eq(&self.block, &record.block) {
            record.block = Arc::clone(&self.block);
        }
        record.row = self.start;
        self.start += 1;
        true
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("file", &self.file()).field("len", &self.len()).finish_non_exhaustive()
    }
}
