//! A split: the encoded rows of training, validation or test.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use fain_features::{Encoders, Parts, Samples, Schema};
use fain_samples::Part;

use crate::error::DatasetError;
use crate::manifest::SplitInfo;
use crate::stored_rows::StoredRows;
use crate::views::{Tables, ViewRows};

/// The encoded rows of one split: training, validation or test. They stay in the mapped files; cloning shares them.
#[derive(Clone)]
pub struct Split {
    inner: Arc<Inner>,
}

struct Inner {
    schema: Schema,
    positives: u64,
    rows: Rows,
}

enum Rows {
    Stored(StoredRows),
    Views(ViewRows),
}

impl Split {
    /// Maps a file and checks it against its manifest entry and the encoders.
    pub(crate) fn open(path: &Path, info: &SplitInfo, encoders: &Encoders) -> Result<Self, DatasetError> {
        Ok(Self::new(info, encoders, Rows::Stored(StoredRows::open(path, info, encoders)?)))
    }

    /// As [`Split::open`], of rows that refer to tables.
    pub(crate) fn open_views(
        path: &Path,
        info: &SplitInfo,
        encoders: &Encoders,
        tables: (Part, Arc<Tables>),
    ) -> Result<Self, DatasetError> {
        Ok(Self::new(info, encoders, Rows::Views(ViewRows::open(path, info, encoders, tables)?)))
    }

    fn new(info: &SplitInfo, encoders: &Encoders, rows: Rows) -> Self {
        Self { inner: Arc::new(Inner { schema: encoders.schema().clone(), positives: info.positives, rows }) }
    }

    /// Number of rows. Candidates that are drawn beside a stored row are rows of their own: those of stored row `i` follow
    /// it at once.
    pub fn rows(&self) -> u64 {
        match &self.inner.rows {
            Rows::Stored(rows) => rows.rows,
            Rows::Views(rows) => rows.rows(),
        }
    }

    /// Number of rows with label 1.
    pub fn positives(&self) -> u64 {
        self.inner.positives
    }

    /// Which optional parts the rows have: labels always, groups, times and ceiling where the schema names columns for
    /// them.
    pub fn parts(&self) -> Parts {
        Parts::of(&self.inner.schema)
    }

    /// The schema that the rows were encoded with.
    pub fn schema(&self) -> &Schema {
        &self.inner.schema
    }

    /// Replaces `out` by the given rows, counted from 0, in the given order; a row may come more than once. The memory
    /// of `out` is used again. Negatives are those of epoch 0.
    ///
    /// # Errors
    /// [`DatasetError::RowOutOfRange`]; `out` is unchanged then. [`DatasetError::BatchTooLarge`] if the rows have more
    /// than `u32::MAX` values in one feature, [`DatasetError::NoneLeft`] if a user has chosen all that could be drawn;
    /// `out` is empty then.
    pub fn gather(&self, rows: &[u64], out: &mut Samples) -> Result<(), DatasetError> {
        self.gather_epoch(rows, 0, out)
    }

    /// As [`Split::gather`], with the negatives of an epoch, counted from 0. It matters for training rows only, and only
    /// where the samples say that negatives are drawn anew in each epoch: what a model is measured on stays the same.
    ///
    /// # Errors
    /// As [`Split::gather`].
    pub fn gather_epoch(&self, rows: &[u64], epoch: u64, out: &mut Samples) -> Result<(), DatasetError> {
        let count = self.rows();
        if let Some(row) = rows.iter().find(|row| **row >= count) {
            return Err(DatasetError::RowOutOfRange { row: *row, rows: count });
        }
        match &self.inner.rows {
            Rows::Stored(stored) => stored.gather(rows, &self.inner.schema, out),
            Rows::Views(views) => views.gather(rows, epoch, &self.inner.schema, out),
        }
    }

    /// The rows, if they refer to tables.
    pub(crate) fn views(&self) -> Option<&ViewRows> {
        match &self.inner.rows {
            Rows::Stored(_) => None,
            Rows::Views(rows) => Some(rows),
        }
    }
}

impl fmt::Debug for Split {
    /// Names the split by its size; its rows may be millions.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rows, positives) = (self.rows(), self.positives());
        f.debug_struct("Split").field("rows", &rows).field("positives", &positives).finish_non_exhaustive()
    }
}
