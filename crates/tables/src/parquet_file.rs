//! The bytes of a Parquet file.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

/// A file whose length is known, so that no place beyond its end is read or reserved for.
pub(crate) struct ParquetFile {
    file: File,
    length: u64,
    failure: Failure,
}

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
        Ok(Self { length: file.metadata()?.len(), file, failure: Failure::default() })
    }

    /// Whether the mark of the format stands at the end, as it does at the start.
    pub(crate) fn is_whole(&self) -> io::Result<bool> {
        let Some(start) = self.length.checked_sub(4) else { return Ok(false) };
        let mut end = [0; 4];
        self.at(start)?.read_exact(&mut end)?;
        Ok(self.length >= 12 && &end == b"PAR1")
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
        Ok(self.at(start)?)
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

fn outside(start: u64, length: usize, whole: u64) -> ParquetError {
    ParquetError::EOF(format!("{length} bytes at {start} lie outside of a file of {whole} bytes"))
}
