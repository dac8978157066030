//! One file of a table, however it is written.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::block::Block;
use crate::columns::Selection;
use crate::csv_table::CsvTable;
use crate::error::TableError;
use crate::format::Format;
use crate::input::Input;
use crate::parquet_table::ParquetTable;
use crate::table::TablePlan;

/// One file, open.
pub(crate) enum OpenTable {
    Csv(Box<CsvTable>),
    Parquet(Box<ParquetTable>),
}

impl OpenTable {
    pub(crate) fn open(path: &Path, plan: &TablePlan<'_>, bytes: &Arc<AtomicU64>) -> Result<Self, TableError> {
        let input = Input::open(path, Arc::clone(bytes))?;
        if input.format == Format::Parquet {
            let table = ParquetTable::open(path, input.into_file(), Arc::clone(bytes))?;
            return Ok(Self::Parquet(Box::new(table)));
        }
        Ok(Self::Csv(Box::new(CsvTable::open(path, input, plan.csv, plan.csv_key)?)))
    }

    pub(crate) fn header(&self) -> &[String] {
        match self {
            Self::Csv(table) => table.header(),
            Self::Parquet(table) => table.header(),
        }
    }

    pub(crate) fn next_block(&mut self, selection: &Selection) -> Result<Option<Block>, TableError> {
        match self {
            Self::Csv(table) => table.next_block(selection),
            Self::Parquet(table) => table.next_block(),
        }
    }

    /// Before the first block.
    pub(crate) fn start(&mut self, selection: &Selection) -> Result<(), TableError> {
        match self {
            Self::Csv(table) => table.read_ahead(),
            Self::Parquet(table) => table.start(selection),
        }
    }

    /// Files that are read as one table have the same columns.
    pub(crate) fn check_columns(&self, file: &Path, first: &Path, expected: &[String]) -> Result<(), TableError> {
        if self.header() == expected {
            return Ok(());
        }
        Err(TableError::OtherColumns {
            file: file.to_path_buf(),
            found: self.header().to_vec(),
            first: first.to_path_buf(),
            expected: expected.to_vec(),
        })
    }
}
