//! Writes one table of terms.

use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{Array, RecordBatch};
use arrow_schema::SchemaRef;
use fain_storage::{FileInfo, FileWriter, RUN};

use crate::error::SamplesError;
use crate::files::{TERM, terms_schema};
use crate::table::failed;

pub(crate) struct TermsWriter {
    schema: SchemaRef,
    writer: FileWriter,
    run: StringBuilder,
    rows: usize,
    bytes: usize,
}

impl TermsWriter {
    pub(crate) fn create(path: PathBuf) -> Result<Self, SamplesError> {
        let schema = terms_schema();
        let writer = FileWriter::create(path, &schema)?;
        Ok(Self { schema, writer, run: StringBuilder::new(), rows: 0, bytes: 0 })
    }

    pub(crate) fn append(&mut self, term: &str) -> Result<(), SamplesError> {
        self.bytes += term.len();
        self.rows += 1;
        if i32::try_from(self.bytes).is_err() {
            return Err(SamplesError::TooMuch {
                file: self.writer.path().to_owned(),
                column: TERM.to_owned(),
                unit: "bytes of text",
                found: self.bytes as u64,
                rows: self.rows,
            });
        }
        self.run.append_value(term);
        if self.rows == RUN { self.write_run() } else { Ok(()) }
    }

    /// Writes what is left and the footer, and waits until the disk has it.
    pub(crate) fn finish(mut self) -> Result<FileInfo, SamplesError> {
        self.write_run()?;
        Ok(self.writer.finish()?)
    }

    fn write_run(&mut self) -> Result<(), SamplesError> {
        let texts = self.run.finish();
        if texts.is_empty() {
            return Ok(());
        }
        (self.rows, self.bytes) = (0, 0);
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), vec![Arc::new(texts)])
            .map_err(|cause| failed(self.writer.path(), cause))?;
        Ok(self.writer.write(&batch)?)
    }
}
