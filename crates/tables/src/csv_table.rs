//! The rows of a CSV file.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memchr::{memchr, memchr2};

use crate::block::Block;
use crate::columns::Selection;
use crate::csv_config::CsvConfig;
use crate::csv_draft::{Draft, NotText};
use crate::csv_quotes::Quotes;
use crate::csv_syntax::Syntax;
use crate::csv_window::Window;
use crate::error::{RowPlace, TableError};
use crate::format::Format;
use crate::input::Input;
use crate::read_ahead::ReadAhead;

/// The longest row that is read, in bytes. A quote that is not closed ends here and not with the memory.
const LONGEST: usize = 64 * 1024 * 1024;

/// A CSV file that is being read.
pub(crate) struct CsvTable {
    file: Arc<PathBuf>,
    format: Format,
    window: Window,
    syntax: Syntax,
    quotes: Quotes,
    header: Vec<String>,
    /// Where the settings stand, for errors.
    key: String,
    /// The setting that names the columns of a file without header.
    names: Option<String>,
    /// Rows taken.
    rows: u64,
    failure: Option<TableError>,
}

impl CsvTable {
    /// Reads as far as the header.
    pub(crate) fn open(path: &Path, input: Input, csv: &CsvConfig, key: &str) -> Result<Self, TableError> {
        let format = input.format;
        let text = input.into_text().map_err(|source| TableError::Open { file: path.to_path_buf(), source })?;
        let syntax = Syntax::new(csv);
        let mut table = Self {
            file: Arc::new(path.to_path_buf()),
            format,
            window: Window::new(text),
            quotes: Quotes::new(syntax.separator[0], syntax.quote),
            syntax,
            header: csv.columns.clone().unwrap_or_default(),
            key: key.to_owned(),
            names: csv.columns.is_some().then(|| format!("{key}.columns")),
            rows: 0,
            failure: None,
        };
        table.window.take_byte_order_mark().map_err(|error| table.unreadable(error))?;
        if table.names.is_none() {
            table.header = table.read_header()?;
        }
        Ok(table)
    }

    /// The names of the columns.
    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// Reads the rest of a compressed file on a thread of its own. Plain files come fast enough.
    pub(crate) fn read_ahead(&mut self) -> Result<(), TableError> {
        if self.format != Format::Plain {
            let input = std::mem::replace(&mut self.window.input, Box::new(io::empty()));
            let ahead =
                ReadAhead::start(input).map_err(|source| TableError::Open { file: self.file.to_path_buf(), source })?;
            self.window.input = Box::new(ahead);
        }
        Ok(())
    }

    /// The next rows; none at the end. Rows before an error come first.
    pub(crate) fn next_block(&mut self, selection: &Selection) -> Result<Option<Block>, TableError> {
        if let Some(error) = self.failure.take() {
            self.window.close();
            return Err(error);
        }
        let mut draft = Draft::new(self.header.len());
        let first_row = self.rows + 1;
        let mut failure = None;
        while failure.is_none() && !draft.is_full() {
            match self.next_row(&mut draft) {
                Ok(true) => self.rows += 1,
                Ok(false) => break,
                Err(error) => failure = Some(error),
            }
        }
        draft.drop_open();
        let (block, wrong) = draft.finish(Arc::clone(&self.file), first_row, selection);
        // Text that is not UTF-8 is found when the block is whole, and stands before any other error.
        self.failure = wrong.map(|wrong| self.not_text(&wrong)).or(failure);
        if block.rows > 0 {
            return Ok(Some(block));
        }
        match self.failure.take() {
            None => Ok(None),
            Some(error) => {
                self.window.close();
                Err(error)
            }
        }
    }

    /// The first row, whose fields are the names.
    fn read_header(&mut self) -> Result<Vec<String>, TableError> {
        let mut draft = Draft::new(0);
        if self.next_fields(&mut draft, 0)?.is_none() {
            return Err(TableError::Empty { file: self.file.to_path_buf() });
        }
        draft.open_texts().map_err(|(field, offset)| TableError::HeaderEncoding {
            file: self.file.to_path_buf(),
            field: field + 1,
            offset,
            key: self.key.clone(),
        })
    }

    /// Adds the next row to a draft; false at the end.
    fn next_row(&mut self, draft: &mut Draft) -> Result<bool, TableError> {
        let Some(byte) = self.next_fields(draft, self.rows + 1)? else { return Ok(false) };
        let place = RowPlace { row: self.rows + 1, byte: Some(byte) };
        let (found, expected) = (draft.open_fields().len(), self.header.len());
        if found == expected {
            draft.end_row(byte);
            return Ok(true);
        }
        Err(match draft.open_texts() {
            Err((field, offset)) => self.not_text(&NotText { place, field, offset }),
            Ok(_) => TableError::FieldCount {
                file: self.file.to_path_buf(),
                place,
                found,
                expected,
                names: self.names.clone(),
            },
        })
    }

    /// Adds the fields of the next line that is not blank to a draft, and says where it starts; none at the end.
    /// `row` is its number, 0 for the header.
    fn next_fields(&mut self, draft: &mut Draft, row: u64) -> Result<Option<u64>, TableError> {
        let mut searched = 0;
        let length = loop {
            let text = self.window.text();
            match memchr2(b'\n', b'\r', &text[searched..]) {
                Some(0) if searched == 0 => self.window.take(1),
                Some(rest) => break searched + rest,
                None => {
                    searched = text.len();
                    if !self.read_more(searched, row)? {
                        break searched;
                    }
                }
            }
        };
        if length == 0 {
            return Ok(None);
        }
        let byte = self.window.offset();
        let line = &self.window.text()[..length];
        if self.syntax.quote.is_some_and(|quote| memchr(quote, line).is_some()) {
            self.next_quoted(draft, RowPlace { row, byte: Some(byte) })?;
        } else {
            draft.add_line(line, &self.syntax);
            self.window.take(length);
        }
        Ok(Some(byte))
    }

    /// Adds the fields of a row that has quotes somewhere, and may have line breaks between them.
    fn next_quoted(&mut self, draft: &mut Draft, place: RowPlace) -> Result<(), TableError> {
        self.quotes.start();
        let mut seen = 0;
        let length = loop {
            let text = &self.window.text()[seen..];
            if let Some(rest) = self.quotes.read(text) {
                break seen + rest;
            }
            seen += text.len();
            if !self.read_more(seen, place.row)? {
                // The last line may lack its line break; inside of quotes none ends a line.
                match self.quotes.read(b"\n") {
                    Some(_) => break seen,
                    None => return Err(TableError::OpenQuote { file: self.file.to_path_buf(), place }),
                }
            }
        };
        self.window.take(length);
        self.quotes.fields().for_each(|field| draft.add_field(field, &self.syntax));
        Ok(())
    }

    /// Reads more of a row of which `seen` bytes are known; false at the end of the file.
    fn read_more(&mut self, seen: usize, row: u64) -> Result<bool, TableError> {
        if seen > LONGEST {
            let place = RowPlace { row, byte: Some(self.window.offset()) };
            return Err(TableError::RowTooLong { file: self.file.to_path_buf(), place, limit: LONGEST });
        }
        self.window.read_more().map_err(|error| self.unreadable(error))
    }

    /// The error of a file that cannot be read on. What a decoder finds wrong has no number of the operating system.
    fn unreadable(&self, source: io::Error) -> TableError {
        let (file, format, row) = (self.file.to_path_buf(), self.format, self.rows);
        let decoder = format != Format::Plain && source.raw_os_error().is_none();
        match source.kind() {
            io::ErrorKind::UnexpectedEof if decoder => TableError::CutShort { file, format, row },
            _ if decoder => TableError::Damaged { file, format, row, reason: source.to_string() },
            _ => TableError::Read { file, row, source },
        }
    }

    fn not_text(&self, wrong: &NotText) -> TableError {
        let column = self.header.get(wrong.field).cloned();
        TableError::Encoding {
            file: self.file.to_path_buf(),
            place: wrong.place,
            column: column.unwrap_or_else(|| format!("(field {})", wrong.field + 1)),
            offset: wrong.offset,
            key: self.key.clone(),
        }
    }
}
