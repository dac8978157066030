//! The piece of a text that is being cut into rows.

use std::io::{self, Read};

use crate::input::Text;

/// Bytes that are read at once.
const CHUNK: usize = 256 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What was read of a text and not taken yet.
pub(crate) struct Window {
    pub(crate) input: Text,
    text: Vec<u8>,
    /// What was taken of `text`.
    taken: usize,
    /// Bytes of the file before `text`.
    offset: u64,
    ended: bool,
    /// Comes when all text before it was taken.
    error: Option<io::Error>,
}

impl Window {
    pub(crate) fn new(input: Text) -> Self {
        Self { input, text: Vec::new(), taken: 0, offset: 0, ended: false, error: None }
    }

    pub(crate) fn text(&self) -> &[u8] {
        &self.text[self.taken..]
    }

    /// Where [`Window::text`] starts in the file.
    pub(crate) fn offset(&self) -> u64 {
        self.offset + self.taken as u64
    }

    pub(crate) fn take(&mut self, bytes: usize) {
        self.taken += bytes;
    }

    /// Adds to the text; false at the end of the file.
    ///
    /// # Errors
    /// Those of the file, once.
    pub(crate) fn read_more(&mut self) -> io::Result<bool> {
        if self.ended {
            return self.error.take().map_or(Ok(false), Err);
        }
        self.text.drain(..self.taken);
        self.offset += self.taken as u64;
        self.taken = 0;
        match (&mut self.input).take(CHUNK as u64).read_to_end(&mut self.text) {
            Ok(0) => self.ended = true,
            Ok(_) => return Ok(true),
            Err(error) => (self.ended, self.error) = (true, Some(error)),
        }
        // What was read before an error may be whole rows.
        if self.error.is_some() && !self.text.is_empty() { Ok(true) } else { self.read_more() }
    }

    /// Takes the mark with which some programs start a text.
    pub(crate) fn take_byte_order_mark(&mut self) -> io::Result<()> {
        while self.text().len() < BYTE_ORDER_MARK.len() && self.read_more()? {}
        if self.text().starts_with(BYTE_ORDER_MARK) {
            self.take(BYTE_ORDER_MARK.len());
        }
        Ok(())
    }

    /// No more text comes.
    pub(crate) fn close(&mut self) {
        self.text.clear();
        (self.taken, self.ended, self.error) = (0, true, None);
    }
}
