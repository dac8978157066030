//! Encoded columns as Arrow arrays.

use std::path::Path;
use std::sync::Arc;

use arrow_array::types::ArrowPrimitiveType;
use arrow_array::types::{Float32Type, Int64Type, UInt32Type};
use arrow_array::{Array, ArrayRef, Float32Array, Float64Array, Int64Array, ListArray, PrimitiveArray, RecordBatch};
use arrow_array::{UInt32Array, UInt64Array};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, Field, SchemaRef};
use fain_features::{Column, Samples};
use fain_storage::FileWriter;

use crate::error::DatasetError;

/// The parts of a run of rows, in the order of the layout.
pub(crate) fn parts(run: &mut Samples) -> Vec<ArrayRef> {
    let mut arrays: Vec<ArrayRef> = Vec::new();
    if let Some(labels) = &mut run.labels {
        arrays.push(Arc::new(Float32Array::from(std::mem::take(labels))));
    }
    if let Some(groups) = &mut run.groups {
        arrays.push(Arc::new(UInt64Array::from(std::mem::take(groups))));
    }
    if let Some(times) = &mut run.times {
        arrays.push(Arc::new(Int64Array::from(std::mem::take(times))));
    }
    if let Some(ceiling) = &mut run.ceiling {
        arrays.push(Arc::new(Float64Array::from(std::mem::take(&mut ceiling.blind))));
        arrays.push(Arc::new(Float64Array::from(std::mem::take(&mut ceiling.optimal))));
    }
    arrays
}

/// The arrays of a feature's column: one, and another for weights.
pub(crate) fn column(path: &Path, feature: &str, column: Column) -> Result<Vec<ArrayRef>, DatasetError> {
    Ok(match column {
        Column::Category(ids) => vec![Arc::new(UInt32Array::from(ids))],
        Column::Numeric(numbers) => vec![Arc::new(Float32Array::from(numbers))],
        Column::Sequence(lists) => {
            let offsets = offsets(path, feature, lists.values.len(), &lists.offsets)?;
            let mut arrays: Vec<ArrayRef> = vec![list::<UInt32Type>(path, offsets.clone(), lists.values)?];
            if let Some(weights) = lists.weights {
                arrays.push(list::<Float32Type>(path, offsets, weights)?);
            }
            arrays
        }
        Column::Times(lists) => {
            let offsets = offsets(path, feature, lists.values.len(), &lists.offsets)?;
            vec![list::<Int64Type>(path, offsets, lists.values)?]
        }
    })
}

/// Writes the arrays of a run of rows.
pub(crate) fn write(writer: &mut FileWriter, schema: &SchemaRef, arrays: Vec<ArrayRef>) -> Result<(), DatasetError> {
    let batch = RecordBatch::try_new(Arc::clone(schema), arrays).map_err(|cause| failed(writer.path(), cause))?;
    Ok(writer.write(&batch)?)
}

fn offsets(path: &Path, feature: &str, values: usize, offsets: &[u32]) -> Result<OffsetBuffer<i32>, DatasetError> {
    if i32::try_from(values).is_err() {
        return Err(DatasetError::TooManyValues {
            file: path.to_owned(),
            feature: feature.to_owned(),
            values: values as u64,
            rows: offsets.len() - 1,
        });
    }
    // Ascending up to the number of values, so no offset is cut.
    let offsets: ScalarBuffer<i32> = offsets.iter().map(|offset| *offset as i32).collect();
    Ok(OffsetBuffer::new(offsets))
}

fn list<P: ArrowPrimitiveType>(
    path: &Path,
    offsets: OffsetBuffer<i32>,
    values: Vec<P::Native>,
) -> Result<ArrayRef, DatasetError> {
    let values = PrimitiveArray::<P>::new(ScalarBuffer::from(values), None);
    let field = Arc::new(Field::new("item", values.data_type().clone(), false));
    let array = ListArray::try_new(field, offsets, Arc::new(values), None).map_err(|cause| failed(path, cause))?;
    Ok(Arc::new(array))
}

/// Columns that do not make a record batch.
fn failed(path: &Path, cause: ArrowError) -> DatasetError {
    DatasetError::io("write", path, std::io::Error::other(cause))
}
