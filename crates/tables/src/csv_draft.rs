//! A block of a CSV file while its rows are added.

use std::path::PathBuf;
use std::str::from_utf8;
use std::sync::Arc;

use crate::block::{Block, Lists, ROWS, Span, TEXT};
use crate::columns::Selection;
use crate::csv_syntax::Syntax;
use crate::error::RowPlace;

/// Rows whose text was not checked yet. Every field and every line ends with a byte that is in neither: without it
/// the halves of a character at the end of one and the start of the next would pass for text.
pub(crate) struct Draft {
    text: Vec<u8>,
    fields: Vec<Span>,
    bytes: Vec<u64>,
    /// Fields of a row.
    width: usize,
}

/// A field that is not UTF-8.
pub(crate) struct NotText {
    pub(crate) place: RowPlace,
    /// The field, counted from 0.
    pub(crate) field: usize,
    /// The first wrong byte, counted from 0.
    pub(crate) offset: usize,
}

impl Draft {
    pub(crate) fn new(width: usize) -> Self {
        Self {
            text: Vec::with_capacity(TEXT + TEXT / 8),
            fields: Vec::with_capacity(width * ROWS),
            bytes: Vec::with_capacity(ROWS),
            width,
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() >= ROWS || self.text.len() >= TEXT
    }

    /// Adds the fields of a line without quotes.
    pub(crate) fn add_line(&mut self, line: &[u8], syntax: &Syntax) {
        let base = self.text.len();
        syntax.decode(line, &mut self.text);
        syntax.cut(&self.text[base..], base, &mut self.fields);
        self.text.push(b'\n');
    }

    /// Adds a field whose quotes are off.
    pub(crate) fn add_field(&mut self, field: &[u8], syntax: &Syntax) {
        let base = self.text.len();
        syntax.decode(field, &mut self.text);
        self.fields.push(Span::new(base, self.text.len()));
        self.text.push(b'\n');
    }

    /// The fields that were added since the last row ended.
    pub(crate) fn open_fields(&self) -> &[Span] {
        &self.fields[self.bytes.len() * self.width..]
    }

    /// Makes a row of the fields added, which starts at `byte` of its file. They must be as many as a row has.
    pub(crate) fn end_row(&mut self, byte: u64) {
        self.bytes.push(byte);
    }

    /// The open fields as texts.
    ///
    /// # Errors
    /// The number of the first that is not UTF-8, and the offset of the wrong byte in it.
    pub(crate) fn open_texts(&self) -> Result<Vec<String>, (usize, usize)> {
        let text = |(field, span): (usize, &Span)| {
            from_utf8(self.bytes_of(*span)).map(str::to_owned).map_err(|error| (field, error.valid_up_to()))
        };
        self.open_fields().iter().enumerate().map(text).collect()
    }

    fn bytes_of(&self, span: Span) -> &[u8] {
        &self.text[span.start as usize..span.end as usize]
    }

    /// Forgets the open fields.
    pub(crate) fn drop_open(&mut self) {
        let first = self.bytes.len() * self.width;
        if let Some(field) = self.fields.get(first) {
            self.text.truncate(field.start as usize);
            self.fields.truncate(first);
        }
    }

    /// The rows before the first that is not UTF-8, and that one. There must be no open fields.
    pub(crate) fn finish(
        mut self,
        file: Arc<PathBuf>,
        first_row: u64,
        selection: &Selection,
    ) -> (Block, Option<NotText>) {
        let (text, wrong) = match String::from_utf8(std::mem::take(&mut self.text)) {
            Ok(text) => (text, None),
            Err(error) => {
                let wrong = self.find(error.utf8_error().valid_up_to(), first_row);
                self.bytes.truncate((wrong.place.row - first_row) as usize);
                self.fields.truncate(self.bytes.len() * self.width);
                let end = error.utf8_error().valid_up_to();
                let mut text = error.into_bytes();
                text.truncate(end);
                (String::from_utf8(text).unwrap_or_default(), Some(wrong))
            }
        };
        if !selection.all {
            let rows = self.fields.chunks_exact(self.width.max(1));
            self.fields = rows.flat_map(|row| selection.places.iter().map(|&place| row[place])).collect();
        }
        let block = Block {
            file,
            text,
            width: selection.places.len(),
            rows: self.bytes.len(),
            fields: self.fields,
            first_row,
            bytes: self.bytes,
            lists: Lists::default(),
        };
        (block, wrong)
    }

    /// The row and field around a byte of the text.
    fn find(&self, byte: usize, first_row: u64) -> NotText {
        let index = self.fields.partition_point(|field| (field.end as usize) <= byte).min(self.fields.len() - 1);
        let row = index / self.width;
        NotText {
            place: RowPlace { row: first_row + row as u64, byte: self.bytes.get(row).copied() },
            field: index % self.width,
            offset: byte - self.fields[index].start as usize,
        }
    }
}
