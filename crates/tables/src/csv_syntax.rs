//! How a line is cut into fields.

use memchr::memchr_iter;
use memchr::memmem::Finder;

use crate::block::Span;
use crate::csv_config::{CsvConfig, Encoding};

/// Checked settings, ready for use.
pub(crate) struct Syntax {
    pub(crate) separator: Vec<u8>,
    /// Searches a separator of several bytes.
    finder: Finder<'static>,
    pub(crate) quote: Option<u8>,
    pub(crate) latin1: bool,
}

impl Syntax {
    pub(crate) fn new(csv: &CsvConfig) -> Self {
        let separator = csv.separator.as_bytes().to_vec();
        Self {
            finder: Finder::new(&separator).into_owned(),
            separator,
            quote: csv.quote.bytes().next(),
            latin1: csv.encoding == Encoding::Latin1,
        }
    }

    /// Adds the fields of a line without quotes, which starts at `base` of a text.
    pub(crate) fn cut(&self, line: &[u8], base: usize, fields: &mut Vec<Span>) {
        let mut start = 0;
        let mut field = |place: usize| {
            fields.push(Span::new(base + start, base + place));
            start = place + self.separator.len();
        };
        match self.separator.as_slice() {
            &[separator] => memchr_iter(separator, line).for_each(&mut field),
            _ => self.finder.find_iter(line).for_each(&mut field),
        }
        field(line.len());
    }

    /// Adds bytes of the file to a text.
    pub(crate) fn decode(&self, bytes: &[u8], text: &mut Vec<u8>) {
        if !self.latin1 || bytes.is_ascii() {
            text.extend_from_slice(bytes);
            return;
        }
        for &byte in bytes {
            if byte.is_ascii() {
                text.push(byte);
            } else {
                text.extend([0xC0 | byte >> 6, 0x80 | byte & 0x3F]);
            }
        }
    }
}
