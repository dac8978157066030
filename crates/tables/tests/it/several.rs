//! Several files as one table, and some of their columns.

use fain_tables::{CsvConfig, Record, Rows, TableError, TablePlan, TableReader, WantedColumn};

use crate::files::{TestFolder, gzip, zstd};

fn open(folder: &TestFolder, names: &[&str], plan: &TablePlan<'_>) -> Result<TableReader, TableError> {
    let files: Vec<_> = names.iter().map(|name| folder.file(name)).collect();
    TableReader::open_all(&files, plan)
}

fn refused(folder: &TestFolder, names: &[&str], plan: &TablePlan<'_>) -> String {
    folder.message(&open(folder, names, plan).unwrap_err())
}

#[test]
fn files_are_read_one_after_the_other() {
    let (first, second) = (gzip("a,b\n1,2\n3,4\n"), zstd("a,b\n7,8\n"));
    let folder = TestFolder::new(&[("1", &first), ("2", b"a,b\n"), ("3", b"a,b\n5,6\n"), ("4", &second)]);
    let csv = CsvConfig::default();
    let mut table = open(&folder, &["1", "2", "3", "4"], &TablePlan::new(&csv)).unwrap();
    let mut record = Record::new();
    let mut rows = Vec::new();
    while table.read(&mut record).unwrap() {
        let file = record.file().file_name().unwrap().to_str().unwrap().to_owned();
        rows.push((file, record.row(), record.get(0).to_owned(), record.get(1).to_owned()));
    }
    let row = |file: &str, row, a: &str, b: &str| (file.to_owned(), row, a.to_owned(), b.to_owned());
    assert_eq!(rows, [row("1", 1, "1", "2"), row("1", 2, "3", "4"), row("3", 1, "5", "6"), row("4", 1, "7", "8")]);
    assert_eq!(table.bytes_read(), table.bytes_total());
    assert_eq!(table.bytes_total(), (first.len() + 4 + 8 + second.len()) as u64);
    let wrong = record.wrong("b", 1, "odd");
    assert_eq!(folder.message(&wrong), "4, row 1 (byte 4), column \"b\": \"8\" is not odd");
}

#[test]
fn rows_come_in_blocks() {
    let content = "a\n".to_owned() + &(0..10_000).map(|row| row.to_string() + "\n").collect::<String>();
    let folder = TestFolder::new(&[("1", content.as_bytes()), ("2", b"a\n10000\n")]);
    let csv = CsvConfig::default();
    let mut table = open(&folder, &["1", "2"], &TablePlan::new(&csv)).unwrap();
    let mut record = Record::new();
    assert!(table.read(&mut record).unwrap(), "a row by itself before");
    let mut rows = Rows::new();
    let mut next = 1;
    while table.read_rows(&mut rows).unwrap() {
        assert!(!rows.is_empty() && rows.len() <= 4096, "{} rows", rows.len());
        assert_eq!(rows.iter().len(), rows.len());
        for record in rows.iter() {
            assert_eq!(record.get(0), next.to_string());
            assert_eq!(record.file(), rows.file());
            next += 1;
        }
    }
    assert_eq!(next, 10_001);
    assert!(rows.is_empty());
    assert_eq!(record.get(0), "0", "a record keeps its row");
}

#[test]
fn files_need_the_same_columns_in_the_same_order() {
    let folder = TestFolder::new(&[("1", b"a,b\n1,2\n"), ("2", b"b,a\n1,2\n"), ("3", b"a\n1\n"), ("4", b"")]);
    let csv = CsvConfig::default();
    let plan = TablePlan::new(&csv);
    let rest = "files that are read as one table need the same columns in the same order";
    let message = refused(&folder, &["1", "2"], &plan);
    assert_eq!(message, format!("2: the columns are b, a, but those of 1 are a, b; {rest}"));
    assert!(refused(&folder, &["1", "1", "3"], &plan).starts_with("3: the columns are a, but those of 1 are a, b; "));
    assert_eq!(refused(&folder, &["1", "4"], &plan), "4: the file is empty; its first line must be a header");
    assert!(refused(&folder, &["1", "5"], &plan).starts_with("5: cannot be opened: No such file"));
    assert_eq!(refused(&folder, &[], &plan), "files = []: at least one file is needed");
}

#[test]
fn errors_name_the_file_and_the_settings() {
    let folder = TestFolder::new(&[("1", b"a,b\n1,2\n"), ("2", b"a,b\n1,2\n3\n"), ("3", b"a,b\n1,\xFF\n")]);
    let csv = CsvConfig::default();
    let plan = TablePlan { csv_key: "log.csv", ..TablePlan::new(&csv) };
    let error = |names: &[&str]| {
        let mut table = open(&folder, names, &plan).unwrap();
        let mut record = Record::new();
        loop {
            match table.read(&mut record) {
                Ok(more) => assert!(more, "no error"),
                Err(error) => break folder.message(&error),
            }
        }
    };
    assert_eq!(error(&["1", "2"]), "2, row 2 (byte 8): 1 fields, but the header has 2");
    assert_eq!(
        error(&["1", "3"]),
        "3, row 1 (byte 4), column \"b\": byte 0 is not UTF-8; log.csv.encoding = \"latin1\" reads ISO-8859-1"
    );
    let wrong = CsvConfig { quote: "ab".to_owned(), ..CsvConfig::default() };
    let plan = TablePlan { csv: &wrong, ..plan };
    assert!(refused(&folder, &["1"], &plan).starts_with("log.csv.quote = \"ab\": "));
}

#[test]
fn wanted_columns_come_in_their_order() {
    let folder = TestFolder::new(&[("1", b"a,b,c,b\n1,2,3,4\n\"5\",6,\"7\",8\n"), ("2", b"a,b,c,b\n1,\xFF,3,4\n")]);
    let csv = CsvConfig::default();
    let column = |name, key| WantedColumn { name, key };
    let wanted = [column("c", "log.item"), column("a", "log.user"), column("c", "log.row.c")];
    let plan = TablePlan { columns: Some(&wanted), ..TablePlan::new(&csv) };
    let mut table = open(&folder, &["1"], &plan).unwrap();
    assert_eq!(table.header(), ["c", "a", "c"]);
    let mut rows = Vec::new();
    let mut record = Record::new();
    while table.read(&mut record).unwrap() {
        rows.push([0, 1, 2].map(|place| record.get(place).to_owned()));
        assert_eq!((record.len(), record.get(3)), (3, ""));
    }
    assert_eq!(rows, [["3", "1", "3"], ["7", "5", "7"]]);

    let refused = |name| {
        let wanted = [column(name, "log.user")];
        refused(&folder, &["1"], &TablePlan { columns: Some(&wanted), ..TablePlan::new(&csv) })
    };
    assert_eq!(refused("d"), "1: no column \"d\", which log.user names; the header has: a, b, c, b");
    assert_eq!(refused("b"), "1: the header has the column \"b\", which log.user names, 2 times");

    // All text of a file is checked, whichever columns are wanted.
    let mut table = open(&folder, &["2"], &plan).unwrap();
    let message = folder.message(&table.read(&mut record).unwrap_err());
    assert!(message.starts_with("2, row 1 (byte 8), column \"b\": byte 0 is not UTF-8"), "{message}");
}
