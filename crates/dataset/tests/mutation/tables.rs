//! Tables as they come from others.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use fain_tables::{CsvConfig, Record, TableError, TableReader};
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::cases::{Outcome, cases};

const TABLE: &str = "label,user,\"the title\",history\n1,ann,\"Alien, Director's Cut\",hat|coat\n\
    0,bob,\"a \"\"quote\"\"\",\n1,é,\"two\nlines\",x\n\n0,,,|\n";

/// The header and the rows.
pub(crate) type Texts = Vec<Vec<String>>;

/// Everything that a reader gives.
fn read(path: &Path, bytes: &[u8]) -> Result<Texts, TableError> {
    fs::write(path, bytes).unwrap();
    let mut table = TableReader::open(path, &CsvConfig::default())?;
    let mut rows = vec![table.header().to_vec()];
    let mut record = Record::new();
    while table.read(&mut record)? {
        assert_eq!(record.row(), rows.len() as u64);
        rows.push((0..record.len()).map(|column| record.get(column).to_owned()).collect());
    }
    Ok(rows)
}

/// What the crate `csv` makes of the same bytes when every row must have the width of the first.
pub(crate) fn reference(bytes: &[u8]) -> Texts {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// Holds what is read of broken files to what `truth` says they say.
pub(crate) fn check(
    name: &'static str,
    files: Vec<Vec<u8>>,
    truth: impl Fn(&[u8], &Texts) -> bool + Clone + Send + Sync + 'static,
) -> (u64, u64) {
    let counts = cases(name, files, move |folder| {
        let (path, truth) = (folder.join("table"), truth.clone());
        move |_, broken| match read(&path, broken) {
            Ok(rows) => {
                assert!(truth(broken, &rows), "other rows than the bytes say");
                Outcome::Accepted
            }
            Err(_) => Outcome::Refused,
        }
    });
    (counts.accepted, counts.refused)
}

#[test]
fn csv() {
    let (accepted, refused) = check("csv", vec![TABLE.into()], |broken, rows| *rows == reference(broken));
    assert!(accepted > 100 && refused > 100, "{accepted} accepted, {refused} refused");
}

#[test]
fn gzip() {
    let pack = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let twice = [pack(&TABLE[..40]), pack(&TABLE[40..])].concat();
    let (accepted, refused) = check("gzip", vec![pack(TABLE), twice], |broken, rows| {
        let mut text = Vec::new();
        if broken.starts_with(&[0x1F, 0x8B]) {
            // An end that is no member is passed over by some; what is before it must be right.
            MultiGzDecoder::new(broken).read_to_end(&mut text).unwrap();
        } else {
            text.extend_from_slice(broken);
        }
        *rows == reference(&text)
    });
    assert!(accepted > 10 && refused > 100, "{accepted} accepted, {refused} refused");
}

#[test]
fn zstd() {
    let pack = |text: &str| zstd::encode_all(text.as_bytes(), 3).unwrap();
    let twice = [pack(&TABLE[..40]), pack(&TABLE[40..])].concat();
    let (accepted, refused) = check("zstd", vec![pack(TABLE), twice], |broken, rows| {
        // Frames have no checksum unless asked for one: what is read may be another table, that of the bytes.
        let packed = matches!(broken, [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..]);
        *rows == reference(&if packed { zstd::decode_all(broken).unwrap() } else { broken.to_vec() })
    });
    assert!(accepted > 10 && refused > 100, "{accepted} accepted, {refused} refused");
}
