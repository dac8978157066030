//! Sorts the log by user, time and row, with bounded memory.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use fain_storage::StorageError;
use rayon::slice::ParallelSliceMut;

use crate::error::PrepareError;
use crate::merge::Merge;
use crate::progress::Reporter;
use crate::record::{Head, RecordFormat};

/// How much memory sorting takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SortMemory {
    /// Bytes of the records that are sorted at once; what orders them takes 16 bytes each besides.
    pub(crate) run: usize,
    /// Runs that are merged at once, 2 or more.
    pub(crate) merged: usize,
    /// Bytes that are read at once of each run that is merged.
    pub(crate) buffer: usize,
}

impl Default for SortMemory {
    fn default() -> Self {
        Self { run: 128 << 20, merged: 64, buffer: 1 << 20 }
    }
}

/// What orders a record of a run. A record that was read later lies behind, so that its place breaks ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    user: u32,
    time: i64,
    place: u32,
}

/// Records in memory.
#[derive(Debug, Default)]
struct Run {
    bytes: Vec<u8>,
    keys: Vec<Key>,
}

/// Takes the records in the order of the log's rows.
#[derive(Debug)]
pub(crate) struct Sorter {
    format: RecordFormat,
    memory: SortMemory,
    folder: PathBuf,
    run: Run,
    spilled: Vec<File>,
    records: u64,
    earliest: i64,
    latest: i64,
}

impl Sorter {
    /// Runs that do not fit into memory go to files without names in `folder`.
    pub(crate) fn new(format: RecordFormat, memory: SortMemory, folder: &Path) -> Self {
        let (run, spilled) = (Run::default(), Vec::new());
        let folder = folder.to_owned();
        Self { format, memory, folder, run, spilled, records: 0, earliest: i64::MAX, latest: i64::MIN }
    }

    /// Adds records that lie one behind the other.
    pub(crate) fn push_all(&mut self, mut records: &[u8]) -> Result<(), PrepareError> {
        while !records.is_empty() {
            if self.run.bytes.len() >= self.memory.run {
                self.spill()?;
            }
            let (record, behind) = records.split_at(self.format.length(records));
            let Head { user, time, .. } = Head::read(record);
            self.run.keys.push(Key { user, time, place: self.run.bytes.len() as u32 });
            self.run.bytes.extend_from_slice(record);
            self.records += 1;
            self.earliest = self.earliest.min(time);
            self.latest = self.latest.max(time);
            records = behind;
        }
        Ok(())
    }

    fn spill(&mut self) -> Result<(), PrepareError> {
        self.run.keys.par_sort_unstable();
        let mut spill = Spill::new(&self.folder)?;
        for key in &self.run.keys {
            spill.write(record(&self.format, &self.run.bytes, *key))?;
        }
        self.spilled.push(spill.finish()?);
        self.run.bytes.clear();
        self.run.keys.clear();
        Ok(())
    }

    /// All records are there.
    pub(crate) fn finish(mut self, reporter: &mut Reporter<'_>) -> Result<Sorted, PrepareError> {
        let Self { records, earliest, latest, .. } = self;
        let times = (records > 0).then_some((earliest, latest));
        if self.spilled.is_empty() {
            reporter.again()?;
            self.run.keys.par_sort_unstable();
            return Ok(Sorted {
                format: self.format,
                records,
                times,
                source: Source::Memory { run: self.run, next: 0 },
            });
        }
        if !self.run.keys.is_empty() {
            self.spill()?;
        }
        self.run = Run::default();
        let SortMemory { merged, buffer, .. } = self.memory;
        // Neighbours are merged, and stay where they are among the others, so that ties keep the order of the log.
        while self.spilled.len() > merged {
            let mut fewer = Vec::with_capacity(self.spilled.len().div_ceil(merged));
            let mut rest = std::mem::take(&mut self.spilled).into_iter().peekable();
            while rest.peek().is_some() {
                reporter.again()?;
                let mut merge = Merge::new(&self.format, rest.by_ref().take(merged).collect(), buffer)?;
                let mut spill = Spill::new(&self.folder)?;
                while let Some(record) = merge.peek() {
                    spill.write(record)?;
                    merge.advance()?;
                }
                fewer.push(spill.finish()?);
            }
            self.spilled = fewer;
        }
        let merge = Merge::new(&self.format, self.spilled, buffer)?;
        Ok(Sorted { format: self.format, records, times, source: Source::Files(merge) })
    }
}

fn record<'a>(format: &RecordFormat, bytes: &'a [u8], key: Key) -> &'a [u8] {
    let rest = &bytes[key.place as usize..];
    &rest[..format.length(rest)]
}

/// A file without a name that a sorted run is written to. It is gone when it is closed, whatever happens.
struct Spill<'a> {
    folder: &'a Path,
    file: BufWriter<File>,
}

impl<'a> Spill<'a> {
    fn new(folder: &'a Path) -> Result<Self, PrepareError> {
        let file =
            tempfile::tempfile_in(folder).map_err(|cause| StorageError::io("create a file in", folder, cause))?;
        Ok(Self { folder, file: BufWriter::with_capacity(1 << 20, file) })
    }

    fn write(&mut self, record: &[u8]) -> Result<(), PrepareError> {
        let write = self.file.write_all(record);
        write.map_err(|cause| StorageError::io("write a temporary file in", self.folder, cause).into())
    }

    fn finish(self) -> Result<File, PrepareError> {
        let file = self.file.into_inner().map_err(std::io::IntoInnerError::into_error);
        file.map_err(|cause| StorageError::io("write a temporary file in", self.folder, cause).into())
    }
}

/// The records, sorted.
#[derive(Debug)]
pub(crate) struct Sorted {
    format: RecordFormat,
    records: u64,
    times: Option<(i64, i64)>,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Memory { run: Run, next: usize },
    Files(Merge),
}

impl Sorted {
    /// Number of records.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// The first and the last time; `None` without records.
    pub(crate) fn times(&self) -> Option<(i64, i64)> {
        self.times
    }

    /// Visits the time of every record, in any order, before the first record is taken.
    pub(crate) fn each_time(&mut self, visit: &mut dyn FnMut(i64)) -> Result<(), PrepareError> {
        match &mut self.source {
            Source::Memory { run, .. } => {
                run.keys.iter().for_each(|key| visit(key.time));
                Ok(())
            }
            Source::Files(merge) => merge.each(|record| visit(Head::read(record).time)),
        }
    }

    /// The next record; `None` behind the last.
    pub(crate) fn peek(&self) -> Option<&[u8]> {
        match &self.source {
            Source::Memory { run, next } => run.keys.get(*next).map(|key| record(&self.format, &run.bytes, *key)),
            Source::Files(merge) => merge.peek(),
        }
    }

    /// Goes behind the next record.
    pub(crate) fn advance(&mut self) -> Result<(), PrepareError> {
        match &mut self.source {
            Source::Memory { next, .. } => {
                *next += 1;
                Ok(())
            }
            Source::Files(merge) => merge.advance(),
        }
    }
}
