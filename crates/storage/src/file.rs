//! One file of columns, checked and mapped.

use std::path::{Path, PathBuf};

use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{Array, ListArray, PrimitiveArray, RecordBatch, StringArray};
use arrow_buffer::ScalarBuffer;
use arrow_schema::SchemaRef;

use crate::checksum::Hasher;
use crate::chunks::{Chunks, ListChunk, ListChunks, TextChunks};
use crate::error::StorageError;
use crate::mapped::Mapping;
use crate::write::FileInfo;
use crate::{RUN, read};

/// Bytes of a file that are in memory at once while its checksum is computed.
const PIECE: usize = 64 << 20;

/// A file of columns whose size, checksum, structure and types were found right. Its values stay in the mapped file.
#[derive(Debug, Clone)]
pub struct ColumnFile {
    path: PathBuf,
    rows: u64,
    mapping: Mapping,
    batches: Vec<RecordBatch>,
}

impl ColumnFile {
    /// Maps a file and checks it against what was noted when it was written.
    ///
    /// # Errors
    /// [`StorageError::Damaged`] says what was found and what is needed; [`StorageError::Io`].
    pub fn open(path: &Path, info: &FileInfo, schema: &SchemaRef) -> Result<Self, StorageError> {
        let mapping = Mapping::of(path)?;
        let bytes = mapping.bytes().len() as u64;
        if bytes != info.bytes {
            return Err(StorageError::damaged(path, "the size in bytes", bytes, info.bytes));
        }
        let sum = mapping_checksum(&mapping);
        if sum != info.checksum {
            return Err(StorageError::damaged(path, "the checksum", sum, &info.checksum));
        }
        let batches = read::batches(path, mapping.bytes(), schema)?;
        check_runs(path, &batches)?;
        let rows: u64 = batches.iter().map(|batch| batch.num_rows() as u64).sum();
        if rows != info.rows {
            return Err(StorageError::damaged(path, "the number of rows", rows, info.rows));
        }
        Ok(Self { path: path.to_owned(), rows, mapping, batches })
    }

    /// Number of rows.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The memory of the file, to be given back.
    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// A column of numbers.
    ///
    /// # Errors
    /// [`StorageError::Damaged`] if the column is not there or of another type.
    pub fn chunks<P: ArrowPrimitiveType>(&self, name: &str) -> Result<Chunks<P::Native>, StorageError> {
        let values = |array: &PrimitiveArray<P>| -> ScalarBuffer<P::Native> { array.values().clone() };
        self.each(name, &P::DATA_TYPE.to_string(), |array| Some(values(array))).map(Chunks)
    }

    /// A column of lists of numbers.
    ///
    /// # Errors
    /// [`StorageError::Damaged`] if the column is not there or of another type.
    pub fn lists<P: ArrowPrimitiveType>(&self, name: &str) -> Result<ListChunks<P::Native>, StorageError> {
        let needed = format!("List of {}", P::DATA_TYPE);
        let chunk = |array: &ListArray| {
            let values = array.values().as_any().downcast_ref::<PrimitiveArray<P>>()?;
            Some(ListChunk { offsets: array.offsets().clone(), values: values.values().clone() })
        };
        self.each(name, &needed, chunk).map(ListChunks)
    }

    /// A column of texts.
    ///
    /// # Errors
    /// [`StorageError::Damaged`] if the column is not there or of another type.
    pub fn texts(&self, name: &str) -> Result<TextChunks, StorageError> {
        self.each(name, "Utf8", |array: &StringArray| Some(array.clone())).map(TextChunks)
    }

    /// Takes something from one column of every batch, or says what the column should be.
    fn each<A: 'static, T>(
        &self,
        name: &str,
        needed: &str,
        take: impl Fn(&A) -> Option<T>,
    ) -> Result<Vec<T>, StorageError> {
        let array = |batch: &RecordBatch| {
            batch.column_by_name(name).and_then(|column| column.as_any().downcast_ref::<A>()).and_then(&take)
        };
        self.batches.iter().map(array).collect::<Option<_>>().ok_or_else(|| {
            let what = format!("the column \"{name}\"");
            StorageError::damaged(&self.path, what, "of another type", needed)
        })
    }
}

/// The checksum of a file, which takes the memory of a small part of it.
fn mapping_checksum(mapping: &Mapping) -> String {
    let mut hashing = Hasher::default();
    for piece in mapping.bytes().chunks(PIECE) {
        hashing.update(piece);
        mapping.release();
    }
    hashing.finish()
}

/// Rows are found by arithmetic, so every batch but the last must be full.
fn check_runs(path: &Path, batches: &[RecordBatch]) -> Result<(), StorageError> {
    for (number, batch) in batches.iter().enumerate() {
        let rows = batch.num_rows();
        let last = number + 1 == batches.len();
        if rows > RUN || rows == 0 || (rows < RUN && !last) {
            let what = format!("the number of rows of record batch {number}");
            let needed = if last { format!("1 to {RUN}") } else { RUN.to_string() };
            return Err(StorageError::damaged(path, what, rows, needed));
        }
    }
    Ok(())
}
