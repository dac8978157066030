//! Writes one file: columns that arrive in blocks of any size leave in runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, ListArray, RecordBatch, UInt8Array, UInt32Array};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, SchemaRef};
use fain_storage::{FileInfo, FileWriter, RUN, StorageError};

use crate::blocks::{CodeLists, Values};
use crate::error::SamplesError;

/// A column of a block.
#[derive(Clone, Copy)]
pub(crate) enum Column<'a> {
    Labels(&'a [u8]),
    Codes(&'a [u32]),
    Times(&'a [i64]),
    Numbers(&'a [f64]),
    Lists(&'a CodeLists),
}

impl<'a> From<&'a Values> for Column<'a> {
    fn from(values: &'a Values) -> Self {
        match values {
            Values::Term(codes) => Self::Codes(codes),
            Values::Number(numbers) => Self::Numbers(numbers),
            Values::Terms(lists) => Self::Lists(lists),
        }
    }
}

impl Column<'_> {
    fn len(self) -> usize {
        match self {
            Self::Labels(values) => values.len(),
            Self::Codes(values) => values.len(),
            Self::Times(values) => values.len(),
            Self::Numbers(values) => values.len(),
            Self::Lists(lists) => lists.len(),
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Labels(_) => "labels",
            Self::Codes(_) => "codes",
            Self::Times(_) => "times",
            Self::Numbers(_) => "numbers",
            Self::Lists(_) => "lists of codes",
        }
    }
}

/// The run of a column that is being filled.
enum Run {
    Labels(Vec<u8>),
    Codes(Vec<u32>),
    Times(Vec<i64>),
    Numbers(Vec<f64>),
    Lists(CodeLists),
}

impl Run {
    fn new(kind: &DataType) -> Self {
        match kind {
            DataType::UInt8 => Self::Labels(Vec::new()),
            DataType::Int64 => Self::Times(Vec::new()),
            DataType::Float64 => Self::Numbers(Vec::new()),
            DataType::List(_) => Self::Lists(CodeLists::default()),
            _ => Self::Codes(Vec::new()),
        }
    }

    /// The column that can be appended.
    fn as_column(&self) -> Column<'_> {
        match self {
            Self::Labels(values) => Column::Labels(values),
            Self::Codes(values) => Column::Codes(values),
            Self::Times(values) => Column::Times(values),
            Self::Numbers(values) => Column::Numbers(values),
            Self::Lists(lists) => Column::Lists(lists),
        }
    }

    /// Appends rows `start..end` of a column of the same kind.
    fn extend(&mut self, column: Column<'_>, start: usize, end: usize) {
        match (self, column) {
            (Self::Labels(run), Column::Labels(values)) => run.extend_from_slice(&values[start..end]),
            (Self::Codes(run), Column::Codes(values)) => run.extend_from_slice(&values[start..end]),
            (Self::Times(run), Column::Times(values)) => run.extend_from_slice(&values[start..end]),
            (Self::Numbers(run), Column::Numbers(values)) => run.extend_from_slice(&values[start..end]),
            (Self::Lists(run), Column::Lists(lists)) => {
                (start..end).filter_map(|row| lists.get(row)).for_each(|list| run.push(list.iter().copied()));
            }
            _ => {}
        }
    }
}

/// A file that is being written.
pub(crate) struct TableWriter {
    schema: SchemaRef,
    writer: FileWriter,
    runs: Vec<Run>,
    /// Rows of the runs.
    rows: usize,
}

impl TableWriter {
    pub(crate) fn create(path: PathBuf, schema: SchemaRef) -> Result<Self, SamplesError> {
        let writer = FileWriter::create(path, &schema)?;
        let runs = schema.fields().iter().map(|field| Run::new(field.data_type())).collect();
        Ok(Self { schema, writer, runs, rows: 0 })
    }

    /// Appends a block: its columns in the order of the schema, all of one length.
    pub(crate) fn append(&mut self, columns: &[Column<'_>]) -> Result<(), SamplesError> {
        let rows = columns.first().map_or(0, |column| column.len());
        self.check(columns, rows)?;
        let mut start = 0;
        while start < rows {
            let end = rows.min(start + RUN - self.rows);
            for (run, column) in self.runs.iter_mut().zip(columns) {
                run.extend(*column, start, end);
            }
            self.rows += end - start;
            start = end;
            if self.rows == RUN {
                self.write_run()?;
            }
        }
        Ok(())
    }

    /// Writes what is left and the footer, and waits until the disk has it.
    pub(crate) fn finish(mut self) -> Result<FileInfo, SamplesError> {
        self.write_run()?;
        Ok(self.writer.finish()?)
    }

    fn check(&self, columns: &[Column<'_>], rows: usize) -> Result<(), SamplesError> {
        let wrong = |what: String, found: String, needed: String| {
            Err(SamplesError::Block { file: self.writer.path().to_owned(), what, found, needed })
        };
        if columns.len() != self.runs.len() {
            let (found, needed) = (columns.len().to_string(), self.runs.len().to_string());
            return wrong("the number of columns of a block".to_owned(), found, needed);
        }
        for ((field, run), column) in self.schema.fields().iter().zip(&self.runs).zip(columns) {
            let (found, needed) = (column.kind(), run.as_column().kind());
            if found != needed {
                return wrong(format!("the column \"{}\" of a block", field.name()), found.into(), needed.into());
            }
            if column.len() != rows {
                let what = format!("the length of the column \"{}\" of a block", field.name());
                return wrong(what, column.len().to_string(), rows.to_string());
            }
        }
        Ok(())
    }

    fn write_run(&mut self) -> Result<(), SamplesError> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.runs.len());
        for (field, run) in self.schema.fields().iter().zip(&mut self.runs) {
            arrays.push(array(self.writer.path(), field, run, self.rows)?);
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .map_err(|cause| failed(self.writer.path(), cause))?;
        self.rows = 0;
        Ok(self.writer.write(&batch)?)
    }
}

/// The run as an Arrow array; it is empty afterwards.
fn array(path: &Path, field: &Field, run: &mut Run, rows: usize) -> Result<ArrayRef, SamplesError> {
    Ok(match run {
        Run::Labels(values) => Arc::new(UInt8Array::from(std::mem::take(values))),
        Run::Codes(values) => Arc::new(UInt32Array::from(std::mem::take(values))),
        Run::Times(values) => Arc::new(Int64Array::from(std::mem::take(values))),
        Run::Numbers(values) => Arc::new(Float64Array::from(std::mem::take(values))),
        Run::Lists(lists) => {
            let CodeLists { codes, ends } = std::mem::take(lists);
            if i32::try_from(codes.len()).is_err() {
                return Err(SamplesError::TooMuch {
                    file: path.to_owned(),
                    column: field.name().clone(),
                    unit: "terms",
                    found: codes.len() as u64,
                    rows,
                });
            }
            // Ascending up to the number of codes, so no offset is cut.
            let offsets: ScalarBuffer<i32> = std::iter::once(0).chain(ends).map(|end| end as i32).collect();
            let item = Arc::new(Field::new("item", DataType::UInt32, false));
            let list = ListArray::try_new(item, OffsetBuffer::new(offsets), Arc::new(UInt32Array::from(codes)), None);
            Arc::new(list.map_err(|cause| failed(path, cause))?)
        }
    })
}

/// Columns that do not make a record batch.
pub(crate) fn failed(path: &Path, cause: ArrowError) -> SamplesError {
    StorageError::io("write", path, std::io::Error::other(cause)).into()
}
