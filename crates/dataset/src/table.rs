//! A pass over a source: rows, their binding to the schema, and progress.

use std::ops::ControlFlow;
use std::path::Path;

use fain_features::{Binding, CsvConfig, Parts, Record, Schema, TableReader};

use crate::error::DatasetError;
use crate::progress::{Phase, Progress};
use crate::source::Source;

/// Rows that are worked on together, by several threads, and reported.
const BLOCK: usize = 4096;

/// Whoever is told about the progress, and may stop the work.
pub(crate) struct Reporter<'a> {
    callback: &'a mut dyn FnMut(&Progress) -> ControlFlow<()>,
    last: Option<Progress>,
}

impl<'a> Reporter<'a> {
    pub(crate) fn new(callback: &'a mut dyn FnMut(&Progress) -> ControlFlow<()>) -> Self {
        Self { callback, last: None }
    }

    fn report(&mut self, progress: Progress) -> Result<(), DatasetError> {
        self.last = Some(progress);
        self.again()
    }

    /// Reports rows of a samples folder, which is not read in bytes.
    pub(crate) fn rows(&mut self, phase: Phase, rows: u64, of: u64) -> Result<(), DatasetError> {
        self.report(Progress { phase, bytes_done: rows, bytes_total: of, rows })
    }

    /// Reports what was reported last, so that work between two passes can be stopped, too.
    pub(crate) fn again(&mut self) -> Result<(), DatasetError> {
        match self.last.as_ref().map(&mut self.callback) {
            Some(ControlFlow::Break(())) => Err(DatasetError::Interrupted),
            Some(ControlFlow::Continue(())) | None => Ok(()),
        }
    }
}

/// Several sources, one after the other, that all have the columns of the schema.
pub(crate) struct Tables<'a> {
    sources: &'a [Source],
    csv: &'a CsvConfig,
    schema: &'a Schema,
}

/// Rows of one source that follow each other, and what their columns are found by.
pub(crate) struct TableBlock<'a> {
    pub(crate) records: &'a [Record],
    pub(crate) binding: &'a Binding,
    pub(crate) header: &'a [String],
    /// Which of the sources they are in, counted from 0.
    pub(crate) source: usize,
    /// The number of the first row, counted from 1 over all sources.
    pub(crate) first: u64,
}

impl<'a> Tables<'a> {
    pub(crate) fn new(sources: &'a [Source], csv: &'a CsvConfig, schema: &'a Schema) -> Self {
        Self { sources, csv, schema }
    }

    fn open(&self, source: &Source) -> Result<(TableReader, Binding), DatasetError> {
        let reader = TableReader::open(&source.path, self.csv)?;
        let binding = Binding::new(self.schema, Parts::of(self.schema), reader.header(), &source.path)?;
        Ok((reader, binding))
    }

    /// Looks for missing columns in every source; `check` is given each header, too.
    pub(crate) fn check_headers(
        &self,
        mut check: impl FnMut(&[String], &Path) -> Result<(), DatasetError>,
    ) -> Result<(), DatasetError> {
        self.sources.iter().try_for_each(|source| check(self.open(source)?.0.header(), &source.path))
    }

    /// Visits all rows, some thousand at a time, and returns the number of rows of each source. A source without rows is
    /// an error: no split is made of nothing.
    pub(crate) fn each_block(
        &self,
        phase: Phase,
        reporter: &mut Reporter<'_>,
        mut visit: impl FnMut(&TableBlock<'_>) -> Result<(), DatasetError>,
    ) -> Result<Vec<u64>, DatasetError> {
        let bytes_total = self.sources.iter().map(|source| source.bytes).sum();
        let (mut bytes_before, mut before) = (0, 0);
        let mut counts = Vec::with_capacity(self.sources.len());
        let mut records = Vec::with_capacity(BLOCK);
        for (place, source) in self.sources.iter().enumerate() {
            let (mut reader, binding) = self.open(source)?;
            let header = reader.header().to_vec();
            let mut rows = 0;
            loop {
                let outcome = read_block(&mut reader, &mut records);
                let bytes_done = bytes_before + reader.bytes_read();
                reporter.report(Progress { phase, bytes_done, bytes_total, rows: before + rows })?;
                if !records.is_empty() {
                    let first = before + rows + 1;
                    let block =
                        TableBlock { records: &records, binding: &binding, header: &header, source: place, first };
                    visit(&block)?;
                }
                rows += records.len() as u64;
                // After the rows before it: the first row that is wrong is the one to name.
                if !outcome? {
                    break;
                }
            }
            let bytes_done = bytes_before + reader.bytes_read();
            reporter.report(Progress { phase, bytes_done, bytes_total, rows: before + rows })?;
            if rows == 0 {
                return Err(DatasetError::NoRows {
                    file: source.path.clone(),
                    reason: "the file has a header and no rows".to_owned(),
                });
            }
            bytes_before += source.bytes;
            before += rows;
            counts.push(rows);
        }
        Ok(counts)
    }
}

/// Replaces `records` by the next rows. False at the end of the table; rows before the end, or before an error, are there.
fn read_block(reader: &mut TableReader, records: &mut Vec<Record>) -> Result<bool, DatasetError> {
    records.clear();
    while records.len() < BLOCK {
        let mut record = Record::default();
        if !reader.read(&mut record)? {
            return Ok(false);
        }
        records.push(record);
    }
    Ok(true)
}
