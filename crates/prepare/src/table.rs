//! The files of one table, read one after the other.

use std::path::{Path, PathBuf};

use fain_samples::{SourceInfo, SourceTable};
use fain_storage::SourceFile;
use fain_tables::{CsvConfig, Record, Rows, TableError, TablePlan, TableReader, WantedColumn, find_files};

use crate::config::FileNames;
use crate::error::PrepareError;
use crate::progress::{Phase, Progress, Reporter};

/// Rows between two reports.
const REPORT: u64 = 1 << 14;

/// The columns that are read of a table. Each has one place in the records, however often it is needed.
#[derive(Debug, Default)]
pub(crate) struct Wanted<'a> {
    /// Names, and the settings that name them first.
    columns: Vec<(&'a str, String)>,
}

impl<'a> Wanted<'a> {
    /// The place of a column in the records; `key` is the setting that names it.
    pub(crate) fn place(&mut self, name: &'a str, key: &str) -> usize {
        let known = self.columns.iter().position(|(known, _)| *known == name);
        known.unwrap_or_else(|| {
            self.columns.push((name, key.to_owned()));
            self.columns.len() - 1
        })
    }
}

/// The files of one table, as the configuration names them.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    table: SourceTable,
    csv: &'a CsvConfig,
    csv_key: String,
    files: Vec<SourceFile>,
}

impl<'a> Sources<'a> {
    /// Finds the files; `section` is the table's name in the configuration.
    pub(crate) fn find(
        table: SourceTable,
        section: &str,
        root: &Path,
        names: &FileNames,
        csv: &'a CsvConfig,
    ) -> Result<Self, PrepareError> {
        let examine =
            |path: PathBuf| SourceFile::examine(&path).map_err(|source| TableError::Open { file: path, source }.into());
        let files = find_files(root, names.as_slice())?;
        let files = files.into_iter().map(examine).collect::<Result<_, PrepareError>>()?;
        Ok(Self { table, csv, csv_key: format!("{section}.csv"), files })
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

    /// Opens the files, which are read one after the other.
    pub(crate) fn open(&self, wanted: &Wanted<'_>) -> Result<Table<'_>, PrepareError> {
        let columns: Vec<_> = wanted.columns.iter().map(|(name, key)| WantedColumn { name, key }).collect();
        let files: Vec<&Path> = self.files.iter().map(SourceFile::path).collect();
        let plan = TablePlan { csv: self.csv, csv_key: &self.csv_key, columns: Some(&columns) };
        let reader = TableReader::open_all(&files, &plan)?;
        Ok(Table { sources: self, reader, rows: vec![0; files.len()], current: 0, total: 0 })
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
    /// Rows read of each file.
    rows: Vec<u64>,
    /// The file of the row that was read last.
    current: usize,
    total: u64,
}

impl Table<'_> {
    /// Reads the next row; false at the end of the last file.
    pub(crate) fn read(
        &mut self,
        record: &mut Record,
        phase: Phase,
        reporter: &mut Reporter<'_>,
    ) -> Result<bool, PrepareError> {
        let more = self.reader.read(record)?;
        if !more || self.total.is_multiple_of(REPORT) {
            self.report(phase, reporter)?;
        }
        // The first row of a file follows the last of another, or of several that have none between them.
        if more {
            self.count(record.file(), 1, record.row() == 1);
        }
        Ok(more)
    }

    /// Reads the next blocks of rows, so many at most; none at the end of the last file. What is wrong comes with the
    /// blocks before it, and none come after it.
    pub(crate) fn read_blocks(&mut self, most: usize) -> (Vec<Rows>, Option<PrepareError>) {
        let mut blocks = Vec::with_capacity(most);
        while blocks.len() < most {
            let mut rows = Rows::new();
            match self.reader.read_rows(&mut rows) {
                Ok(true) => {
                    self.count(rows.file(), rows.len() as u64, true);
                    blocks.push(rows);
                }
                Ok(false) => break,
                Err(error) => return (blocks, Some(error.into())),
            }
        }
        (blocks, None)
    }

    /// Tells how much has been read.
    pub(crate) fn report(&self, phase: Phase, reporter: &mut Reporter<'_>) -> Result<(), PrepareError> {
        let total = self.sources.bytes();
        reporter.report(Progress { phase, done: self.reader.bytes_read().min(total), total, rows: self.total })
    }

    /// Counts rows; `look`: whether they may be of another file than those before.
    fn count(&mut self, file: &Path, rows: u64, look: bool) {
        self.total += rows;
        if look {
            let mut files = self.sources.files.iter().enumerate().skip(self.current);
            self.current = files.find(|(_, other)| other.path() == file).map_or(self.current, |(place, _)| place);
        }
        self.rows[self.current] += rows;
    }

    /// Rows read of each file.
    pub(crate) fn into_rows(self) -> Vec<u64> {
        self.rows
    }
}
