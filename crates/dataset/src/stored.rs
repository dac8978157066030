//! The columns of one file, taken from its record batches and checked.

use std::path::Path;

use arrow_array::types::{Float32Type, Float64Type, Int64Type, UInt32Type, UInt64Type};
use fain_features::{Column, Encoders, FeatureKind, Schema, Sequences, Times};
use fain_storage::{Chunks, ColumnFile, ListChunks, maximum};

use crate::error::DatasetError;
use crate::layout::{CEILING, GROUP, LABEL, TIME, column_name, weights_name};

/// All rows of a file. The buffers are slices of the mapped file.
pub(crate) struct Stored {
    pub(crate) rows: u64,
    pub(crate) labels: Chunks<f32>,
    pub(crate) groups: Option<Chunks<u64>>,
    pub(crate) times: Option<Chunks<i64>>,
    pub(crate) ceiling: Option<[Chunks<f64>; 2]>,
    pub(crate) columns: Vec<StoredColumn>,
}

pub(crate) enum StoredColumn {
    Category(Chunks<u32>),
    /// Values and, where they have some, weights.
    Sequence(ListChunks<u32>, Option<ListChunks<f32>>),
    Numeric(Chunks<f32>),
    Times(ListChunks<i64>),
}

impl StoredColumn {
    /// The values of the rows, which must all exist, in the memory of `used` where it is of the same kind. `None`: more
    /// values than an offset counts.
    pub(crate) fn gather(&self, rows: &[u64], used: Column) -> Option<Column> {
        match (self, used) {
            (Self::Category(ids), Column::Category(used)) => Some(Column::Category(ids.gather(rows, used))),
            (Self::Category(ids), _) => Some(Column::Category(ids.gather(rows, Vec::new()))),
            (Self::Sequence(lists, weights), used) => {
                let mut used = if let Column::Sequence(used) = used { used } else { Sequences::default() };
                lists.gather(rows, &mut used.values, &mut used.offsets)?;
                used.weights = match weights {
                    None => None,
                    Some(stored) => {
                        let mut weights = used.weights.take().unwrap_or_default();
                        stored.gather(rows, &mut weights, &mut used.offsets)?;
                        Some(weights)
                    }
                };
                Some(Column::Sequence(used))
            }
            (Self::Times(lists), used) => {
                let mut used = if let Column::Times(used) = used { used } else { Times::default() };
                lists.gather(rows, &mut used.values, &mut used.offsets)?;
                Some(Column::Times(used))
            }
            (Self::Numeric(numbers), Column::Numeric(used)) => Some(Column::Numeric(numbers.gather(rows, used))),
            (Self::Numeric(numbers), _) => Some(Column::Numeric(numbers.gather(rows, Vec::new()))),
        }
    }
}

impl Stored {
    pub(crate) fn new(file: &ColumnFile, schema: &Schema) -> Result<Self, DatasetError> {
        let ceiling = match schema.ceiling() {
            Some(_) => {
                let [blind, optimal] = CEILING;
                Some([file.chunks::<Float64Type>(blind)?, file.chunks::<Float64Type>(optimal)?])
            }
            None => None,
        };
        let groups = schema.group().map(|_| file.chunks::<UInt64Type>(GROUP)).transpose()?;
        let times = schema.time().map(|_| file.chunks::<Int64Type>(TIME)).transpose()?;
        let columns = schema
            .features()
            .iter()
            .map(|feature| {
                let name = column_name(&feature.name);
                Ok(match &feature.kind {
                    FeatureKind::Category { .. } | FeatureKind::Bucket { .. } => {
                        StoredColumn::Category(file.chunks::<UInt32Type>(&name)?)
                    }
                    FeatureKind::Sequence { weight_separator, .. } => {
                        let weights = weight_separator.as_ref().map(|_| weights_name(&feature.name));
                        StoredColumn::Sequence(
                            file.lists::<UInt32Type>(&name)?,
                            weights.map(|name| file.lists::<Float32Type>(&name)).transpose()?,
                        )
                    }
                    FeatureKind::Times { .. } => StoredColumn::Times(file.lists::<Int64Type>(&name)?),
                    FeatureKind::Numeric { .. } => StoredColumn::Numeric(file.chunks::<Float32Type>(&name)?),
                })
            })
            .collect::<Result<_, DatasetError>>()?;
        Ok(Self { rows: file.rows(), labels: file.chunks::<Float32Type>(LABEL)?, groups, times, ceiling, columns })
    }

    /// Every label must be 0 or 1, and so many of them 1.
    pub(crate) fn check_labels(&self, path: &Path, positives: u64) -> Result<(), DatasetError> {
        let count = |wanted: f32| -> u64 {
            let of = |labels: &[f32]| labels.iter().filter(|label| label.to_bits() == wanted.to_bits()).count();
            self.labels.slices().map(|labels| of(labels) as u64).sum()
        };
        let (ones, zeros) = (count(1.0), count(0.0));
        if ones != positives {
            return Err(DatasetError::damaged(path, "the number of positive rows", ones, positives));
        }
        if ones + zeros != self.rows {
            let found = self.rows - ones - zeros;
            return Err(DatasetError::damaged(path, "the number of labels other than 0 and 1", found, 0));
        }
        Ok(())
    }

    /// A value without weight, or a weight without value, would shift all that follow.
    pub(crate) fn check_weights(&self, path: &Path, schema: &Schema) -> Result<(), DatasetError> {
        for (feature, column) in schema.features().iter().zip(&self.columns) {
            if let StoredColumn::Sequence(values, Some(weights)) = column
                && !values.same_lengths(weights)
            {
                let what = format!("the column \"{}\"", weights_name(&feature.name));
                let needed = format!("of the lengths of \"{}\"", column_name(&feature.name));
                return Err(DatasetError::damaged(path, what, "of other lengths", needed));
            }
        }
        Ok(())
    }

    /// An id beyond its vocabulary would have no row in an embedding table.
    pub(crate) fn check_ids(&self, path: &Path, encoders: &Encoders) -> Result<(), DatasetError> {
        for (feature, column) in encoders.schema().features().iter().zip(&self.columns) {
            let found = match column {
                StoredColumn::Category(ids) => maximum(ids.slices()),
                StoredColumn::Sequence(lists, _) => maximum(lists.slices()),
                StoredColumn::Numeric(_) | StoredColumn::Times(_) => None,
            };
            let size = feature.kind.vocabulary().map_or(0, |vocabulary| encoders.vocabulary(vocabulary).size());
            if let Some(id) = found.filter(|id| *id as usize >= size) {
                let what = format!("the largest id of the column \"{}\"", column_name(&feature.name));
                let needed = format!("below {size}, the size of the vocabulary");
                return Err(DatasetError::damaged(path, what, id, needed));
            }
        }
        Ok(())
    }
}
