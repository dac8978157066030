//! The bytes of a file: opened, counted, decompressed.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use crate::error::TableError;
use crate::format::Format;

/// Bytes that are taken from a compressed file at once.
const CHUNK: usize = 256 * 1024;

/// A decompressed text.
pub(crate) type Text = Box<dyn Read + Send>;

/// A file that was opened; its first bytes are read.
pub(crate) struct Input<R = File> {
    pub(crate) format: Format,
    start: Vec<u8>,
    file: R,
    bytes: Arc<AtomicU64>,
}

impl Input {
    /// Opens a file. The bytes that are taken from it will be added to `bytes`.
    pub(crate) fn open(path: &Path, bytes: Arc<AtomicU64>) -> Result<Self, TableError> {
        let open = || {
            let file = File::open(path)?;
            if file.metadata()?.is_dir() {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            Self::new(file, bytes)
        };
        open().map_err(|source| TableError::Open { file: path.to_path_buf(), source })
    }

    /// The file, for a reader that goes to and fro in it.
    pub(crate) fn into_file(self) -> File {
        self.file
    }
}

impl<R: Read + Send + 'static> Input<R> {
    pub(crate) fn new(mut file: R, bytes: Arc<AtomicU64>) -> io::Result<Self> {
        let mut start = Vec::new();
        file.by_ref().take(Format::START as u64).read_to_end(&mut start)?;
        Ok(Self { format: Format::of(&start), start, file, bytes })
    }

    /// The text of the file.
    pub(crate) fn into_text(self) -> io::Result<Text> {
        let input = Cursor::new(self.start).chain(self.file);
        let input = Counted { input, bytes: self.bytes };
        Ok(match self.format {
            Format::Gzip => Box::new(MultiGzDecoder::new(BufReader::with_capacity(CHUNK, input))),
            Format::Zstd => Box::new(zstd::Decoder::with_buffer(BufReader::with_capacity(CHUNK, input))?),
            Format::Plain | Format::Parquet => Box::new(input),
        })
    }
}

struct Counted<R> {
    input: R,
    bytes: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.bytes.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
