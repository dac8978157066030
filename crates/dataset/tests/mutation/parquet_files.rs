//! Parquet files as they come from others.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression as Codec, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use crate::quiet;
use crate::tables::{Texts, check, reference};

/// Whether a text stands for a value; `true` for values that no case is made with.
fn stands_for(text: &str, value: &Field) -> bool {
    match value {
        Field::Null => text.is_empty(),
        Field::Str(value) => text == value,
        Field::Bool(value) => text == if *value { "1" } else { "0" },
        Field::Int(value) => text == value.to_string(),
        Field::Long(value) => text == value.to_string(),
        Field::Double(value) => {
            text.parse().is_ok_and(|read: f64| read.to_bits() == value.to_bits() || (read.is_nan() && value.is_nan()))
        }
        _ => true,
    }
}

/// The rows as the crate `parquet` reads them one by one, which is another way than that by columns.
fn rows(bytes: &[u8]) -> Result<Vec<Vec<Field>>, ParquetError> {
    let reader = SerializedFileReader::new(Bytes::copy_from_slice(bytes))?;
    let rows = reader.get_row_iter(None)?;
    rows.map(|row| Ok(row?.into_columns().into_iter().map(|(_, value)| value).collect())).collect()
}

/// Values have no checksum: one may be another, that of the bytes. Where counts contradict each other, either way of
/// reading may be the one that gives what was written.
fn is_right(broken: &[u8], read: &Texts, written: &Texts) -> bool {
    if !broken.starts_with(b"PAR1") {
        return *read == reference(broken);
    }
    let same = |(read, row): (&Vec<String>, &Vec<Field>)| {
        read.len() == row.len() && read.iter().zip(row).all(|(text, value)| stands_for(text, value))
    };
    match quiet::errors(|| rows(broken)) {
        Ok(Ok(rows)) if read.len() == rows.len() + 1 && read[1..].iter().zip(&rows).all(same) => true,
        Ok(Ok(_)) => read == written,
        // Where the other way fails, at least nothing is missing.
        Ok(Err(_)) | Err(_) => read.len() == written.len() && read.iter().all(|row| row.len() == read[0].len()),
    }
}

#[test]
fn parquet() {
    let columns: [(&str, ArrayRef); 3] = [
        ("label", Arc::new(Int64Array::from_iter_values((0..9).map(|row| row % 2)))),
        ("item", Arc::new(StringArray::from_iter_values((0..9).map(|row| format!("item {}", row % 7))))),
        ("price", Arc::new(Float64Array::from_iter_values((0..9).map(f64::from)))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let pack = |codec: Codec| {
        let properties = WriterProperties::builder().set_compression(codec).build();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        bytes
    };
    let files = vec![pack(Codec::UNCOMPRESSED), pack(Codec::SNAPPY), pack(Codec::ZSTD(ZstdLevel::default()))];
    let texts = |row: i64| vec![(row % 2).to_string(), format!("item {}", row % 7), format!("{row}.0")];
    let header = ["label", "item", "price"].map(str::to_owned).to_vec();
    let written: Texts = std::iter::once(header).chain((0..9).map(texts)).collect();
    let (accepted, refused) = check("parquet", files, move |broken, read| is_right(broken, read, &written));
    assert!(accepted > 50 && refused > 50, "{accepted} accepted, {refused} refused");
}
