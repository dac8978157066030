//! The bytes of a file as UTF-8 text, read and decompressed on a thread of their own.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use flate2::bufread::MultiGzDecoder;

use crate::csv_config::Encoding;

/// Text after the last line of every file. The parser must find it outside of quotes.
///
/// None of its three noncharacters may stand in text that is exchanged, and none can be a separator or a
/// quote, which are ASCII.
pub(crate) const END: &str = "\u{FDD0}\u{10FFFE}\u{FDD1}";

/// Bytes per chunk, and chunks that may wait for the parser.
const CHUNK: usize = 256 * 1024;
const WAITING: usize = 4;

/// A reader of the whole text, then a line break and [`END`].
pub(crate) struct Source {
    chunks: Receiver<Chunk>,
    /// Chunks go back to be filled again.
    used: Sender<Vec<u8>>,
    current: Vec<u8>,
    position: usize,
    finished: bool,
    gzip: bool,
    bytes: Arc<AtomicU64>,
}

enum Chunk {
    Text(Vec<u8>),
    Failed(io::Error),
    End,
}

impl Source {
    /// Opens a file. It is gzip if it starts as gzip does, whatever its name is.
    pub(crate) fn open(path: &Path, encoding: Encoding) -> io::Result<Self> {
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Self::new(file, encoding)
    }

    fn new(input: impl Read + Send + 'static, encoding: Encoding) -> io::Result<Self> {
        let bytes = Arc::new(AtomicU64::new(0));
        let mut input = Counted { input, bytes: Arc::clone(&bytes) };
        let mut start = Vec::new();
        input.by_ref().take(2).read_to_end(&mut start)?;
        let gzip = start == [0x1F, 0x8B];
        let whole = Cursor::new(start).chain(input);
        let (filled, chunks) = sync_channel(WAITING);
        let (used, empty) = channel();
        let work = move || {
            if gzip {
                send(MultiGzDecoder::new(BufReader::with_capacity(CHUNK, whole)), encoding, &filled, &empty);
            } else {
                send(whole, encoding, &filled, &empty);
            }
        };
        // The thread ends by itself: with the file, or when this value is dropped and its channel closes.
        thread::Builder::new().name("table source".to_owned()).spawn(work)?;
        Ok(Self { chunks, used, current: Vec::new(), position: 0, finished: false, gzip, bytes })
    }

    pub(crate) fn is_gzip(&self) -> bool {
        self.gzip
    }

    /// Bytes taken from the file so far, as they lie on the disk.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        self.position = 0;
        let chunk = match self.chunks.recv() {
            Ok(Chunk::Text(text)) => text,
            Ok(Chunk::Failed(error)) => {
                self.finished = true;
                return Err(error);
            }
            Ok(Chunk::End) => {
                self.finished = true;
                let mut end = vec![b'\n'];
                end.extend_from_slice(END.as_bytes());
                end
            }
            Err(_) => return Err(io::Error::other("the reading thread ended early")),
        };
        let used = std::mem::replace(&mut self.current, chunk);
        // The thread may have ended already; then nobody needs the memory.
        let _ = self.used.send(used);
        Ok(())
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.position == self.current.len() {
            if self.finished {
                return Ok(0);
            }
            self.next_chunk()?;
        }
        let count = (&self.current[self.position..]).read(buffer)?;
        self.position += count;
        Ok(count)
    }
}

/// The work of the thread. An error of the channel means that the other end is gone.
fn send(mut input: impl Read, encoding: Encoding, filled: &SyncSender<Chunk>, empty: &Receiver<Vec<u8>>) {
    let mut decoded = Vec::new();
    loop {
        let mut chunk = empty.try_recv().unwrap_or_default();
        let outcome = fill(&mut input, &mut chunk);
        if encoding == Encoding::Latin1 && !chunk.is_ascii() {
            decode_latin1(&chunk, &mut decoded);
            std::mem::swap(&mut chunk, &mut decoded);
        }
        let last = match outcome {
            Ok(true) => None,
            Ok(false) => Some(Chunk::End),
            Err(error) => Some(Chunk::Failed(error)),
        };
        if filled.send(Chunk::Text(chunk)).is_err() {
            return;
        }
        if let Some(last) = last {
            let _ = filled.send(last);
            return;
        }
    }
}

/// Fills a chunk; false at the end of the input. What came before an error stays in the chunk.
fn fill(input: &mut impl Read, chunk: &mut Vec<u8>) -> io::Result<bool> {
    chunk.resize(CHUNK, 0);
    let mut filled = 0;
    while filled < CHUNK {
        match input.read(&mut chunk[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                chunk.truncate(filled);
                return Err(error);
            }
        }
    }
    chunk.truncate(filled);
    Ok(filled == CHUNK)
}

fn decode_latin1(latin1: &[u8], utf8: &mut Vec<u8>) {
    utf8.clear();
    for &byte in latin1 {
        if byte.is_ascii() {
            utf8.push(byte);
        } else {
            utf8.extend([0xC0 | byte >> 6, 0x80 | byte & 0x3F]);
        }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    /// Gives its bytes one by one, then an error.
    struct Failing(Vec<u8>);

    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Err(io::Error::other("the disk is gone"));
            }
            buffer[0] = self.0.remove(0);
            Ok(1)
        }
    }

    fn text(source: &mut Source) -> String {
        let mut text = String::new();
        source.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn the_text_comes_whole_and_the_end_is_marked() {
        let input = "one line of many\n".repeat(100_000);
        let length = input.len() as u64;
        let mut source = Source::new(Cursor::new(input.clone()), Encoding::Utf8).unwrap();
        assert!(text(&mut source) == format!("{input}\n{END}"));
        assert_eq!(source.bytes_read(), length);
        assert!(!source.is_gzip());
    }

    #[test]
    fn latin1_becomes_utf8() {
        let all: Vec<u8> = (0..=255).collect();
        let expected: String = all.iter().map(|&byte| char::from(byte)).collect();
        let mut source = Source::new(Cursor::new(all), Encoding::Latin1).unwrap();
        assert_eq!(text(&mut source), format!("{expected}\n{END}"));
    }

    #[test]
    fn what_came_before_an_error_is_read_first() {
        let mut source = Source::new(Failing(b"a,b\n1".to_vec()), Encoding::Utf8).unwrap();
        let mut start = [0; 5];
        source.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"a,b\n1");
        assert_eq!(source.read(&mut start).unwrap_err().to_string(), "the disk is gone");
    }

    #[test]
    fn a_file_of_one_byte_is_read() {
        let mut source = Source::new(Cursor::new([0x1F]), Encoding::Utf8).unwrap();
        assert_eq!(text(&mut source), format!("\u{1F}\n{END}"));
    }
}
