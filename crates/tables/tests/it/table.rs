//! Files of many forms, and files that are wrong.
use std::fmt::Write;
use std::path::Path;

use crate::files::{TestFile, gzip, read_table, zstd};
use fain_tables::{CsvConfig, Encoding, Record, TableErrorKind, TableReader};

const ROWS: &str = "label,item\n1,shoe\n0,hat\n";

fn rows(content: impl AsRef<[u8]>, config: &CsvConfig) -> Vec<Vec<String>> {
    read_table(TestFile::new("a.csv", content).path(), config).unwrap()
}

/// The message and kind of a file's error.
fn error(content: impl AsRef<[u8]>) -> (String, TableErrorKind) {
    let file = TestFile::new("a.csv", content);
    let error = read_table(file.path(), &CsvConfig::default()).unwrap_err();
    (file.message(&error), error.kind())
}

fn content_error(content: impl AsRef<[u8]>) -> String {
    let (message, kind) = error(content);
    assert_eq!(kind, TableErrorKind::Content);
    message
}

#[test]
fn one_table_in_many_forms() {
    let expected = [["label", "item"], ["1", "shoe"], ["0", "hat"]];
    let csv = CsvConfig::default();
    assert_eq!(rows(ROWS, &csv), expected);
    assert_eq!(rows(ROWS.trim_end(), &csv), expected, "no line break at the end");
    assert_eq!(rows(format!("\u{FEFF}{ROWS}"), &csv), expected, "byte order mark");
    assert_eq!(rows(format!("\u{FEFF}\"label\"{}", &ROWS[5..]), &csv), expected, "byte order mark and quote");
    assert_eq!(rows(ROWS.replace('\n', "\r\n"), &csv), expected, "line breaks of Windows");
    assert_eq!(rows(ROWS.replace('\n', "\r"), &csv), expected, "line breaks of the old Macintosh");
    assert_eq!(rows(ROWS.replace('\n', "\n\n"), &csv), expected, "blank lines");
    assert_eq!(rows(gzip(ROWS), &csv), expected, "gzip by its content, whatever the name");
    assert_eq!(rows(gzip(format!("\u{FEFF}{ROWS}")), &csv), expected, "gzip and byte order mark");
    let (first, second) = ROWS.split_at(13);
    assert_eq!(rows([gzip(first), gzip(""), gzip(second)].concat(), &csv), expected, "several gzip members");
    assert_eq!(rows(zstd(ROWS), &csv), expected, "zstd by its content");
    assert_eq!(rows([zstd(first), zstd(""), zstd(second)].concat(), &csv), expected, "several zstd frames");
    let skipped = [&[0x5A, 0x2A, 0x4D, 0x18, 2, 0, 0, 0, 7, 7][..], &zstd(ROWS)].concat();
    assert_eq!(rows(skipped, &csv), expected, "a frame to be skipped, as pzstd writes");
    let tabs = CsvConfig { separator: "\t".to_owned(), ..CsvConfig::default() };
    assert_eq!(rows(ROWS.replace(',', "\t"), &tabs), expected, "tabs");
}

#[test]
fn a_name_with_gz_may_be_plain_text() {
    let file = TestFile::new("a.csv.gz", ROWS);
    assert_eq!(read_table(file.path(), &CsvConfig::default()).unwrap().len(), 3);
}

#[test]
fn quotes_hold_separators_line_breaks_and_quotes() {
    let csv = CsvConfig::default();
    let content = "a,b\n\"1,2\",\"say \"\"hi\"\"\"\n\"two\nlines\",\"\"\nplain \"quote\",x\n";
    assert_eq!(rows(content, &csv), [["a", "b"], ["1,2", "say \"hi\""], ["two\nlines", ""], ["plain \"quote\"", "x"]]);
    for quote in ["", "\0"] {
        let off = CsvConfig { quote: quote.to_owned(), ..CsvConfig::default() };
        assert_eq!(rows("a,b\n\"1,\"2\n", &off), [["a", "b"], ["\"1", "\"2"]]);
    }
}

#[test]
fn latin1_is_read_where_it_is_announced() {
    let latin1 = CsvConfig { encoding: Encoding::Latin1, ..CsvConfig::default() };
    assert_eq!(rows(b"caf\xE9,b\n\xFC,1\n", &latin1), [["café", "b"], ["ü", "1"]]);
    assert_eq!(rows(b"caf\xE9,b\n\"\xFC,\",1\n", &latin1), [["café", "b"], ["ü,", "1"]]);
    let all: Vec<u8> = (0..=255).filter(|byte| !b",\"\r\n".contains(byte)).collect();
    let expected: String = all.iter().map(|&byte| char::from(byte)).collect();
    assert_eq!(rows([b"a\n", &all[..]].concat(), &latin1), [["a"], [expected.as_str()]]);
}

#[test]
fn a_header_may_stand_alone() {
    assert_eq!(rows("a,b\n", &CsvConfig::default()), [["a", "b"]]);
    assert_eq!(rows("a", &CsvConfig::default()), [["a"]]);
}

#[test]
fn many_chunks_are_one_table() {
    let mut content = String::from("number,text\n");
    for number in 0..40_000 {
        writeln!(content, "{number},\"row, {number}\"").unwrap();
    }
    for bytes in [content.clone().into_bytes(), gzip(&content), zstd(&content)] {
        let file = TestFile::new("a.csv", &bytes);
        let mut table = TableReader::open(file.path(), &CsvConfig::default()).unwrap();
        let mut record = Record::new();
        for number in 0..40_000 {
            assert!(table.read(&mut record).unwrap());
            assert_eq!(record.get(0), number.to_string());
            assert_eq!(record.get(1), format!("row, {number}"));
        }
        assert!(!table.read(&mut record).unwrap());
        assert!(!table.read(&mut record).unwrap());
        assert_eq!(table.bytes_read(), bytes.len() as u64);
    }
}

#[test]
fn a_reader_that_is_dropped_early_does_not_wait_for_the_file() {
    let file = TestFile::new("a.csv", "label\n".repeat(1_000_000));
    let table = TableReader::open(file.path(), &CsvConfig::default()).unwrap();
    assert!(table.bytes_read() < 6_000_000);
    drop(table);
}

#[test]
fn files_that_cannot_be_opened() {
    let missing = TableReader::open(Path::new("no/such.csv"), &CsvConfig::default()).unwrap_err();
    assert_eq!(missing.to_string(), "no/such.csv: cannot be opened: No such file or directory (os error 2)");
    assert_eq!(missing.kind(), TableErrorKind::Unreadable);

    let file = TestFile::new("a.csv", ROWS);
    let folder = file.path().parent().unwrap();
    let directory = TableReader::open(folder, &CsvConfig::default()).unwrap_err();
    assert_eq!(directory.to_string(), format!("{}: cannot be opened: is a directory", folder.display()));
    assert_eq!(directory.kind(), TableErrorKind::Unreadable);

    let below = TableReader::open(&file.path().join("b.csv"), &CsvConfig::default()).unwrap_err();
    assert_eq!(file.message(&below), "a.csv/b.csv: cannot be opened: Not a directory (os error 20)");
}

#[test]
fn settings_are_checked_before_the_file_is_opened() {
    let config = CsvConfig { separator: "ü".to_owned(), ..CsvConfig::default() };
    let error = TableReader::open(Path::new("no/such.csv"), &config).unwrap_err();
    assert_eq!(error.kind(), TableErrorKind::Config);
    assert!(error.to_string().starts_with("data.csv.separator = \"ü\": "));
}

#[test]
fn files_without_a_header() {
    let message = "a.csv: the file is empty; its first line must be a header";
    for content in [Vec::new(), b"\n\r\n".to_vec(), b"\xEF\xBB\xBF".to_vec(), gzip("")] {
        assert_eq!(content_error(content), message);
    }
}

#[test]
fn rows_of_another_width() {
    assert_eq!(content_error("a,b\n1,2\n3\n"), "a.csv, row 2 (byte 8): 1 fields, but the header has 2");
    assert_eq!(content_error("a,b\n1,2,3\n"), "a.csv, row 1 (byte 4): 3 fields, but the header has 2");
    assert_eq!(
        content_error("a,b\n\"x\ny\",2\n\n3,\"4\",\n"),
        "a.csv, row 2 (byte 13): 3 fields, but the header has 2"
    );
}

#[test]
fn a_quote_that_is_not_closed_does_not_swallow_the_rest() {
    let message = "a.csv, row 2 (byte 8): the file ends inside a quoted field; a closing quote is missing";
    assert_eq!(content_error("a,b\n1,2\n3,\"4\n5,6\n7,8\n"), message);
    assert_eq!(content_error("a,b\n1,2\n\"3,4"), message);
    assert_eq!(
        content_error("a,\"b\n1,2\n"),
        "a.csv, header: the file ends inside a quoted field; a closing quote is missing"
    );
}

#[test]
fn text_that_is_not_utf8() {
    assert_eq!(
        content_error(b"a,b\n1,2\n3,caf\xE9\n"),
        "a.csv, row 2 (byte 8), column \"b\": byte 3 is not UTF-8; data.csv.encoding = \"latin1\" reads ISO-8859-1"
    );
    assert_eq!(
        content_error(b"a,\xFCb\n1,2\n"),
        "a.csv, header, field 2: byte 0 is not UTF-8; data.csv.encoding = \"latin1\" reads ISO-8859-1"
    );
    assert_eq!(
        content_error(b"a,b\n1,2,\xFF\n"),
        "a.csv, row 1 (byte 4), column \"(field 3)\": byte 0 is not UTF-8; data.csv.encoding = \"latin1\" reads ISO-8859-1"
    );
}

#[test]
fn gzip_files_that_are_cut_short() {
    let content: String = "a,b\n".to_owned() + &"1,2\n".repeat(10);
    let whole = gzip(&content);
    assert_eq!(content_error(&whole[..whole.len() - 1]), "a.csv: the gzip file is cut short after row 10");
    for length in 2..whole.len() {
        let message = content_error(&whole[..length]);
        assert!(message.starts_with("a.csv: the gzip file is cut short after row "), "{length}: {message}");
    }
    let two = [gzip("a,b\n1,2\n"), whole[..5].to_vec()].concat();
    assert_eq!(content_error(two), "a.csv: the gzip file is cut short after row 1");
}

#[test]
fn gzip_files_that_are_damaged() {
    let mut checksum = gzip(ROWS);
    let place = checksum.len() - 8;
    checksum[place] ^= 1;
    assert_eq!(
        content_error(checksum),
        "a.csv: the gzip file is damaged after row 2: corrupt gzip stream does not have a matching checksum"
    );
    let trailing = [gzip(ROWS), b"something else that follows".to_vec()].concat();
    assert_eq!(content_error(trailing), "a.csv: the gzip file is damaged after row 2: invalid gzip header");
}

#[test]
fn zstd_files_that_are_cut_short_or_damaged() {
    let content: String = "a,b\n".to_owned() + &"1,2\n".repeat(10);
    let whole = zstd(&content);
    for length in 4..whole.len() {
        let message = content_error(&whole[..length]);
        assert!(message.starts_with("a.csv: the zstd file is cut short after row "), "{length}: {message}");
    }
    let mut checksum = whole.clone();
    *checksum.last_mut().unwrap() ^= 1;
    let message = content_error(checksum);
    assert!(message.starts_with("a.csv: the zstd file is damaged after row "), "{message}");
    let trailing = [whole, b"something else that follows".to_vec()].concat();
    let message = content_error(trailing);
    assert!(message.starts_with("a.csv: the zstd file is damaged after row 10: "), "{message}");
}
