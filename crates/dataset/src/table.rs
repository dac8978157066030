//! A pass over a source: rows, their binding to the schema, and progress.

use std::ops::ControlFlow;
use std::path::Path;

use fain_features::{Binding, CsvConfig, Parts, Record, Schema, TableReader};

use crate::error::DatasetError;
use crate::progress::{Phase, Progress};
use crate::source::Source;

/// Rows between two reports.
const REPORT: u64 = 4096;

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

/// A row, where it stands, and what its columns are found by.
pub(crate) struct TableRow<'a> {
    pub(crate) record: &'a Record,
    pub(crate) binding: &'a Binding,
    pub(crate) header: &'a [String],
    /// Which of the sources it is in, counted from 0.
    pub(crate) source: usize,
    /// Counted from 1 over all sources.
    pub(crate) number: u64,
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

    /// Visits every row and returns the number of rows of each source. A source without rows is an error: no split is
    /// made of nothing.
    pub(crate) fn each_row(
        &self,
        phase: Phase,
        reporter: &mut Reporter<'_>,
        mut visit: impl FnMut(&TableRow<'_>) -> Result<(), DatasetError>,
    ) -> Result<Vec<u64>, DatasetError> {
        let bytes_total = self.sources.iter().map(|source| source.bytes).sum();
        let (mut bytes_before, mut before) = (0, 0);
        let mut counts = Vec::with_capacity(self.sources.len());
        let mut record = Record::default();
        for (place, source) in self.sources.iter().enumerate() {
            let (mut reader, binding) = self.open(source)?;
            let header = reader.header().to_vec();
            let mut rows = 0;
            loop {
                let more = reader.read(&mut record)?;
                if !more || rows % REPORT == 0 {
                    let bytes_done = bytes_before + reader.bytes_read();
                    reporter.report(Progress { phase, bytes_done, bytes_total, rows: before + rows })?;
                }
                if !more {
                    break;
                }
                rows += 1;
                visit(&TableRow {
                    record: &record,
                    binding: &binding,
                    header: &header,
                    source: place,
                    number: before + rows,
                })?;
            }
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
