//! Writes one split: runs of encoded rows, as record batches of an Arrow IPC file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, Float32Array, Float64Array, Int64Array, ListArray, RecordBatch, UInt32Array, UInt64Array,
};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, Field, SchemaRef};
use fain_features::{Binding, Column, Encoders, Parts, Record, Samples};
use fain_storage::{FileWriter, RUN};

use crate::error::DatasetError;
use crate::layout::arrow_schema;
use crate::manifest::SplitInfo;

pub(crate) struct SplitWriter<'a> {
    encoders: &'a Encoders,
    schema: SchemaRef,
    writer: FileWriter,
    run: Samples,
    positives: u64,
}

impl<'a> SplitWriter<'a> {
    pub(crate) fn create(path: PathBuf, encoders: &'a Encoders) -> Result<Self, DatasetError> {
        let schema = arrow_schema(encoders.schema());
        let writer = FileWriter::create(path, &schema)?;
        let run = Samples::new(encoders.schema(), Parts::of(encoders.schema()));
        Ok(Self { encoders, schema, writer, run, positives: 0 })
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
        Ok(SplitInfo::new(self.writer.finish()?, self.positives))
    }

    fn write_run(&mut self) -> Result<(), DatasetError> {
        let labels = self.run.labels.as_deref().unwrap_or_default();
        self.positives += labels.iter().filter(|label| **label > 0.5).count() as u64;
        let arrays = self.arrays()?;
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .map_err(|cause| failed(self.writer.path(), cause))?;
        self.writer.write(&batch)?;
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
        if let Some(times) = &run.times {
            arrays.push(Arc::new(Int64Array::from(times.clone())));
        }
        if let Some(ceiling) = &run.ceiling {
            arrays.push(Arc::new(Float64Array::from(ceiling.blind.clone())));
            arrays.push(Arc::new(Float64Array::from(ceiling.optimal.clone())));
        }
        for (feature, column) in self.encoders.schema().features().iter().zip(&run.columns) {
            match column {
                Column::Category(ids) => arrays.push(Arc::new(UInt32Array::from(ids.clone()))),
                Column::Sequence(lists) => {
                    let values = Arc::new(UInt32Array::from(lists.values.clone()));
                    arrays.push(Arc::new(self.list(&feature.name, &lists.offsets, values)?));
                    if let Some(weights) = &lists.weights {
                        let weights = Arc::new(Float32Array::from(weights.clone()));
                        arrays.push(Arc::new(self.list(&feature.name, &lists.offsets, weights)?));
                    }
                }
                Column::Numeric(numbers) => arrays.push(Arc::new(Float32Array::from(numbers.clone()))),
                Column::Times(times) => {
                    let values = Arc::new(Int64Array::from(times.values.clone()));
                    arrays.push(Arc::new(self.list(&feature.name, &times.offsets, values)?));
                }
            }
        }
        Ok(arrays)
    }

    fn list(&self, feature: &str, offsets: &[u32], values: ArrayRef) -> Result<ListArray, DatasetError> {
        if i32::try_from(values.len()).is_err() {
            return Err(DatasetError::TooManyValues {
                file: self.writer.path().to_owned(),
                feature: feature.to_owned(),
                values: values.len() as u64,
                rows: self.run.rows,
            });
        }
        // Ascending up to the number of values, so no offset is cut.
        let offsets: ScalarBuffer<i32> = offsets.iter().map(|offset| *offset as i32).collect();
        let field = Arc::new(Field::new("item", values.data_type().clone(), false));
        ListArray::try_new(field, OffsetBuffer::new(offsets), values, None)
            .map_err(|cause| failed(self.writer.path(), cause))
    }
}

/// Columns that do not make a record batch.
fn failed(path: &Path, cause: ArrowError) -> DatasetError {
    DatasetError::io("write", path, std::io::Error::other(cause))
}
