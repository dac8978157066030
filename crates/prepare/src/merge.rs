//! Merges sorted runs that lie in files.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::Path;

use fain_storage::StorageError;

use crate::error::PrepareError;
use crate::record::{Head, RecordFormat};

/// What orders the next records of the runs: user, time, and the run, for records of an earlier run were read earlier.
type Key = (u32, i64, usize);

/// Several runs as one.
#[derive(Debug)]
pub(crate) struct Merge {
    format: RecordFormat,
    runs: Vec<RunReader>,
    /// One for each run that is not at its end.
    heap: BinaryHeap<Reverse<Key>>,
}

/// One run, and its next record.
#[derive(Debug)]
struct RunReader {
    file: BufReader<File>,
    record: Vec<u8>,
}

impl Merge {
    /// Of runs in the order in which their records were read.
    pub(crate) fn new(format: &RecordFormat, files: Vec<File>, buffer: usize) -> Result<Self, PrepareError> {
        let runs = files
            .into_iter()
            .map(|file| RunReader { file: BufReader::with_capacity(buffer, file), record: Vec::new() });
        let mut merge = Self { format: format.clone(), runs: runs.collect(), heap: BinaryHeap::new() };
        merge.rewind()?;
        Ok(merge)
    }

    /// Goes before the first record.
    fn rewind(&mut self) -> Result<(), PrepareError> {
        self.heap.clear();
        for run in 0..self.runs.len() {
            self.runs[run].file.rewind().map_err(failed)?;
            self.read(run)?;
        }
        Ok(())
    }

    /// Reads the next record of a run.
    fn read(&mut self, run: usize) -> Result<(), PrepareError> {
        let RunReader { file, record } = &mut self.runs[run];
        if read_record(&self.format, file, record)? {
            let head = Head::read(record);
            self.heap.push(Reverse((head.user, head.time, run)));
        }
        Ok(())
    }

    /// The next record; `None` behind the last.
    pub(crate) fn peek(&self) -> Option<&[u8]> {
        let Reverse((_, _, run)) = self.heap.peek()?;
        Some(&self.runs[*run].record)
    }

    /// Goes behind the next record.
    pub(crate) fn advance(&mut self) -> Result<(), PrepareError> {
        match self.heap.pop() {
            Some(Reverse((_, _, run))) => self.read(run),
            None => Ok(()),
        }
    }

    /// Visits every record, run by run, and goes before the first one.
    pub(crate) fn each(&mut self, mut visit: impl FnMut(&[u8])) -> Result<(), PrepareError> {
        let mut record = Vec::new();
        for run in &mut self.runs {
            run.file.rewind().map_err(failed)?;
            while read_record(&self.format, &mut run.file, &mut record)? {
                visit(&record);
            }
        }
        self.rewind()
    }
}

/// Reads one record; false at the end of the run.
fn read_record(format: &RecordFormat, file: &mut BufReader<File>, record: &mut Vec<u8>) -> Result<bool, PrepareError> {
    if file.fill_buf().map_err(failed)?.is_empty() {
        return Ok(false);
    }
    record.resize(format.shortest(), 0);
    file.read_exact(record).map_err(failed)?;
    let length = format.length(record);
    record.resize(length, 0);
    file.read_exact(&mut record[format.shortest()..]).map_err(failed)?;
    Ok(true)
}

fn failed(cause: std::io::Error) -> StorageError {
    // The file has no name.
    StorageError::io("read back", Path::new("a temporary file"), cause)
}
