//! Rows with quotes.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// Reads one row at a time, piece by piece.
pub(crate) struct Quotes {
    reader: Reader,
    text: Vec<u8>,
    length: usize,
    ends: Vec<usize>,
    fields: usize,
}

impl Quotes {
    pub(crate) fn new(separator: u8, quote: Option<u8>) -> Self {
        let mut builder = ReaderBuilder::new();
        builder.delimiter(separator).quoting(quote.is_some());
        let mut reader = builder.quote(quote.unwrap_or_default()).build();
        // The reader takes a byte order mark from the first piece it sees, which here may be any row.
        let _ = reader.read_record(b"\n", &mut [0], &mut [0]);
        Self { reader, text: vec![0; 1024], length: 0, ends: vec![0; 64], fields: 0 }
    }

    /// Before the first piece of a row.
    pub(crate) fn start(&mut self) {
        (self.length, self.fields) = (0, 0);
    }

    /// Reads a piece: how many of its bytes belong to the row, or `None` if the row goes on after the piece.
    pub(crate) fn read(&mut self, piece: &[u8]) -> Option<usize> {
        let mut taken = 0;
        while taken < piece.len() {
            let (result, read, written, ended) =
                self.reader.read_record(&piece[taken..], &mut self.text[self.length..], &mut self.ends[self.fields..]);
            taken += read;
            self.length += written;
            self.fields += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.text.resize(2 * self.text.len(), 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                ReadRecordResult::Record | ReadRecordResult::End => return Some(taken),
            }
        }
        None
    }

    /// The fields of the row, without their quotes.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &[u8]> {
        let ends = &self.ends[..self.fields];
        ends.iter().scan(0, |start, &end| Some(&self.text[std::mem::replace(start, end)..end]))
    }
}
