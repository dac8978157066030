//! A pass over a source: rows, their binding to the schema, and progress.

use std::ops::ControlFlow;

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

    /// Reports what was reported last, so that work between two passes can be stopped, too.
    pub(crate) fn again(&mut self) -> Result<(), DatasetError> {
        match self.last.as_ref().map(&mut self.callback) {
            Some(ControlFlow::Break(())) => Err(DatasetError::Interrupted),
            Some(ControlFlow::Continue(())) | None => Ok(()),
        }
    }
}

/// A source that is open, and has the columns of the schema.
pub(crate) struct Table<'a> {
    source: &'a Source,
    reader: TableReader,
    binding: Binding,
}

impl<'a> Table<'a> {
    pub(crate) fn open(source: &'a Source, csv: &CsvConfig, schema: &Schema) -> Result<Self, DatasetError> {
        let reader = TableReader::open(&source.path, csv)?;
        let binding = Binding::new(schema, Parts::of(schema), reader.header(), &source.path)?;
        Ok(Self { source, reader, binding })
    }

    pub(crate) fn header(&self) -> &[String] {
        self.reader.header()
    }

    /// Visits every row and returns their number. A file without rows is an error: no split is made of nothing.
    pub(crate) fn each_row(
        mut self,
        phase: Phase,
        reporter: &mut Reporter<'_>,
        mut visit: impl FnMut(&Record, &Binding) -> Result<(), DatasetError>,
    ) -> Result<u64, DatasetError> {
        let mut record = Record::default();
        let mut rows = 0;
        loop {
            let more = self.reader.read(&mut record)?;
            if !more || rows % REPORT == 0 {
                reporter.report(Progress {
                    phase,
                    bytes_done: self.reader.bytes_read(),
                    bytes_total: self.source.bytes,
                    rows,
                })?;
            }
            if !more {
                break;
            }
            visit(&record, &self.binding)?;
            rows += 1;
        }
        if rows == 0 {
            return Err(DatasetError::NoRows {
                file: self.source.path.clone(),
                reason: "the file has a header and no rows".to_owned(),
            });
        }
        Ok(rows)
    }
}
