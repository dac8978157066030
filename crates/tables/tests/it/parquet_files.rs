//! Parquet files as tables.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use fain_tables::{CsvConfig, Record, TableErrorKind, TablePlan, TableReader, WantedColumn};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterVersion};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::files::{TestFile, TestFolder, read_table};

pub(crate) fn parquet(columns: &[(&str, ArrayRef)], properties: WriterProperties) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.iter().map(|(name, column)| (*name, Arc::clone(column), true)),
    )
    .unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

pub(crate) fn rows(columns: &[(&str, ArrayRef)]) -> Vec<Vec<String>> {
    let file = TestFile::new("a.parquet", parquet(columns, WriterProperties::default()));
    read_table(file.path(), &CsvConfig::default()).unwrap()
}

fn shop() -> [(&'static str, ArrayRef); 3] {
    [
        ("label", Arc::new(Int64Array::from(vec![1, 0, 1]))),
        ("item", Arc::new(StringArray::from(vec![Some("shoe"), None, Some("hat, \"red\"")]))),
        ("price", Arc::new(Float64Array::from(vec![Some(2.5), Some(10.0), None]))),
    ]
}

const SHOP: &str = "label,item,price\n1,shoe,2.5\n0,,10.0\n1,\"hat, \"\"red\"\"\",\n";

#[test]
fn the_same_rows_in_csv_and_in_parquet() {
    let csv = read_table(TestFile::new("a.csv", SHOP).path(), &CsvConfig::default()).unwrap();
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
    ] {
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            let properties = WriterProperties::builder()
                .set_compression(compression)
                .set_writer_version(version)
                .set_max_row_group_row_count(Some(2))
                .build();
            let file = TestFile::new("a.csv", parquet(&shop(), properties));
            assert_eq!(read_table(file.path(), &CsvConfig::default()).unwrap(), csv, "{compression} {version:?}");
        }
    }
}

#[test]
fn a_table_may_be_of_both() {
    let folder = TestFolder::new(&[("1", SHOP.as_bytes()), ("2", &parquet(&shop(), WriterProperties::default()))]);
    let csv = CsvConfig::default();
    let files = [folder.file("1"), folder.file("2")];
    let mut table = TableReader::open_all(&files, &TablePlan::new(&csv)).unwrap();
    let mut record = Record::new();
    let mut labels = Vec::new();
    while table.read(&mut record).unwrap() {
        labels.push((record.row(), record.get(0).to_owned()));
    }
    let labels: Vec<(u64, &str)> = labels.iter().map(|(row, label)| (*row, label.as_str())).collect();
    assert_eq!(labels, [(1, "1"), (2, "0"), (3, "1"), (1, "1"), (2, "0"), (3, "1")]);
    assert_eq!(table.bytes_read(), table.bytes_total());
    let wrong = record.wrong("item", 1, "a number");
    assert_eq!(folder.message(&wrong), "2, row 3, column \"item\": \"hat, \"red\"\" is not a number");
}

#[test]
fn only_wanted_columns_are_decoded() {
    let file = TestFile::new("a.parquet", parquet(&shop(), WriterProperties::default()));
    let csv = CsvConfig::default();
    let column = |name, key| WantedColumn { name, key };
    let wanted = [column("price", "log.row"), column("label", "log.label"), column("price", "log.event")];
    let plan = TablePlan { columns: Some(&wanted), ..TablePlan::new(&csv) };
    let mut table = TableReader::open_all(&[file.path()], &plan).unwrap();
    assert_eq!(table.header(), ["price", "label", "price"]);
    let mut record = Record::new();
    let mut rows = Vec::new();
    while table.read(&mut record).unwrap() {
        rows.push([0, 1, 2].map(|place| record.get(place).to_owned()));
    }
    assert_eq!(rows, [["2.5", "1", "2.5"], ["10.0", "0", "10.0"], ["", "1", ""]]);

    let wanted = [column("cost", "log.row")];
    let plan = TablePlan { columns: Some(&wanted), ..TablePlan::new(&csv) };
    let error = TableReader::open_all(&[file.path()], &plan).unwrap_err();
    assert_eq!(
        file.message(&error),
        "a.parquet: no column \"cost\", which log.row names; the header has: label, item, price"
    );
    assert_eq!(error.kind(), TableErrorKind::Content);
}

#[test]
fn files_without_rows() {
    let none: [(&str, ArrayRef); 1] = [("a", Arc::new(Int64Array::from(Vec::<i64>::new())))];
    assert_eq!(rows(&none), [["a"]]);
}

#[test]
fn a_reader_of_a_long_file_can_be_dropped() {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..300_000));
    let file = TestFile::new("a.parquet", parquet(&[("n", numbers)], WriterProperties::default()));
    let mut table = TableReader::open(file.path(), &CsvConfig::default()).unwrap();
    let mut record = Record::new();
    assert!(table.read(&mut record).unwrap());
    assert!(table.bytes_read() < table.bytes_total());
    drop(table);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_a_writer_writes_is_read(
        values in vec((option::of(any::<i64>()), option::of(any::<f64>()), option::of("[a-c,\"\n é]{0,5}")), 1..5000),
        group in 1..3000_usize,
        dictionary in any::<bool>(),
    ) {
        let columns: [(&str, ArrayRef); 3] = [
            ("n", Arc::new(values.iter().map(|value| value.0).collect::<Int64Array>())),
            ("x", Arc::new(values.iter().map(|value| value.1).collect::<Float64Array>())),
            ("t", Arc::new(values.iter().map(|value| value.2.as_deref()).collect::<StringArray>())),
        ];
        let properties = WriterProperties::builder()
            .set_max_row_group_row_count(Some(group))
            .set_data_page_row_count_limit(100)
            .set_dictionary_enabled(dictionary)
            .build();
        let file = TestFile::new("a.parquet", parquet(&columns, properties));
        let mut table = TableReader::open(file.path(), &CsvConfig::default()).unwrap();
        let mut record = Record::new();
        for (row, (number, float, text)) in values.iter().enumerate() {
            prop_assert!(table.read(&mut record).unwrap());
            prop_assert_eq!(record.row(), row as u64 + 1);
            prop_assert_eq!(record.get(0), number.map(|number| number.to_string()).unwrap_or_default());
            let read: Option<f64> = record.get(1).parse().ok();
            prop_assert_eq!(read.map(f64::to_bits), float.map(f64::to_bits));
            prop_assert_eq!(record.get(2), text.as_deref().unwrap_or_default());
        }
        prop_assert!(!table.read(&mut record).unwrap());
        prop_assert_eq!(table.bytes_read(), table.bytes_total());
    }
}
