//! A file to samples, some rows at a time.

use std::path::Path;
use std::sync::Arc;

use crate::binding::Binding;
use crate::encoders::Encoders;
use crate::error::DataError;
use crate::samples::{Parts, Samples};
use fain_tables::CsvConfig;
use fain_tables::{Record, TableReader};

/// Encodes a file in runs of rows, such as for predictions.
#[derive(Debug)]
pub struct SampleReader {
    table: TableReader,
    binding: Binding,
    encoders: Arc<Encoders>,
    parts: Parts,
    rows_per_run: usize,
    /// Rows that are encoded at once, by several threads.
    records: Vec<Record>,
}

/// Rows that are read before they are encoded.
const BLOCK: usize = 8192;

/// What a [`SampleReader`] reads.
#[derive(Debug, Clone, Copy)]
pub struct ReadPlan<'a> {
    /// The optional parts that are read.
    pub parts: Parts,
    /// Sequence features that are not read; see [`Binding::leaving_out`].
    pub unread: &'a [String],
    /// Rows of a run, at least 1.
    pub rows_per_run: usize,
}

impl SampleReader {
    /// Opens a file and finds the columns of the features and of the parts asked for.
    ///
    /// # Errors
    /// Those of [`TableReader::open`] and [`Binding::leaving_out`]; [`DataError::Config`] for runs of 0 rows.
    pub fn open(
        path: &Path,
        config: &CsvConfig,
        encoders: Arc<Encoders>,
        plan: ReadPlan<'_>,
    ) -> Result<Self, DataError> {
        let ReadPlan { parts, unread, rows_per_run } = plan;
        if rows_per_run == 0 {
            return Err(DataError::Config {
                key: "rows_per_run".to_owned(),
                value: "0".to_owned(),
                allowed: "at least 1 is needed".to_owned(),
            });
        }
        let table = TableReader::open(path, config)?;
        let binding = Binding::leaving_out(unread, encoders.schema(), parts, table.header(), path)?;
        Ok(Self { table, binding, encoders, parts, rows_per_run, records: Vec::new() })
    }

    /// Replaces the rows of `out` by the next ones, `rows_per_run` of them or what the file still has.
    /// False, and no rows, at the end of the file.
    ///
    /// Samples that were made for another schema or other parts are made anew; others keep their memory.
    ///
    /// # Errors
    /// Those of [`TableReader::read`] and [`Encoders::encode`]. After an error the reader is of no further use.
    pub fn read(&mut self, out: &mut Samples) -> Result<bool, DataError> {
        out.clear();
        let fresh = Samples::new(self.encoders.schema(), self.parts);
        if *out != fresh {
            *out = fresh;
        }
        loop {
            let wanted = BLOCK.min(self.rows_per_run - out.rows);
            let mut rows = 0;
            let mut read = Ok(true);
            while rows < wanted {
                if rows == self.records.len() {
                    self.records.push(Record::new());
                }
                read = self.table.read(&mut self.records[rows]);
                if !matches!(read, Ok(true)) {
                    break;
                }
                rows += 1;
            }
            // A wrong value before a broken row is the first error.
            self.encoders.encode_rows(&self.records[..rows], &self.binding, out)?;
            if !read? || out.rows == self.rows_per_run {
                return Ok(out.rows > 0);
            }
        }
    }

    /// Bytes taken from the file so far; see [`TableReader::bytes_read`].
    pub fn bytes_read(&self) -> u64 {
        self.table.bytes_read()
    }
}
