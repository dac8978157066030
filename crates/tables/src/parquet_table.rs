//! The rows of a Parquet file.

use std::fmt::Display;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, DataType};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::Length;

use crate::block::Block;
use crate::columns::Selection;
use crate::error::{RowPlace, TableError};
use crate::format::Format;
use crate::parquet_block::{WrongColumn, block};
use crate::parquet_file::{Failure, ParquetFile};
use crate::parquet_text::{NoText, is_readable};
use crate::quiet;

/// Rows that are decoded at once.
const BATCH: usize = 2048;

/// A Parquet file that is being read.
pub(crate) struct ParquetTable {
    decoder: Decoder,
    header: Vec<String>,
    types: Vec<DataType>,
    state: State,
    /// The names of the fields, and where they are in a batch.
    fields: Vec<(String, usize)>,
    /// Rows according to the file's footer, and rows read.
    rows_expected: u64,
    rows: u64,
    /// Bytes of the file, and those reported as read: as many as there are rows behind.
    length: u64,
    reported: u64,
    bytes: Arc<AtomicU64>,
}

enum State {
    Opened(Box<(ParquetFile, ArrowReaderMetadata)>),
    Reading(ParquetRecordBatchReader),
    Finished,
}

impl ParquetTable {
    /// Reads the footer. The bytes that are read will be added to `bytes`.
    pub(crate) fn open(path: &Path, file: File, bytes: Arc<AtomicU64>) -> Result<Self, TableError> {
        let path = Arc::new(path.to_path_buf());
        let unreadable = |source| TableError::Open { file: path.to_path_buf(), source };
        let file = ParquetFile::new(file).map_err(unreadable)?;
        if !file.is_whole().map_err(unreadable)? {
            return Err(TableError::CutShort { file: path.to_path_buf(), format: Format::Parquet, row: 0 });
        }
        let failure = file.failure();
        let decoder = Decoder { file: Arc::clone(&path), failure };
        let metadata = decoder.step(0, || ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()))?;
        let rows_expected = rows(metadata.metadata()).map_err(|reason| decoder.damaged(0, reason))?;
        let columns = metadata.schema().fields();
        Ok(Self {
            header: columns.iter().map(|column| column.name().clone()).collect(),
            types: columns.iter().map(|column| column.data_type().clone()).collect(),
            fields: Vec::new(),
            rows_expected,
            rows: 0,
            length: file.len(),
            reported: 0,
            bytes,
            state: State::Opened(Box::new((file, metadata))),
            decoder,
        })
    }

    /// The names of the columns.
    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// Prepares the decoding of some columns.
    pub(crate) fn start(&mut self, selection: &Selection) -> Result<(), TableError> {
        let unread = selection.places.iter().find(|&&place| !is_readable(&self.types[place]));
        if let Some(&place) = unread {
            return Err(self.wrong_type(&self.header[place], &self.types[place]));
        }
        let mut places = selection.places.clone();
        places.sort_unstable();
        places.dedup();
        let in_batch = |place| places.partition_point(|&other| other < place);
        let fields = selection.places.iter().zip(&selection.names);
        self.fields = fields.map(|(&place, name)| (name.clone(), in_batch(place))).collect();
        let State::Opened(opened) = std::mem::replace(&mut self.state, State::Finished) else { return Ok(()) };
        let (mut file, metadata) = *opened;
        let columns = metadata.metadata().row_groups().iter().flat_map(RowGroupMetaData::columns);
        let sizes = columns.map(|column| u64::try_from(column.uncompressed_size()).unwrap_or_default());
        file.limit_pages(sizes.max().unwrap_or_default());
        let reader = self.decoder.step(0, || {
            let mask = ProjectionMask::roots(metadata.parquet_schema(), places);
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
                .with_projection(mask)
                .with_batch_size(BATCH)
                .build()
        })?;
        self.state = State::Reading(reader);
        Ok(())
    }

    /// The next rows; none at the end.
    pub(crate) fn next_block(&mut self) -> Result<Option<Block>, TableError> {
        let State::Reading(mut reader) = std::mem::replace(&mut self.state, State::Finished) else {
            return Ok(None);
        };
        let (file, fields, first_row) = (&self.decoder.file, &self.fields, self.rows + 1);
        let next = self.decoder.step(self.rows, || {
            let Some(batch) = reader.next().transpose()? else { return Ok(None) };
            let types: Vec<DataType> = batch.columns().iter().map(|column| column.data_type().clone()).collect();
            Ok::<_, ArrowError>(Some((to_block(&batch, fields, first_row, file), types)))
        })?;
        let Some((next, types)) = next else { return self.finish() };
        let next = next.map_err(|(field, problem)| {
            let (name, place) = &self.fields[field];
            self.wrong(name, types.get(*place), problem)
        })?;
        self.rows += next.rows as u64;
        if self.rows > self.rows_expected {
            return Err(self.other_rows());
        }
        let share = u128::from(self.length) * u128::from(self.rows) / u128::from(self.rows_expected.max(1));
        self.report(share as u64);
        self.state = State::Reading(reader);
        Ok(Some(next))
    }

    fn finish(&mut self) -> Result<Option<Block>, TableError> {
        if self.rows != self.rows_expected {
            return Err(self.other_rows());
        }
        self.report(self.length);
        Ok(None)
    }

    fn report(&mut self, read: u64) {
        self.bytes.fetch_add(read.saturating_sub(self.reported), Ordering::Relaxed);
        self.reported = self.reported.max(read);
    }

    fn other_rows(&self) -> TableError {
        let reason = format!("the footer names {} rows, the columns have {}", self.rows_expected, self.rows);
        self.decoder.damaged(self.rows, reason)
    }

    fn wrong(&self, column: &str, kind: Option<&DataType>, problem: NoText) -> TableError {
        match problem {
            NoText::Type => self.wrong_type(column, kind.unwrap_or(&DataType::Null)),
            NoText::Encoding(row) => TableError::Value {
                file: self.decoder.file.to_path_buf(),
                place: RowPlace { row: self.rows + 1 + row as u64, byte: None },
                column: column.to_owned(),
                value: "(bytes)".to_owned(),
                allowed: "UTF-8 text",
            },
            NoText::Long => {
                self.decoder.damaged(self.rows, format!("{BATCH} rows of column \"{column}\" exceed 4 GiB"))
            }
        }
    }

    fn wrong_type(&self, column: &str, kind: &DataType) -> TableError {
        TableError::ColumnType {
            file: self.decoder.file.to_path_buf(),
            column: column.to_owned(),
            found: kind.to_string(),
        }
    }
}

/// The number of rows. It stands in the footer twice: the decoder reads no more rows than the first says, and all those
/// that it would leave out are in the second.
fn rows(metadata: &ParquetMetaData) -> Result<u64, String> {
    let rows = metadata.file_metadata().num_rows();
    let in_groups: i128 = metadata.row_groups().iter().map(|group| i128::from(group.num_rows())).sum();
    match u64::try_from(rows) {
        Ok(number) if i128::from(rows) == in_groups => Ok(number),
        _ => Err(format!("the footer names {rows} rows, its row groups {in_groups}")),
    }
}

fn to_block(
    batch: &RecordBatch,
    fields: &[(String, usize)],
    first_row: u64,
    file: &Arc<PathBuf>,
) -> Result<Block, WrongColumn> {
    let columns: Vec<_> = fields.iter().map(|(_, place)| Arc::clone(batch.column(*place))).collect();
    block(&columns, batch.num_rows(), first_row, Arc::clone(file))
}

/// Calls the decoder: its errors and its panics mean a damaged file, unless the file cannot be read.
struct Decoder {
    file: Arc<PathBuf>,
    failure: Failure,
}

impl Decoder {
    /// Does a step; `row` is the last row before it.
    fn step<T, E: Display>(&self, row: u64, work: impl FnOnce() -> Result<T, E>) -> Result<T, TableError> {
        let reason = match quiet::errors(work) {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => error.to_string(),
            Err(panic) => panic,
        };
        Err(match self.failure.take() {
            Some(source) => TableError::Read { file: self.file.to_path_buf(), row, source },
            None => self.damaged(row, reason),
        })
    }

    fn damaged(&self, row: u64, reason: String) -> TableError {
        TableError::Damaged { file: self.file.to_path_buf(), format: Format::Parquet, row, reason }
    }
}
