//! The rows of a split that hold all their columns.

use std::path::Path;

use fain_features::{Column, Encoders, Parts, Samples, Schema};
use fain_storage::ColumnFile;

use crate::error::DatasetError;
use crate::layout::inline_schema;
use crate::manifest::SplitInfo;
use crate::stored::{StoredColumn, StoredParts};

/// All rows of a file.
pub(crate) struct StoredRows {
    pub(crate) rows: u64,
    parts: StoredParts,
    /// In the order of the schema.
    columns: Vec<StoredColumn>,
}

impl StoredRows {
    /// Maps a file and checks it against its manifest entry and the encoders.
    pub(crate) fn open(path: &Path, info: &SplitInfo, encoders: &Encoders) -> Result<Self, DatasetError> {
        let schema = encoders.schema();
        let file = ColumnFile::open(path, &info.info(), &inline_schema(schema))?;
        let parts = StoredParts::new(&file, Parts::of(schema))?;
        parts.check_labels(path, info.positives)?;
        let column = |feature| {
            let column = StoredColumn::new(&file, feature)?;
            column.check(path, feature, encoders)?;
            Ok(column)
        };
        let columns = schema.features().iter().map(column).collect::<Result<_, DatasetError>>()?;
        // The checks went through all of it; a batch needs little.
        file.mapping().release();
        Ok(Self { rows: file.rows(), parts, columns })
    }

    /// Replaces `out` by the given rows, which must exist.
    pub(crate) fn gather(&self, rows: &[u64], schema: &Schema, out: &mut Samples) -> Result<(), DatasetError> {
        self.parts.gather(rows, out);
        out.columns.resize_with(self.columns.len(), no_column);
        for (place, stored) in self.columns.iter().enumerate() {
            let used = std::mem::replace(&mut out.columns[place], no_column());
            let Some(column) = stored.gather(rows, used) else {
                *out = Samples::default();
                return Err(DatasetError::BatchTooLarge {
                    feature: schema.features()[place].name.clone(),
                    rows: rows.len(),
                });
            };
            out.columns[place] = column;
        }
        Ok(())
    }
}

/// A column without memory, to stand where another was taken out.
pub(crate) fn no_column() -> Column {
    Column::Numeric(Vec::new())
}
