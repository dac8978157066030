//! The columns of one file, taken from its record batches and checked.

use std::path::Path;

use arrow_array::types::{ArrowPrimitiveType, Float32Type, Float64Type, UInt32Type, UInt64Type};
use arrow_array::{Array, ListArray, PrimitiveArray, RecordBatch};
use arrow_buffer::ScalarBuffer;
use fain_features::{Column, Encoders, FeatureKind, Schema, Sequences};

use crate::chunks::{Chunks, ListChunk, ListChunks, maximum};
use crate::error::DatasetError;
use crate::layout::{CEILING, GROUP, LABEL, RUN, column_name};

/// All rows of a file. The buffers are slices of the mapped file.
pub(crate) struct Stored {
    pub(crate) rows: u64,
    pub(crate) labels: Chunks<f32>,
    pub(crate) groups: Option<Chunks<u64>>,
    pub(crate) ceiling: Option<[Chunks<f64>; 2]>,
    pub(crate) columns: Vec<StoredColumn>,
}

pub(crate) enum StoredColumn {
    Category(Chunks<u32>),
    Sequence(ListChunks),
    Numeric(Chunks<f32>),
}

impl StoredColumn {
    /// The values of the rows, which must all exist, in the memory of `used` where it is of the same kind. `None`: more
    /// values than an offset counts.
    pub(crate) fn gather(&self, rows: &[u64], used: Column) -> Option<Column> {
        match (self, used) {
            (Self::Category(ids), Column::Category(used)) => Some(Column::Category(ids.gather(rows, used))),
            (Self::Category(ids), _) => Some(Column::Category(ids.gather(rows, Vec::new()))),
            (Self::Sequence(lists), Column::Sequence(used)) => lists.gather(rows, used).map(Column::Sequence),
            (Self::Sequence(lists), _) => lists.gather(rows, Sequences::default()).map(Column::Sequence),
            (Self::Numeric(numbers), Column::Numeric(used)) => Some(Column::Numeric(numbers.gather(rows, used))),
            (Self::Numeric(numbers), _) => Some(Column::Numeric(numbers.gather(rows, Vec::new()))),
        }
    }
}

impl Stored {
    pub(crate) fn new(path: &Path, batches: &[RecordBatch], schema: &Schema) -> Result<Self, DatasetError> {
        check_runs(path, batches)?;
        let file = Columns { path, batches };
        let ceiling = match schema.ceiling() {
            Some(_) => {
                let [blind, optimal] = CEILING;
                Some([file.chunks::<Float64Type>(blind)?, file.chunks::<Float64Type>(optimal)?])
            }
            None => None,
        };
        let groups = schema.group().map(|_| file.chunks::<UInt64Type>(GROUP)).transpose()?;
        let columns = schema
            .features()
            .iter()
            .map(|feature| {
                let name = column_name(&feature.name);
                Ok(match feature.kind {
                    FeatureKind::Category { .. } => StoredColumn::Category(file.chunks::<UInt32Type>(&name)?),
                    FeatureKind::Sequence { .. } => StoredColumn::Sequence(file.lists(&name)?),
                    FeatureKind::Numeric { .. } => StoredColumn::Numeric(file.chunks::<Float32Type>(&name)?),
                })
            })
            .collect::<Result<_, DatasetError>>()?;
        Ok(Self {
            rows: batches.iter().map(|batch| batch.num_rows() as u64).sum(),
            labels: file.chunks::<Float32Type>(LABEL)?,
            groups,
            ceiling,
            columns,
        })
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

    /// An id beyond its vocabulary would have no row in an embedding table.
    pub(crate) fn check_ids(&self, path: &Path, encoders: &Encoders) -> Result<(), DatasetError> {
        for (feature, column) in encoders.schema().features().iter().zip(&self.columns) {
            let found = match column {
                StoredColumn::Category(ids) => maximum(ids.slices()),
                StoredColumn::Sequence(lists) => maximum(lists.slices()),
                StoredColumn::Numeric(_) => None,
            };
            let size = match feature.kind {
                FeatureKind::Category { vocabulary } | FeatureKind::Sequence { vocabulary, .. } => {
                    encoders.vocabulary(vocabulary).size()
                }
                FeatureKind::Numeric { .. } => 0,
            };
            if let Some(id) = found.filter(|id| *id as usize >= size) {
                let what = format!("the largest id of the column \"{}\"", column_name(&feature.name));
                let needed = format!("below {size}, the size of the vocabulary");
                return Err(DatasetError::damaged(path, what, id, needed));
            }
        }
        Ok(())
    }
}

/// Rows are found by arithmetic, so every batch but the last must be full.
fn check_runs(path: &Path, batches: &[RecordBatch]) -> Result<(), DatasetError> {
    for (number, batch) in batches.iter().enumerate() {
        let rows = batch.num_rows();
        let last = number + 1 == batches.len();
        if rows > RUN || rows == 0 || (rows < RUN && !last) {
            let what = format!("the number of rows of record batch {number}");
            let needed = if last { format!("1 to {RUN}") } else { RUN.to_string() };
            return Err(DatasetError::damaged(path, what, rows, needed));
        }
    }
    Ok(())
}

/// The record batches of a file, column by column.
struct Columns<'a> {
    path: &'a Path,
    batches: &'a [RecordBatch],
}

impl Columns<'_> {
    /// Takes something from one column of every batch, or says what the column should be.
    fn each<A: 'static, T>(&self, name: &str, needed: &str, take: impl Fn(&A) -> T) -> Result<Vec<T>, DatasetError> {
        let array = |batch: &RecordBatch| {
            batch.column_by_name(name).and_then(|column| column.as_any().downcast_ref::<A>()).map(&take)
        };
        self.batches.iter().map(array).collect::<Option<_>>().ok_or_else(|| {
            let what = format!("the column \"{name}\"");
            DatasetError::damaged(self.path, what, "of another type", needed)
        })
    }

    fn chunks<P: ArrowPrimitiveType>(&self, name: &str) -> Result<Chunks<P::Native>, DatasetError> {
        let values = |array: &PrimitiveArray<P>| -> ScalarBuffer<P::Native> { array.values().clone() };
        self.each(name, &P::DATA_TYPE.to_string(), values).map(Chunks)
    }

    fn lists(&self, name: &str) -> Result<ListChunks, DatasetError> {
        let needed = "List of UInt32";
        let chunk = |array: &ListArray| {
            let values = array.values().as_any().downcast_ref::<PrimitiveArray<UInt32Type>>()?;
            Some(ListChunk { offsets: array.offsets().clone(), values: values.values().clone() })
        };
        let chunks: Option<Vec<ListChunk>> = self.each(name, needed, chunk)?.into_iter().collect();
        chunks.map(ListChunks).ok_or_else(|| {
            let what = format!("the column \"{name}\"");
            DatasetError::damaged(self.path, what, "of another type", needed)
        })
    }
}
