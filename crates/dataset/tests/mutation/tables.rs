//! Tables as they come from others.

use std::io::Write;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use fain_tables::{CsvConfig, Record, TableError, TableReader};
use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression as Codec, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::mutate::cases;

const TABLE: &str = "label,user,\"the title\",history\n1,ann,\"Alien, Director's Cut\",hat|coat\n\
    0,bob,\"a \"\"quote\"\"\",\n1,é,\"two\nlines\",x\n\n0,,,|\n";

/// Everything that a reader gives.
fn read(bytes: &[u8]) -> Result<Vec<Vec<String>>, TableError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let mut table = TableReader::open(file.path(), &CsvConfig::default())?;
    let mut rows = vec![table.header().to_vec()];
    let mut record = Record::new();
    while table.read(&mut record)? {
        assert_eq!(record.row(), rows.len() as u64);
        rows.push((0..record.len()).map(|column| record.get(column).to_owned()).collect());
    }
    Ok(rows)
}

/// What the crate `csv` makes of the same bytes when every row must have the width of the first.
fn reference(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn csv() {
    let mut right = 0;
    cases(&[TABLE.as_bytes().to_vec()], |_, broken| {
        if let Ok(rows) = read(broken) {
            assert_eq!(rows, reference(broken));
            right += 1;
        }
    });
    assert!(right > 100, "nearly everything was refused: the cases show nothing");
}

#[test]
fn gzip() {
    let pack = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let sound = reference(TABLE.as_bytes());
    let twice = [pack(&TABLE[..40]), pack(&TABLE[40..])].concat();
    let mut refused = 0;
    cases(&[pack(TABLE), twice], |_, broken| match read(broken) {
        // The checksum inside lets a file pass only if its text is the same, or if it is no gzip any more.
        Ok(rows) => assert!(rows == sound || !broken.starts_with(&[0x1F, 0x8B])),
        Err(_) => refused += 1,
    });
    assert!(refused > 100);
}

#[test]
fn zstd() {
    let pack = |text: &str| zstd::encode_all(text.as_bytes(), 3).unwrap();
    let twice = [pack(&TABLE[..40]), pack(&TABLE[40..])].concat();
    let mut refused = 0;
    cases(&[pack(TABLE), twice], |_, broken| match read(broken) {
        // Frames have no checksum unless asked for one: what is read must be a table, whatever it says.
        Ok(rows) => assert!(rows.iter().all(|row| row.len() == rows[0].len())),
        Err(_) => refused += 1,
    });
    assert!(refused > 100);
}

#[test]
fn parquet() {
    let columns: [(&str, ArrayRef); 3] = [
        ("label", Arc::new(Int64Array::from_iter_values((0..50).map(|row| row % 2)))),
        ("item", Arc::new(StringArray::from_iter_values((0..50).map(|row| format!("item {}", row % 7))))),
        ("price", Arc::new(Float64Array::from_iter_values((0..50).map(f64::from)))),
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
    let (mut read_whole, mut refused) = (0, 0);
    cases(&[pack(Codec::UNCOMPRESSED), pack(Codec::SNAPPY), pack(Codec::ZSTD(ZstdLevel::default()))], |_, broken| {
        match read(broken) {
            // Values have no checksum: one may be another, but none is missing.
            Ok(rows) if broken.starts_with(b"PAR1") => {
                assert!(rows.iter().all(|row| row.len() == rows[0].len()));
                read_whole += 1;
            }
            Ok(_) => {}
            Err(_) => refused += 1,
        }
    });
    assert!(read_whole > 50 && refused > 50, "{read_whole} read, {refused} refused");
}
