//! Tables as they come from others.

use std::io::Write;

use fain_tables::{CsvConfig, Record, TableError, TableReader};
use flate2::Compression;
use flate2::write::GzEncoder;

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
