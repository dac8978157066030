//! A reader that works on a thread of its own, some chunks ahead of whoever reads.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use crate::input::Text;

/// Bytes per chunk, and chunks that may wait for the reader.
const CHUNK: usize = 256 * 1024;
const WAITING: usize = 4;

/// Decompresses while the rows before are parsed.
pub(crate) struct ReadAhead {
    chunks: Receiver<Chunk>,
    /// Chunks go back to be filled again.
    used: Sender<Vec<u8>>,
    current: Vec<u8>,
    position: usize,
    finished: bool,
}

enum Chunk {
    Text(Vec<u8>),
    Failed(io::Error),
    End,
}

impl ReadAhead {
    /// Starts the thread. It ends by itself: with the text, or when this value is dropped and its channel closes.
    pub(crate) fn start(input: Text) -> io::Result<Self> {
        let (filled, chunks) = sync_channel(WAITING);
        let (used, empty) = channel();
        thread::Builder::new().name("table text".to_owned()).spawn(move || send(input, &filled, &empty))?;
        Ok(Self { chunks, used, current: Vec::new(), position: 0, finished: false })
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        let chunk = match self.chunks.recv() {
            Ok(Chunk::Text(text)) => text,
            Ok(Chunk::End) => {
                self.finished = true;
                return Ok(());
            }
            Ok(Chunk::Failed(error)) => {
                self.finished = true;
                return Err(error);
            }
            Err(_) => return Err(io::Error::other("the reading thread ended early")),
        };
        self.position = 0;
        let used = std::mem::replace(&mut self.current, chunk);
        // The thread may have ended already; then nobody needs the memory.
        let _ = self.used.send(used);
        Ok(())
    }
}

impl Read for ReadAhead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.position == self.current.len() && !self.finished {
            self.next_chunk()?;
        }
        let count = (&self.current[self.position..]).read(buffer)?;
        self.position += count;
        Ok(count)
    }
}

/// The work of the thread. An error of the channel means that the other end is gone.
fn send(mut input: Text, filled: &SyncSender<Chunk>, empty: &Receiver<Vec<u8>>) {
    loop {
        let mut chunk = empty.try_recv().unwrap_or_default();
        let outcome = fill(&mut input, &mut chunk);
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
///
/// A decoder gets all of the chunk to write to: it is faster where it finds what it repeats, and slow near an end.
fn fill(input: &mut impl Read, chunk: &mut Vec<u8>) -> io::Result<bool> {
    chunk.resize(CHUNK, 0);
    let mut filled = 0;
    let outcome = loop {
        match input.read(&mut chunk[filled..]) {
            Ok(0) => break Ok(filled == CHUNK),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Err(error),
        }
    };
    chunk.truncate(filled);
    outcome
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::io::Cursor;

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

    #[test]
    fn the_text_comes_whole() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 7 * CHUNK + 3] {
            let input: Vec<u8> = (0..length).map(|place| (place % 251) as u8).collect();
            let mut text = Vec::new();
            let mut ahead = ReadAhead::start(Box::new(Cursor::new(input.clone()))).unwrap();
            ahead.read_to_end(&mut text).unwrap();
            assert!(text == input, "{length} bytes");
            assert_eq!(ahead.read(&mut [0]).unwrap(), 0);
        }
    }

    #[test]
    fn what_came_before_an_error_is_read_first() {
        let mut ahead = ReadAhead::start(Box::new(Failing(b"a,b\n1".to_vec()))).unwrap();
        let mut start = [0; 5];
        ahead.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"a,b\n1");
        assert_eq!(ahead.read(&mut start).unwrap_err().to_string(), "the disk is gone");
    }
}
