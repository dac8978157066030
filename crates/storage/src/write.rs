//! Writes one file of columns.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::writer::FileWriter as ArrowWriter;
use arrow_schema::{ArrowError, DataType, Field, SchemaRef};
use serde::{Deserialize, Serialize};

use crate::checksum::Hashing;
use crate::error::StorageError;

/// What a manifest notes of a file, to know it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileInfo {
    /// Its name in its folder.
    pub file: String,
    /// Its rows.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
    /// xxh3-128 of its bytes, 32 hexadecimal digits.
    pub checksum: String,
}

/// Writes an Arrow IPC file. A file that is not finished is of no use.
pub struct FileWriter {
    path: PathBuf,
    writer: ArrowWriter<Hashing<BufWriter<File>>>,
    rows: u64,
}

impl std::fmt::Debug for FileWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileWriter").field("path", &self.path).field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl FileWriter {
    /// A new file with the columns of `schema`, none of which may hold nulls.
    ///
    /// # Errors
    /// [`StorageError::Io`], also where the file exists.
    pub fn create(path: PathBuf, schema: &SchemaRef) -> Result<Self, StorageError> {
        let file = File::create_new(&path).map_err(|cause| StorageError::io("create", &path, cause))?;
        let writer =
            ArrowWriter::try_new(Hashing::new(BufWriter::new(file)), schema).map_err(|cause| failed(&path, cause))?;
        Ok(Self { path, writer, rows: 0 })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the next record batch. Every one but the last must have [`RUN`](crate::RUN) rows, else the file cannot be
    /// opened; one without rows is left out.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), StorageError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.rows += batch.num_rows() as u64;
        self.writer.write(batch).map_err(|cause| failed(&self.path, cause))
    }

    /// Writes the footer, and waits until the disk has the file.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn finish(self) -> Result<FileInfo, StorageError> {
        let path = self.path;
        let io = |cause| StorageError::io("write", &path, cause);
        // Hands the writer over after the footer.
        let hashing = self.writer.into_inner().map_err(|cause| failed(&path, cause))?;
        let (mut buffered, bytes, checksum) = hashing.finish();
        buffered.flush().map_err(io)?;
        buffered.get_ref().sync_all().map_err(io)?;
        let file = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Ok(FileInfo { file, rows: self.rows, bytes, checksum })
    }
}

/// The type of a column of lists: neither the lists nor their values are null.
pub fn list_of(values: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", values, false)))
}

/// An error of the Arrow writer; behind it is nearly always the disk.
fn failed(path: &Path, cause: ArrowError) -> StorageError {
    let cause = match cause {
        ArrowError::IoError(_, cause) => cause,
        other => std::io::Error::other(other),
    };
    StorageError::io("write", path, cause)
}
