//! Some thousand rows whose texts lie in one buffer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::RowPlace;

/// Most rows of a block.
pub(crate) const ROWS: usize = 4096;
/// Bytes of text at which a block is full, however few its rows are.
pub(crate) const TEXT: usize = 256 * 1024;

/// A part of a block's text, or of its list items.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    /// A block's text ends long before 4 GiB: with the row that fills it, and no row is that long.
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Rows of one file.
#[derive(Default)]
pub(crate) struct Block {
    pub(crate) file: Arc<PathBuf>,
    pub(crate) text: String,
    /// Fields per row.
    pub(crate) width: usize,
    pub(crate) rows: usize,
    /// The fields, row by row.
    pub(crate) fields: Vec<Span>,
    /// Number of the first row in its file, from 1.
    pub(crate) first_row: u64,
    /// Where the rows start in their file; none for Parquet.
    pub(crate) bytes: Vec<u64>,
    pub(crate) lists: Lists,
}

/// The fields that are lists.
#[derive(Default)]
pub(crate) struct Lists {
    /// For each column the number of its list column; nothing at all where no column has lists.
    pub(crate) columns: Vec<Option<usize>>,
    /// How many columns have lists.
    pub(crate) count: usize,
    /// The items of the lists, row by row: parts of `texts`.
    pub(crate) fields: Vec<Span>,
    /// The items' texts.
    pub(crate) texts: Vec<Span>,
}

impl Block {
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    pub(crate) fn place(&self, row: usize) -> RowPlace {
        RowPlace { row: self.first_row + row as u64, byte: self.bytes.get(row).copied() }
    }

    /// Empty for a field that there is not.
    #[inline]
    pub(crate) fn get(&self, row: usize, column: usize) -> &str {
        if column >= self.width {
            return "";
        }
        let span = self.fields.get(row * self.width + column).copied().unwrap_or_default();
        self.cut(span)
    }

    /// The items of a field that is a list.
    #[inline]
    pub(crate) fn list(&self, row: usize, column: usize) -> Option<&[Span]> {
        let list = (*self.lists.columns.get(column)?)?;
        let items = self.lists.fields.get(row * self.lists.count + list)?;
        self.lists.texts.get(items.range())
    }

    #[inline]
    pub(crate) fn cut(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }
}
