//! Files that are written otherwise, as the settings say.

use std::path::Path;

use fain_tables::{CsvConfig, Encoding, TableReader};

use crate::files::{TestFile, read_table};

fn movielens(columns: &[&str]) -> CsvConfig {
    CsvConfig {
        separator: "::".to_owned(),
        quote: String::new(),
        encoding: Encoding::Latin1,
        columns: Some(columns.iter().map(|&name| name.to_owned()).collect()),
    }
}

fn error(content: &str, config: &CsvConfig) -> String {
    let file = TestFile::new("a.dat", content);
    file.message(&read_table(file.path(), config).unwrap_err())
}

#[test]
fn files_of_movielens() {
    let ratings = movielens(&["userId", "movieId", "rating", "timestamp"]);
    let file = TestFile::new("ratings.dat", "1::1193::5::978300760\n1::661::3::978302109\n");
    assert_eq!(
        read_table(file.path(), &ratings).unwrap(),
        [["userId", "movieId", "rating", "timestamp"], ["1", "1193", "5", "978300760"], ["1", "661", "3", "978302109"]]
    );
    let movies = movielens(&["movieId", "title", "genres"]);
    let file = TestFile::new("movies.dat", b"73::Mis\xE9rables, Les (1995)::Drama|Musical\r\n2::\"Hi: there\"::Comedy");
    assert_eq!(
        read_table(file.path(), &movies).unwrap(),
        [
            ["movieId", "title", "genres"],
            ["73", "Misérables, Les (1995)", "Drama|Musical"],
            ["2", "\"Hi: there\"", "Comedy"]
        ]
    );
}

#[test]
fn separators_of_several_characters_are_searched_from_the_left() {
    let columns = movielens(&["a", "b"]);
    assert_eq!(read_table(TestFile::new("a", "x:::y\n::\n").path(), &columns).unwrap()[1..], [["x", ":y"], ["", ""]]);
}

#[test]
fn without_a_header_the_first_line_is_a_row() {
    let columns = movielens(&["a", "b"]);
    assert_eq!(read_table(TestFile::new("a", "").path(), &columns).unwrap(), [["a", "b"]]);
    assert_eq!(error("1::2\n3::4::5\n", &columns), "a.dat, row 2 (byte 5): 3 fields, but data.csv.columns names 2");
}

#[test]
fn bytes_count_the_decompressed_text() {
    // The byte order mark, blank lines, and é in one byte.
    let config = CsvConfig { encoding: Encoding::Latin1, ..CsvConfig::default() };
    let file = TestFile::new("a.csv", b"\n\r\na,b\n\xE9,1\n\n2\n");
    let error = read_table(file.path(), &config).unwrap_err();
    assert_eq!(file.message(&error), "a.csv, row 2 (byte 12): 1 fields, but the header has 2");
    assert_eq!(
        self::error("\u{FEFF}a,b\n\"1\n\",2\n3\n", &CsvConfig::default()),
        "a.dat, row 2 (byte 14): 1 fields, but the header has 2"
    );
}

#[test]
fn halves_of_a_character_in_two_fields_are_no_text() {
    for content in
        [&b"a,b\n\xC3,\xA9\n"[..], b"a,b\n\"\xC3\",\"\xA9\"\n", b"a,b\n1,\xC3\n\xA9,2\n", b"a,b\n1,\xC3\r\n\xA9,2\n"]
    {
        let file = TestFile::new("a.csv", content);
        let message = file.message(&read_table(file.path(), &CsvConfig::default()).unwrap_err());
        assert!(message.starts_with("a.csv, row 1 (byte 4), column \""), "{message}");
        assert!(message.contains("byte 0 is not UTF-8"), "{message}");
    }
}

#[test]
fn rows_before_wrong_text_are_read() {
    let mut content = "a,b\n".to_owned() + &"1,2\n".repeat(5000);
    content.push_str("3,caf");
    let mut bytes = content.into_bytes();
    bytes.extend_from_slice(b"\xE9\n4\n");
    let file = TestFile::new("a.csv", bytes);
    let mut table = TableReader::open(file.path(), &CsvConfig::default()).unwrap();
    let mut record = fain_tables::Record::new();
    for row in 1..=5000 {
        assert!(table.read(&mut record).unwrap());
        assert_eq!((record.row(), record.get(1)), (row, "2"));
    }
    let error = table.read(&mut record).unwrap_err();
    assert_eq!(
        file.message(&error),
        "a.csv, row 5001 (byte 20004), column \"b\": byte 3 is not UTF-8; data.csv.encoding = \"latin1\" reads ISO-8859-1"
    );
    assert!(!table.read(&mut record).unwrap(), "after an error there are no more rows");
}

#[test]
fn a_row_without_end_is_refused() {
    let mut content = b"a,b\n1,\"".to_vec();
    content.resize(65 * 1024 * 1024, b'x');
    let file = TestFile::new("a.csv", content);
    let error = read_table(file.path(), &CsvConfig::default()).unwrap_err();
    assert_eq!(
        file.message(&error),
        "a.csv, row 1 (byte 4): more than 67108864 bytes without an end; a closing quote or a line break is missing"
    );
}

#[test]
fn settings_that_cannot_be() {
    let check = |config: &CsvConfig| config.check("log.csv").unwrap_err().to_string();
    let csv = CsvConfig::default();
    assert_eq!(
        check(&CsvConfig { separator: "::".to_owned(), ..csv.clone() }),
        "log.csv.quote = \"\\\"\": must be empty where log.csv.separator has several characters"
    );
    assert_eq!(
        check(&CsvConfig { separator: String::new(), ..csv.clone() }),
        "log.csv.separator = \"\": ASCII characters other than line breaks are needed, mostly one"
    );
    assert_eq!(
        check(&CsvConfig { quote: "''".to_owned(), ..csv.clone() }),
        "log.csv.quote = \"''\": one ASCII character other than a line break is needed, or none"
    );
    assert_eq!(
        check(&CsvConfig { columns: Some(Vec::new()), ..csv.clone() }),
        "log.csv.columns = []: at least one name is needed"
    );
    let names = ["a", "b", "a"].map(str::to_owned).to_vec();
    assert_eq!(
        check(&CsvConfig { columns: Some(names), ..csv }),
        "log.csv.columns = [\"a\", \"b\", \"a\"]: \"a\" stands there twice; every column needs a name of its own"
    );
    let wrong = CsvConfig { separator: "ü".to_owned(), ..CsvConfig::default() };
    assert!(
        TableReader::open(Path::new("no/such.csv"), &wrong).unwrap_err().to_string().starts_with("data.csv.separator")
    );
}
