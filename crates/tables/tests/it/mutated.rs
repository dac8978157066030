//! Files with some bytes changed: rows or an error, and nothing else.

use std::sync::Arc;

use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, ListArray, StringArray};
use fain_tables::{CsvConfig, Record, Rows, TableError, TableReader};
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterVersion};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::files::{TestFile, gzip, zstd};
use crate::parquet_files::parquet;

/// Some bytes of a file, changed.
fn mutate(bytes: &mut [u8], random: &mut ChaCha8Rng) {
    for _ in 0..=random.next_u32() % 3 {
        let place = random.next_u32() as usize % bytes.len();
        bytes[place] = match random.next_u32() % 3 {
            0 => random.next_u32() as u8,
            1 => bytes[place] ^ 1 << (random.next_u32() % 8),
            _ => 0xFF,
        };
    }
}

/// Reads all of a file; the number of its rows.
fn read(bytes: &[u8]) -> Result<u64, TableError> {
    let file = TestFile::new("a", bytes);
    let mut table = TableReader::open(file.path(), &CsvConfig::default())?;
    let mut rows = Rows::new();
    let mut count = 0;
    while table.read_rows(&mut rows)? {
        for record in rows.iter() {
            count += 1;
            assert_eq!(record.row(), count);
            assert_eq!(record.len(), table.header().len());
            touch(&record);
        }
    }
    assert_eq!(table.bytes_read(), bytes.len() as u64, "what was read to the end was read whole");
    Ok(count)
}

/// Every text is cut at character borders, and every list has its items.
fn touch(record: &Record) {
    for column in 0..record.len() {
        let text = record.get(column);
        if let Some(items) = record.list(column) {
            assert!(items.map(str::len).sum::<usize>() <= text.len());
        }
    }
}

fn each_mutation(originals: &[Vec<u8>], cases: usize, seed: u64) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut good, mut bad) = (0, 0);
    for case in 0..cases {
        let mut bytes = originals[case % originals.len()].clone();
        mutate(&mut bytes, &mut random);
        match read(&bytes) {
            Ok(_) => good += 1,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                bad += 1;
            }
        }
    }
    assert!(good > 0 && bad > 0, "{good} files were read, {bad} refused");
}

#[test]
fn csv_files() {
    let csv = "label,item,text\n".to_owned() + &"1,shoe,\"a, \"\"b\"\"\nc\"\n0,é,x\n".repeat(20);
    each_mutation(&[csv.clone().into_bytes(), gzip(&csv), zstd(&csv)], 3000, 1);
}

#[test]
fn parquet_files() {
    let rows = 300;
    let words: Vec<Option<String>> = (0..rows).map(|row| (row % 7 > 0).then(|| format!("word {}", row % 40))).collect();
    let lists = (0..rows).map(|row| (row % 5 > 0).then(|| (0..row % 4).map(Some)));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("n", Arc::new(Int64Array::from_iter_values(0..rows))),
        ("t", Arc::new(StringArray::from(words))),
        ("x", Arc::new((0..rows).map(|row| (row % 3 > 0).then_some(row as f64 / 7.0)).collect::<Float64Array>())),
        ("b", Arc::new((0..rows).map(|row| Some(row % 2 == 0)).collect::<BooleanArray>())),
        ("l", Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(lists))),
    ];
    let mut originals = Vec::new();
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
        Compression::LZ4_RAW,
    ] {
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            let properties = WriterProperties::builder()
                .set_compression(compression)
                .set_writer_version(version)
                .set_max_row_group_row_count(Some(200))
                .set_data_page_row_count_limit(50)
                .build();
            originals.push(parquet(&columns, properties));
        }
    }
    for original in &originals {
        assert_eq!(read(original).unwrap(), rows as u64);
    }
    each_mutation(&originals, 3000, 2);
}
