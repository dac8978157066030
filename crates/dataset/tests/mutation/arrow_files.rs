//! A file of columns whose checksum was made to fit: what is behind the checksum must hold by itself.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::types::{Float32Type, UInt32Type};
use arrow_array::{Array, ArrayRef, Float32Array, ListArray, RecordBatch, StringArray, UInt32Array};
use arrow_ipc::reader::FileReader;
use arrow_schema::{ArrowError, DataType, Field, Schema};
use fain_storage::{ColumnFile, FileInfo, FileWriter, checksum, list_of};

use crate::cases::{Outcome, cases, scratch};

const ROWS: u32 = 12;

fn schema() -> Arc<Schema> {
    Arc::new(Schema::new(vec![
        Field::new("label", DataType::Float32, false),
        Field::new("history", list_of(DataType::UInt32), false),
        Field::new("term", DataType::Utf8, false),
    ]))
}

fn columns(folder: &Path) -> PathBuf {
    let history = ListArray::from_iter_primitive::<UInt32Type, _, _>((0..ROWS).map(|row| Some((0..row % 4).map(Some))));
    let (_, offsets, values, _) = history.into_parts();
    let item = Arc::new(Field::new("item", DataType::UInt32, false));
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Float32Array::from_iter_values((0..ROWS).map(|row| (row % 2) as f32))),
        Arc::new(ListArray::new(item, offsets, Arc::new(UInt32Array::from(values.to_data())), None)),
        Arc::new(StringArray::from_iter_values((0..ROWS as usize).map(|row| "é".repeat(row % 3)))),
    ];
    let mut writer = FileWriter::create(folder.join("rows.arrow"), &schema()).unwrap();
    writer.write(&RecordBatch::try_new(schema(), arrays).unwrap()).unwrap();
    folder.join(writer.finish().unwrap().file)
}

/// The columns as Arrow's own reader reads them, which copies them into memory of its own.
fn reference(bytes: &[u8]) -> Result<RecordBatch, ArrowError> {
    let mut batches: Vec<RecordBatch> = FileReader::try_new(Cursor::new(bytes), None)?.collect::<Result<_, _>>()?;
    batches.pop().filter(|_| batches.is_empty()).ok_or_else(|| ArrowError::IpcError("not one batch".to_owned()))
}

/// Whether every value is that of the reference.
fn is_right(file: &ColumnFile, batch: &RecordBatch) -> bool {
    let labels = file.chunks::<Float32Type>("label").unwrap();
    let lists = file.lists::<UInt32Type>("history").unwrap();
    let texts = file.texts("term").unwrap();
    let label: &Float32Array = batch.column(0).as_any().downcast_ref().unwrap();
    let history: &ListArray = batch.column(1).as_any().downcast_ref().unwrap();
    let term: &StringArray = batch.column(2).as_any().downcast_ref().unwrap();
    let row_is_right = |row: u32| {
        let place = row as usize;
        let list = history.value(place);
        let list: &UInt32Array = list.as_any().downcast_ref().unwrap();
        labels.get(u64::from(row)).map(f32::to_bits) == Some(label.value(place).to_bits())
            && lists.list(u64::from(row)) == list.values().as_ref()
            && texts.get(u64::from(row)) == Some(term.value(place))
    };
    batch.num_rows() == ROWS as usize && (0..ROWS).all(row_is_right)
}

#[test]
fn arrow_files_with_a_fitting_checksum() {
    let place = scratch();
    let sound = fs::read(columns(place.path())).unwrap();
    let counts = cases("arrow files with a fitting checksum", vec![sound], |folder| {
        let path = folder.join("rows.arrow");
        move |_, broken| {
            // Never written over: the file of the case before may still be mapped.
            let _ = fs::remove_file(&path);
            fs::write(&path, broken).unwrap();
            let sum = checksum(broken);
            let info =
                FileInfo { file: String::new(), rows: u64::from(ROWS), bytes: broken.len() as u64, checksum: sum };
            let Ok(file) = ColumnFile::open(&path, &info, &schema()) else { return Outcome::Refused };
            assert!(is_right(&file, &reference(broken).unwrap()), "other values than the bytes say");
            Outcome::Accepted
        }
    });
    assert!(counts.accepted > 50 && counts.refused > 100, "{counts:?}");
}
