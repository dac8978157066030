//! Parquet files that are wrong.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array};
use fain_tables::{CsvConfig, TableErrorKind, TableReader};
use parquet::file::properties::WriterProperties;

use crate::files::{TestFile, TestFolder, read_table};
use crate::parquet_files::parquet;

fn numbers() -> Vec<u8> {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..100));
    parquet(&[("n", numbers)], WriterProperties::default())
}

fn refused(bytes: &[u8]) -> String {
    let file = TestFile::new("a.parquet", bytes);
    let error = read_table(file.path(), &CsvConfig::default()).unwrap_err();
    assert_eq!(error.kind(), TableErrorKind::Content);
    file.message(&error)
}

#[test]
fn a_file_that_is_cut_short_says_so() {
    let whole = numbers();
    for length in 4..whole.len() {
        let message = "a.parquet: the Parquet file is cut short after row 0";
        assert_eq!(refused(&whole[..length]), message, "{length}");
    }
}

#[test]
fn a_footer_that_is_wrong() {
    let mut bytes = numbers();
    let place = bytes.len() - 8;
    bytes[place..place + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    let message = refused(&bytes);
    assert!(message.starts_with("a.parquet: the Parquet file is damaged after row 0: "), "{message}");
    let mut bytes = numbers();
    let place = bytes.len() - 40;
    bytes[place..place + 20].fill(0xFF);
    let message = refused(&bytes);
    assert!(message.starts_with("a.parquet: the Parquet file is damaged after row 0: "), "{message}");
}

/// Found by breaking files at random: with 0 in this place the decoder gives no rows, and no error.
#[test]
fn a_footer_that_names_fewer_rows_than_there_are() {
    let mut bytes = numbers();
    // The third field of the footer, a 64-bit integer, and the start of the fourth: 100 as Thrift writes it.
    let place = bytes.windows(4).rposition(|window| window == [0x16, 0xC8, 0x01, 0x19]).unwrap();
    for (number, found) in [([0x80, 0x00], "0"), ([0xC6, 0x01], "99"), ([0xCA, 0x01], "101"), ([0xC7, 0x01], "-100")] {
        bytes[place + 1..place + 3].copy_from_slice(&number);
        let reason = format!("the footer names {found} rows, its row groups 100");
        assert_eq!(refused(&bytes), format!("a.parquet: the Parquet file is damaged after row 0: {reason}"));
    }
}

#[test]
fn pages_that_are_wrong() {
    let mut bytes = numbers();
    bytes[4..44].fill(0xFF);
    let message = refused(&bytes);
    assert!(message.starts_with("a.parquet: the Parquet file is damaged after row 0: "), "{message}");
}

#[test]
fn a_damaged_file_among_others_is_named() {
    let whole = numbers();
    let folder = TestFolder::new(&[("1", &whole), ("2", &whole[..100])]);
    let files = [folder.file("1"), folder.file("2")];
    let csv = CsvConfig::default();
    let error = TableReader::open_all(&files, &fain_tables::TablePlan::new(&csv)).unwrap_err();
    assert_eq!(folder.message(&error), "2: the Parquet file is cut short after row 0");
}
