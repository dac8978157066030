//! Columns on disk: Arrow IPC files in folders that are whole or not there, mapped into memory and never trusted.
//!
//! ```
//! use std::sync::Arc;
//! use arrow_array::types::UInt32Type;
//! use arrow_array::{RecordBatch, UInt32Array};
//! use arrow_schema::{DataType, Field, Schema};
//! use fain_storage::{ColumnFile, FileWriter, Workshop};
//!
//! let cache = tempfile::tempdir()?;
//! let schema = Arc::new(Schema::new(vec![Field::new("item", DataType::UInt32, false)]));
//!
//! let workshop = Workshop::new(cache.path())?;
//! let mut writer = FileWriter::create(workshop.path().join("rows.arrow"), &schema)?;
//! writer.write(&RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(UInt32Array::from(vec![7, 8, 9]))])?)?;
//! let info = writer.finish()?;
//! let folder = cache.path().join("numbers");
//! workshop.publish(&folder)?;
//!
//! let file = ColumnFile::open(&folder.join(&info.file), &info, &schema)?;
//! let items = file.chunks::<UInt32Type>("item")?;
//! assert_eq!((file.rows(), items.get(2)), (3, Some(9)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Every record batch of a file has [`RUN`] rows, except the last, so that a row is found by two integer operations.

mod checksum;
mod chunks;
mod error;
mod file;
mod mapped;
mod read;
mod source;
mod workshop;
mod write;

pub use checksum::{Hashing, checksum, hex};
pub use chunks::{Chunks, ListChunk, ListChunks, TextChunks, maximum};
pub use error::StorageError;
pub use file::ColumnFile;
pub use mapped::Mapping;
pub use source::SourceFile;
pub use workshop::{Workshop, sync_folder};
pub use write::{FileInfo, FileWriter, list_of};

/// Rows of every record batch of a file except its last, so that a row is found by two integer operations.
pub const RUN: usize = 65_536;
