//! The columns of one file, taken from its record batches and checked.

use std::path::Path;

use arrow_array::types::{Float32Type, Float64Type, Int64Type, UInt32Type, UInt64Type};
use fain_features::{Ceiling, Column, Encoders, Feature, FeatureKind, Parts, Samples, Sequences, Times};
use fain_storage::{Chunks, ColumnFile, ListChunks, maximum};

use crate::error::DatasetError;
use crate::layout::{CEILING, GROUP, LABEL, TIME, column_name, weights_name};

/// What rows hold beside their features. The buffers are slices of the mapped file.
#[derive(Clone)]
pub(crate) struct StoredParts {
    pub(crate) labels: Chunks<f32>,
    pub(crate) groups: Option<Chunks<u64>>,
    times: Option<Chunks<i64>>,
    ceiling: Option<[Chunks<f64>; 2]>,
}

impl StoredParts {
    pub(crate) fn new(file: &ColumnFile, parts: Parts) -> Result<Self, DatasetError> {
        let [blind, optimal] = CEILING;
        let ceiling =
            || Ok::<_, DatasetError>([file.chunks::<Float64Type>(blind)?, file.chunks::<Float64Type>(optimal)?]);
        Ok(Self {
            labels: file.chunks::<Float32Type>(LABEL)?,
            groups: parts.groups.then(|| file.chunks::<UInt64Type>(GROUP)).transpose()?,
            times: parts.times.then(|| file.chunks::<Int64Type>(TIME)).transpose()?,
            ceiling: parts.ceiling.then(ceiling).transpose()?,
        })
    }

    /// The time of a row; `None` if there is no such row, or no times.
    pub(crate) fn time(&self, row: u64) -> Option<i64> {
        self.times.as_ref()?.get(row)
    }

    /// Every label must be 0 or 1, and so many of them 1.
    pub(crate) fn check_labels(&self, path: &Path, positives: u64) -> Result<(), DatasetError> {
        let count = |wanted: f32| -> u64 {
            let of = |labels: &[f32]| labels.iter().filter(|label| label.to_bits() == wanted.to_bits()).count();
            self.labels.slices().map(|labels| of(labels) as u64).sum()
        };
        let (ones, zeros, rows) = (count(1.0), count(0.0), self.labels.rows());
        if ones != positives {
            return Err(DatasetError::damaged(path, "the number of positive rows", ones, positives));
        }
        if ones + zeros != rows {
            let found = rows - ones - zeros;
            return Err(DatasetError::damaged(path, "the number of labels other than 0 and 1", found, 0));
        }
        Ok(())
    }

    /// Replaces the parts of `out` by those of the rows, which must all exist, in the memory that `out` has.
    pub(crate) fn gather(&self, rows: &[u64], out: &mut Samples) {
        out.rows = rows.len();
        out.labels = Some(self.labels.gather(rows, out.labels.take().unwrap_or_default()));
        let groups = out.groups.take().unwrap_or_default();
        out.groups = self.groups.as_ref().map(|stored| stored.gather(rows, groups));
        let times = out.times.take().unwrap_or_default();
        out.times = self.times.as_ref().map(|stored| stored.gather(rows, times));
        let used = out.ceiling.take().unwrap_or_default();
        out.ceiling = self.ceiling.as_ref().map(|[blind, optimal]| Ceiling {
            blind: blind.gather(rows, used.blind),
            optimal: optimal.gather(rows, used.optimal),
        });
    }
}

/// A feature that has a value in each row of a table.
#[derive(Clone)]
pub(crate) enum StoredColumn {
    Category(Chunks<u32>),
    Sequence(ListChunks<u32>, Option<ListChunks<f32>>),
    Numeric(Chunks<f32>),
    Times(ListChunks<i64>),
}

impl StoredColumn {
    pub(crate) fn new(file: &ColumnFile, feature: &Feature) -> Result<Self, DatasetError> {
        let name = column_name(&feature.name);
        Ok(match &feature.kind {
            FeatureKind::Category { .. } | FeatureKind::Bucket { .. } => {
                Self::Category(file.chunks::<UInt32Type>(&name)?)
            }
            FeatureKind::Sequence { weight_separator, .. } => {
                let lists = file.lists::<UInt32Type>(&name)?;
                let name = weights_name(&feature.name);
                let weights = weight_separator.as_ref().map(|_| file.lists::<Float32Type>(&name)).transpose()?;
                if weights.as_ref().is_some_and(|weights| !weights.same_lengths(&lists)) {
                    let what = format!("the column \"{name}\"");
                    let needed = format!("of the lengths of \"{}\"", column_name(&feature.name));
                    return Err(DatasetError::damaged(file.path(), what, "of other lengths", needed));
                }
                Self::Sequence(lists, weights)
            }
            FeatureKind::Numeric { .. } => Self::Numeric(file.chunks::<Float32Type>(&name)?),
            FeatureKind::Times { .. } => Self::Times(file.lists::<Int64Type>(&name)?),
        })
    }

    /// The values of the rows, which must all exist, in the memory of `used` where it is of the same kind. `None`: more
    /// values than an offset counts.
    pub(crate) fn gather(&self, rows: &[u64], used: Column) -> Option<Column> {
        Some(match self {
            Self::Category(ids) => {
                let used = if let Column::Category(used) = used { used } else { Vec::new() };
                Column::Category(ids.gather(rows, used))
            }
            Self::Sequence(lists, weights) => {
                let mut used = if let Column::Sequence(used) = used { used } else { Sequences::default() };
                lists.gather(rows, &mut used.values, &mut used.offsets)?;
                let mut memory = used.weights.take().unwrap_or_default();
                used.weights = match weights {
                    Some(weights) => {
                        weights.gather(rows, &mut memory, &mut used.offsets)?;
                        Some(memory)
                    }
                    None => None,
                };
                Column::Sequence(used)
            }
            Self::Numeric(numbers) => {
                let used = if let Column::Numeric(used) = used { used } else { Vec::new() };
                Column::Numeric(numbers.gather(rows, used))
            }
            Self::Times(lists) => {
                let mut used = if let Column::Times(used) = used { used } else { Times::default() };
                lists.gather(rows, &mut used.values, &mut used.offsets)?;
                Column::Times(used)
            }
        })
    }

    /// An id beyond its vocabulary would have no row in an embedding table, and a weight below 0 no meaning.
    pub(crate) fn check(&self, path: &Path, feature: &Feature, encoders: &Encoders) -> Result<(), DatasetError> {
        let largest = match self {
            Self::Category(ids) => maximum(ids.slices()),
            Self::Sequence(lists, _) => maximum(lists.slices()),
            Self::Numeric(_) | Self::Times(_) => None,
        };
        check_largest(path, feature, encoders, largest)?;
        if let Self::Sequence(_, Some(weights)) = self
            && weights.slices().flatten().any(|weight| !(0.0..=f32::MAX).contains(weight))
        {
            let what = format!("a value of the column \"{}\"", weights_name(&feature.name));
            return Err(DatasetError::damaged(path, what, "no weight", "a finite number from 0 up"));
        }
        Ok(())
    }
}

/// Ids are below the size of their vocabulary.
pub(crate) fn check_largest(
    path: &Path,
    feature: &Feature,
    encoders: &Encoders,
    largest: Option<u32>,
) -> Result<(), DatasetError> {
    let Some(vocabulary) = feature.kind.vocabulary() else { return Ok(()) };
    let size = encoders.vocabulary(vocabulary).size();
    match largest.filter(|id| *id as usize >= size) {
        Some(id) => {
            let what = format!("the largest id of the column \"{}\"", column_name(&feature.name));
            let needed = format!("below {size}, the size of the vocabulary");
            Err(DatasetError::damaged(path, what, id, needed))
        }
        None => Ok(()),
    }
}
