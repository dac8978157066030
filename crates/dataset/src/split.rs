//! A split: the encoded rows of one file.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use fain_features::{Ceiling, Column, Encoders, Parts, Samples, Schema};
use fain_storage::ColumnFile;

use crate::error::DatasetError;
use crate::layout::arrow_schema;
use crate::manifest::SplitInfo;
use crate::stored::Stored;

/// The encoded rows of one split: training, validation or test. They stay in the mapped file; cloning shares them.
#[derive(Clone)]
pub struct Split {
    inner: Arc<Inner>,
}

struct Inner {
    schema: Schema,
    positives: u64,
    stored: Stored,
}

impl Split {
    /// Maps a file and checks it against its manifest entry and the encoders.
    pub(crate) fn open(path: &Path, info: &SplitInfo, encoders: &Encoders) -> Result<Self, DatasetError> {
        let schema = encoders.schema();
        let stored = Stored::new(&ColumnFile::open(path, &info.info(), &arrow_schema(schema))?, schema)?;
        stored.check_labels(path, info.positives)?;
        stored.check_ids(path, encoders)?;
        stored.check_weights(path, schema)?;
        Ok(Self { inner: Arc::new(Inner { schema: schema.clone(), positives: info.positives, stored }) })
    }

    /// Number of rows.
    pub fn rows(&self) -> u64 {
        self.inner.stored.rows
    }

    /// Number of rows with label 1.
    pub fn positives(&self) -> u64 {
        self.inner.positives
    }

    /// Which optional parts the rows have: labels always, groups and ceiling where the schema names columns for them.
    pub fn parts(&self) -> Parts {
        Parts::of(&self.inner.schema)
    }

    /// The schema that the rows were encoded with.
    pub fn schema(&self) -> &Schema {
        &self.inner.schema
    }

    /// Replaces `out` by the given rows, counted from 0, in the given order; a row may come more than once. The memory
    /// of `out` is used again: once it has grown, nothing is allocated.
    ///
    /// # Errors
    /// [`DatasetError::RowOutOfRange`]; `out` is unchanged then. [`DatasetError::BatchTooLarge`] if the rows have more
    /// than `u32::MAX` values in one feature; `out` is empty then.
    pub fn gather(&self, rows: &[u64], out: &mut Samples) -> Result<(), DatasetError> {
        let stored = &self.inner.stored;
        if let Some(row) = rows.iter().find(|row| **row >= stored.rows) {
            return Err(DatasetError::RowOutOfRange { row: *row, rows: stored.rows });
        }
        out.rows = rows.len();
        out.labels = Some(stored.labels.gather(rows, out.labels.take().unwrap_or_default()));
        let groups = out.groups.take().unwrap_or_default();
        out.groups = stored.groups.as_ref().map(|stored| stored.gather(rows, groups));
        let times = out.times.take().unwrap_or_default();
        out.times = stored.times.as_ref().map(|stored| stored.gather(rows, times));
        let used = out.ceiling.take().unwrap_or_default();
        out.ceiling = stored.ceiling.as_ref().map(|[blind, optimal]| Ceiling {
            blind: blind.gather(rows, used.blind),
            optimal: optimal.gather(rows, used.optimal),
        });
        out.columns.resize_with(stored.columns.len(), no_column);
        for (place, stored) in stored.columns.iter().enumerate() {
            let used = std::mem::replace(&mut out.columns[place], no_column());
            let Some(column) = stored.gather(rows, used) else {
                *out = Samples::default();
                return Err(DatasetError::BatchTooLarge {
                    feature: self.inner.schema.features()[place].name.clone(),
                    rows: rows.len(),
                });
            };
            out.columns[place] = column;
        }
        Ok(())
    }
}

impl fmt::Debug for Split {
    /// Names the split by its size; its rows may be millions.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rows, positives) = (self.rows(), self.positives());
        f.debug_struct("Split").field("rows", &rows).field("positives", &positives).finish_non_exhaustive()
    }
}

/// A column without memory, to stand where another was taken out.
fn no_column() -> Column {
    Column::Numeric(Vec::new())
}
