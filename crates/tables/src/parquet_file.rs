//! The bytes of a Parquet file.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

/// A file whose length is known, so that no place beyond its end is read or reserved for.
pub(crate) struct ParquetFile {
    file: File,
    length: u64,
    failure: Failure,
    /// The size of a decompressed page from which on it is not believed.
    largest_page: u64,
}

/// Decompressed pages of this size are never refused. Writers make pages of about a mebibyte.
const ANY_PAGE: u64 = 64 * 1024 * 1024;

/// The error of the operating system that a read ended with: the decoder hands on its text only.
#[derive(Clone, Default)]
pub(crate) struct Failure(Arc<Mutex<Option<io::Error>>>);

impl Failure {
    pub(crate) fn take(&self) -> Option<io::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Keeps an error, and gives one for the decoder.
    fn keep(&self, error: io::Error) -> io::Error {
        if error.raw_os_error().is_none() {
            return error;
        }
        let again = io::Error::new(error.kind(), error.to_string());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        again
    }
}

impl ParquetFile {
    pub(crate) fn new(file: File) -> io::Result<Self> {
        Ok(Self { length: file.metadata()?.len(), file, failure: Failure::default(), largest_page: u64::MAX })
    }

    /// Whether the mark of the format stands at the end, as it does at the start.
    pub(crate) fn is_whole(&self) -> io::Result<bool> {
        let Some(start) = self.length.checked_sub(4) else { return Ok(false) };
        let mut end = [0; 4];
        self.at(start)?.read_exact(&mut end)?;
        Ok(self.length >= 12 && &end == b"PAR1")
    }

    /// No page may be larger than the largest column that the footer names. The decoder believes what the start of a
    /// page says and fills as much memory, so that one wrong bit there would cost gibibytes.
    pub(crate) fn limit_pages(&mut self, largest_column: u64) {
        self.largest_page = largest_column.max(ANY_PAGE);
    }

    /// Where errors of the operating system are kept.
    pub(crate) fn failure(&self) -> Failure {
        self.failure.clone()
    }

    fn at(&self, start: u64) -> io::Result<Piece> {
        let open = || {
            let mut file = self.file.try_clone()?;
            file.seek(SeekFrom::Start(start))?;
            Ok(file)
        };
        let file = open().map_err(|error| self.failure.keep(error))?;
        Ok(Piece { file: BufReader::new(file), failure: self.failure.clone() })
    }
}

impl Length for ParquetFile {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for ParquetFile {
    type T = Piece;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        if start > self.length {
            return Err(outside(start, 0, self.length));
        }
        let mut piece = self.at(start)?;
        let size = page_size(piece.file.fill_buf()?).unwrap_or(0);
        if size > self.largest_page {
            let limit = self.largest_page;
            return Err(ParquetError::General(format!("a page of {size} bytes, but no column has more than {limit}")));
        }
        Ok(piece)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        if start.checked_add(length as u64).is_none_or(|end| end > self.length) {
            return Err(outside(start, length, self.length));
        }
        let mut bytes = vec![0; length];
        self.at(start)?.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// The file from some place on.
pub(crate) struct Piece {
    file: BufReader<File>,
    failure: Failure,
}

impl Read for Piece {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer).map_err(|error| self.failure.keep(error))
    }
}

/// The size that a page will have once decompressed, if these bytes are the start of a page: Thrift's compact protocol
/// writes its first two fields, the type and this size, as a byte 0x15 and a variable-length integer each.
fn page_size(start: &[u8]) -> Option<u64> {
    let (_, rest) = integer(start.strip_prefix(&[0x15])?)?;
    let (size, _) = integer(rest.strip_prefix(&[0x15])?)?;
    Some(size)
}

/// A variable-length integer that is not negative, and what follows it.
fn integer(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let length = 1 + bytes.iter().take(5).position(|byte| byte & 0x80 == 0)?;
    let (integer, rest) = bytes.split_at(length);
    let zigzag = integer.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7F));
    (zigzag % 2 == 0).then_some((zigzag / 2, rest))
}

fn outside(start: u64, length: usize, whole: u64) -> ParquetError {
    ParquetError::EOF(format!("{length} bytes at {start} lie outside of a file of {whole} bytes"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn pages_say_how_large_they_are() {
        assert_eq!(page_size(&[0x15, 0, 0x15, 0x80, 0x01, 0x15, 2]), Some(64));
        assert_eq!(page_size(&[0x15, 4, 0x15, 0xFE, 0xFF, 0xFF, 0xFF, 0x0F]), Some(i32::MAX as u64));
        assert_eq!(page_size(&[0x15, 4, 0x15, 0x01]), None, "a negative size");
        assert_eq!(page_size(&[0x15, 4, 0x15, 0x80]), None);
        assert_eq!(page_size(&[0x19, 4]), None);
        assert_eq!(page_size(&[]), None);
    }

    #[test]
    fn a_page_beyond_all_columns_is_refused() {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        std::fs::write(&path, [0x15, 0, 0x15, 0xFE, 0xFF, 0xFF, 0xFF, 0x0F, 0x15, 2]).unwrap();
        let mut file = ParquetFile::new(File::open(&path).unwrap()).unwrap();
        assert!(file.get_read(0).is_ok(), "before the footer is known");
        file.limit_pages(1000);
        let error = file.get_read(0).map(|_| ()).unwrap_err().to_string();
        assert_eq!(error, "Parquet error: a page of 2147483647 bytes, but no column has more than 67108864");
        file.limit_pages(i32::MAX as u64);
        assert!(file.get_read(0).is_ok(), "a column may be as large");
        assert!(file.get_read(11).is_err());
        assert!(file.get_bytes(8, 3).is_err());
        assert_eq!(&file.get_bytes(8, 2).unwrap()[..], [0x15, 2]);
        assert!(file.get_bytes(u64::MAX, 2).is_err());
    }
}
