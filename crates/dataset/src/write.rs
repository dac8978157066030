//! Writes one split: runs of encoded rows, as record batches of an Arrow IPC file.

use std::path::PathBuf;

use arrow_schema::SchemaRef;
use fain_features::{Binding, Encoders, Parts, Record, Samples};
use fain_storage::{FileWriter, RUN};

use crate::arrays;
use crate::error::DatasetError;
use crate::layout::inline_schema;
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
        let schema = inline_schema(encoders.schema());
        let writer = FileWriter::create(path, &schema)?;
        let run = Samples::new(encoders.schema(), Parts::of(encoders.schema()));
        Ok(Self { encoders, schema, writer, run, positives: 0 })
    }

    /// Encodes rows and adds them.
    pub(crate) fn add(&mut self, mut records: &[Record], binding: &Binding) -> Result<(), DatasetError> {
        while !records.is_empty() {
            let (now, later) = records.split_at(records.len().min(RUN - self.run.rows));
            self.encoders.encode_rows(now, binding, &mut self.run)?;
            if self.run.rows == RUN {
                self.write_run()?;
            }
            records = later;
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
        let schema = self.encoders.schema();
        let mut run = std::mem::replace(&mut self.run, Samples::new(schema, Parts::of(schema)));
        let labels = run.labels.as_deref().unwrap_or_default();
        self.positives += labels.iter().filter(|label| **label > 0.5).count() as u64;
        let mut arrays = arrays::parts(&mut run);
        for (feature, column) in schema.features().iter().zip(run.columns) {
            arrays.extend(arrays::column(self.writer.path(), &feature.name, column)?);
        }
        arrays::write(&mut self.writer, &self.schema, arrays)
    }
}
