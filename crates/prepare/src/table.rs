//! The files of one table, read one after the other.

use std::path::Path;

use fain_samples::{SourceInfo, SourceTable};
use fain_storage::SourceFile;
use fain_tables::{CsvConfig, Record, TableError, TableReader, find_column};

use crate::config::FileNames;
use crate::error::PrepareError;
use crate::progress::{Phase, Progress, Reporter};

/// Rows between two reports.
const REPORT: u64 = 1 << 14;

/// The files of one table, as the configuration names them.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    table: SourceTable,
    csv: &'a CsvConfig,
    files: Vec<SourceFile>,
}

impl<'a> Sources<'a> {
    /// Finds the files.
    pub(crate) fn find(
        table: SourceTable,
        root: &Path,
        names: &FileNames,
        csv: &'a CsvConfig,
    ) -> Result<Self, PrepareError> {
        let examine = |name: &String| {
            let path = root.join(name);
            SourceFile::examine(&path).map_err(|source| TableError::Open { file: path, source }.into())
        };
        let files = names.as_slice().iter().map(examine).collect::<Result<_, PrepareError>>()?;
        Ok(Self { table, csv, files })
    }

    /// Bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(SourceFile::bytes).sum()
    }

    /// The checksums of all files; `go_on` hears the bytes of each block.
    pub(crate) fn checksums(
        &self,
        mut go_on: impl FnMut(u64) -> Result<(), PrepareError>,
    ) -> Result<Vec<String>, PrepareError> {
        self.files.iter().map(|file| file.checksum(&mut go_on)).collect()
    }

    /// Opens the first file; the others follow as it is read.
    pub(crate) fn open(&self) -> Result<Table<'_>, PrepareError> {
        let reader = TableReader::open(self.files[0].path(), self.csv)?;
        Ok(Table { sources: self, reader, rows: vec![0], before: 0, total: 0 })
    }

    /// What the manifest notes of the files, of which so many rows were read.
    pub(crate) fn describe(&self, checksums: Vec<String>, rows: &[u64]) -> Result<Vec<SourceInfo>, PrepareError> {
        let describe = |((file, checksum), rows): ((&SourceFile, String), &u64)| {
            file.check_unchanged()?;
            Ok(SourceInfo { table: self.table, file: file.name(), bytes: file.bytes(), checksum, rows: *rows })
        };
        self.files.iter().zip(checksums).zip(rows).map(describe).collect()
    }
}

/// The files of one table as one.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    sources: &'a Sources<'a>,
    reader: TableReader,
    /// Of each file that was opened.
    rows: Vec<u64>,
    /// Bytes of the files before this one.
    before: u64,
    total: u64,
}

impl Table<'_> {
    /// The place of a column; `key` is the setting that names it.
    pub(crate) fn find(&self, column: &str, key: &str) -> Result<usize, PrepareError> {
        Ok(find_column(column, key, self.reader.header(), self.reader.path())?)
    }

    /// Reads the next row; false at the end of the last file.
    pub(crate) fn read(
        &mut self,
        record: &mut Record,
        phase: Phase,
        reporter: &mut Reporter<'_>,
    ) -> Result<bool, PrepareError> {
        let more = self.reader.read(record)?;
        if !more || self.total.is_multiple_of(REPORT) {
            let done = self.before + self.reader.bytes_read();
            reporter.report(Progress { phase, done, total: self.sources.bytes(), rows: self.total })?;
        }
        self.total += u64::from(more);
        if let Some(rows) = self.rows.last_mut() {
            *rows += u64::from(more);
        }
        Ok(more)
    }

    /// Rows read of each file.
    pub(crate) fn rows(&self) -> &[u64] {
        &self.rows
    }

    /// The error of a wrong value; `allowed` says what would be right.
    pub(crate) fn wrong(&self, record: &Record, place: usize, allowed: &'static str) -> PrepareError {
        let column = self.reader.header().get(place).map_or("", String::as_str);
        record.wrong(self.reader.path(), column, place, allowed).into()
    }
}
