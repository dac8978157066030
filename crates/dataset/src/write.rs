//! Writes one split: runs of encoded rows, as record batches of an Arrow IPC file.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, Float64Array, ListArray, RecordBatch, UInt32Array, UInt64Array};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, SchemaRef};
use fain_features::{Binding, Column, Encoders, Parts, Record, Samples, Sequences};

use crate::checksum::Hashing;
use crate::error::DatasetError;
use crate::layout::{RUN, arrow_schema, item};
use crate::manifest::SplitInfo;
use crate::source::file_name;

pub(crate) struct SplitWriter<'a> {
    path: PathBuf,
    encoders: &'a Encoders,
    schema: SchemaRef,
    writer: FileWriter<Hashing<BufWriter<File>>>,
    run: Samples,
    rows: u64,
    positives: u64,
}

impl<'a> SplitWriter<'a> {
    pub(crate) fn create(path: PathBuf, encoders: &'a Encoders) -> Result<Self, DatasetError> {
        let file = File::create_new(&path).map_err(|cause| DatasetError::io("create", &path, cause))?;
        let schema = arrow_schema(encoders.schema());
        let writer =
            FileWriter::try_new(Hashing::new(BufWriter::new(file)), &schema).map_err(|cause| failed(&path, cause))?;
        Ok(Self {
            run: Samples::new(encoders.schema(), Parts::of(encoders.schema())),
            path,
            encoders,
            schema,
            writer,
            rows: 0,
            positives: 0,
        })
    }

    /// Encodes a row and adds it.
    pub(crate) fn add(&mut self, record: &Record, binding: &Binding) -> Result<(), DatasetError> {
        self.encoders.encode(record, binding, &mut self.run)?;
        if self.run.rows == RUN {
            self.write_run()?;
        }
        Ok(())
    }

    /// Writes what is left and the footer, and waits until the disk has it.
    pub(crate) fn finish(mut self) -> Result<SplitInfo, DatasetError> {
        if self.run.rows > 0 {
            self.write_run()?;
        }
        let path = self.path;
        let io = |cause| DatasetError::io("write", &path, cause);
        // Hands the writer over after the footer.
        let hashing = self.writer.into_inner().map_err(|cause| failed(&path, cause))?;
        let (mut buffered, bytes, checksum) = hashing.finish();
        buffered.flush().map_err(io)?;
        buffered.get_ref().sync_all().map_err(io)?;
        Ok(SplitInfo { file: file_name(&path), rows: self.rows, positives: self.positives, bytes, checksum })
    }

    fn write_run(&mut self) -> Result<(), DatasetError> {
        let labels = self.run.labels.as_deref().unwrap_or_default();
        self.positives += labels.iter().filter(|label| **label > 0.5).count() as u64;
        self.rows += self.run.rows as u64;
        let arrays = self.arrays()?;
        let batch =
            RecordBatch::try_new(Arc::clone(&self.schema), arrays).map_err(|cause| failed(&self.path, cause))?;
        self.writer.write(&batch).map_err(|cause| failed(&self.path, cause))?;
        self.run.clear();
        Ok(())
    }

    /// The run as Arrow arrays, in the order of the layout.
    fn arrays(&self) -> Result<Vec<ArrayRef>, DatasetError> {
        let run = &self.run;
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.schema.fields().len());
        if let Some(labels) = &run.labels {
            arrays.push(Arc::new(Float32Array::from(labels.clone())));
        }
        if let Some(groups) = &run.groups {
            arrays.push(Arc::new(UInt64Array::from(groups.clone())));
        }
        if let Some(ceiling) = &run.ceiling {
            arrays.push(Arc::new(Float64Array::from(ceiling.blind.clone())));
            arrays.push(Arc::new(Float64Array::from(ceiling.optimal.clone())));
        }
        for (feature, column) in self.encoders.schema().features().iter().zip(&run.columns) {
            arrays.push(match column {
                Column::Category(ids) => Arc::new(UInt32Array::from(ids.clone())),
                Column::Sequence(lists) => Arc::new(self.list(&feature.name, lists)?),
                Column::Numeric(numbers) => Arc::new(Float32Array::from(numbers.clone())),
            });
        }
        Ok(arrays)
    }

    fn list(&self, feature: &str, lists: &Sequences) -> Result<ListArray, DatasetError> {
        if i32::try_from(lists.values.len()).is_err() {
            return Err(DatasetError::TooManyValues {
                file: self.path.clone(),
                feature: feature.to_owned(),
                values: lists.values.len() as u64,
                rows: self.run.rows,
            });
        }
        // Ascending up to the number of values, so no offset is cut.
        let offsets: ScalarBuffer<i32> = lists.offsets.iter().map(|offset| *offset as i32).collect();
        let values = Arc::new(UInt32Array::from(lists.values.clone()));
        ListArray::try_new(item(), OffsetBuffer::new(offsets), values, None).map_err(|cause| failed(&self.path, cause))
    }
}

/// An error of the Arrow writer; behind it is nearly always the disk.
fn failed(path: &Path, cause: ArrowError) -> DatasetError {
    let cause = match cause {
        ArrowError::IoError(_, cause) => cause,
        other => std::io::Error::other(other),
    };
    DatasetError::io("write", path, cause)
}
