//! What is wrong with a configuration or with data is named, and nothing is left behind.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::ops::ControlFlow;
use std::path::Path;

use fain_prepare::{ErrorKind, PrepareConfig, PrepareError, prepare};

const RULES: &str = r#"
    label = { column = "stars", at_least = 4 }
    history = { max_length = 50 }
    split = { last = { test = 1, validation = 1 } }
"#;

fn parse(log: &str, rest: &str) -> Result<PrepareConfig, toml::de::Error> {
    toml::from_str(&format!("log = {{ {log} }}\n{RULES}\n{rest}"))
}

const LOG: &str = r#"files = "log.csv", user = "user", item = "item", time = "at""#;

/// The message about a configuration that is refused before anything is read.
fn refused(log: &str, rest: &str) -> String {
    let error = parse(log, rest).unwrap().check().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    error.to_string()
}

#[test]
fn a_configuration_is_checked_before_anything_is_read() {
    let cases = [
        (r#"files = [], user = "u", item = "i", time = "t""#, "log.files = []: must be the name of a file"),
        (r#"files = "", user = "u", item = "i", time = "t""#, "log.files = \"\": must be the name of a file"),
        (r#"files = "l", user = "", item = "i", time = "t""#, "log.user = \"\": must be the name of a column"),
        (
            r#"files = "l", user = "i", item = "i", time = "t""#,
            "log.item = \"i\": must be another column than log.user",
        ),
        (r#"files = "l", user = "u", item = "i""#, "log = { … }: must have either time or order; it has none of them"),
        (
            r#"files = "l", user = "u", item = "i", time = "t", order = "o""#,
            "log.order = \"o\": must not stand beside log.time",
        ),
        (
            r#"files = "l", user = "u", item = "i", time = { column = "t", format = "%H:%M" }"#,
            "log.time.format = \"%H:%M\": must be a format of dates as strftime writes it, with day, month and year",
        ),
    ];
    for (log, message) in cases {
        assert_eq!(refused(log, ""), message);
    }
    let cases = [
        (
            r#"only = [{ column = "at" }]"#,
            "log.only[0] = { column = \"at\" }: one of at_least, at_most, equals and any_of is needed",
        ),
        (
            r#"event = { tags = { terms = "|" } }"#,
            "log.event.tags = { terms = \"|\" }: must be \"term\" or \"number\": an event keeps one value, not several",
        ),
        (r#"row = { tags = { terms = "" } }"#, "log.row.tags.terms = \"\": must be the text between two terms"),
        (r#"row = { tag = { first = "|", of = "" } }"#, "log.row.tag.of = \"\": must be the name of a column"),
        (
            r#"csv = { separator = "::", quote = "\"" }"#,
            "log.csv.quote = \"\\\"\": must be empty where log.csv.separator has several characters",
        ),
        (r#"row = { label = "term" }"#, "\"label\": two columns of samples would have this name"),
        (r#"row = { at = "number" }"#, "\"at\": two columns of samples would have this name"),
    ];
    for (more, message) in cases {
        assert_eq!(refused(&format!("{LOG}, {more}"), ""), message);
    }
    let items = "items = { files = \"items.csv\", key = \"\", columns = {} }";
    assert_eq!(refused(LOG, items), "items.key = \"\": must be the name of a column");
}

#[test]
fn a_table_has_files_and_a_key_or_neither() {
    let alone = "must stand beside items.files; without these, the columns are those of the log";
    let cases = [
        ("columns = {}", "items.columns = {}: must name at least one column of the log".to_owned()),
        (
            r#"files = "i", columns = {}"#,
            "items = { … }: must have a key beside files: the column of the user or item".to_owned(),
        ),
        (r#"key = "k", columns = { kind = "term" }"#, format!("items.key = \"k\": {alone}")),
        (r#"csv = { separator = ";" }, columns = { kind = "term" }"#, format!("items.csv = {{ … }}: {alone}")),
        (
            r#"columns = { kind = { terms = "" } }"#,
            "items.columns.kind.terms = \"\": must be the text between two terms".to_owned(),
        ),
    ];
    for (items, message) in cases {
        assert_eq!(refused(LOG, &format!("items = {{ {items} }}")), message);
    }
}

#[test]
fn what_nobody_knows_is_refused_by_name() {
    let message = |log: &str, rest: &str| parse(log, rest).unwrap_err().message().to_owned();
    assert!(message(&format!("{LOG}, usr = \"u\""), "").starts_with("unknown field `usr`"));
    assert!(message(LOG, "lable = 1").starts_with("unknown field `lable`"));
    let kinds = "a kind is needed: \"term\", \"number\", { terms = SEPARATOR } or { first = SEPARATOR, of = COLUMN }";
    for kind in ["\"text\"", "{ terms = \"|\", of = \"a\" }", "{ first = \"|\" }", "7"] {
        assert_eq!(message(&format!("{LOG}, row = {{ a = {kind} }}"), ""), kinds);
    }
    assert_eq!(
        message(&LOG.replace("\"at\"", "7"), ""),
        "the name of a column, or { column = NAME, format = DATE FORMAT }, is needed"
    );
}

#[test]
fn a_configuration_is_written_as_it_is_read() {
    let log = format!(
        "{}, only = [{{ column = \"stars\", any_of = [1, \"x\"] }}], row = {{ a = \"term\", b = {{ terms = \";\" }} }}",
        LOG.replace("\"log.csv\"", "[\"a\", \"b*\"]").replace("\"at\"", "{ column = \"at\", format = \"%Y-%m-%d\" }")
    );
    let items =
        "items = { files = \"i\", key = \"k\", columns = { g = { first = \"|\", of = \"h\" }, p = \"number\" } }";
    let config = parse(&log, items).unwrap();
    config.check().unwrap();
    assert_eq!(toml::from_str::<PrepareConfig>(&toml::to_string(&config).unwrap()).unwrap(), config);
}

/// The error of a log with these rows, its kind, and whether the folder is as it was.
fn fails(rows: &str, more: &str, rest: &str, files: &[(&str, &str)]) -> (String, ErrorKind) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    std::fs::write(root.join("log.csv"), format!("user,item,at,stars\n{rows}")).unwrap();
    for (name, text) in files {
        std::fs::write(root.join(name), text).unwrap();
    }
    let config = PrepareConfig { root: root.to_owned(), ..parse(&format!("{LOG}{more}"), rest).unwrap() };
    let error = prepare(&config, &root.join("samples"), &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert_eq!(std::fs::read_dir(root).unwrap().count(), 1 + files.len(), "something is left");
    (error.to_string().replace(&format!("{}/", root.display()), ""), error.kind())
}

#[test]
fn wrong_data_is_named_by_file_row_byte_column_and_value() {
    let good = "u,a,1,5\nu,b,2,5\nu,c,3,5\n";
    let cases = [
        (
            format!("{good},d,4,5\n"),
            "log.csv, row 4 (byte 43), column \"user\": \"\" is not a user: the field is empty",
        ),
        (
            format!("{good}u,,4,5\n"),
            "log.csv, row 4 (byte 43), column \"item\": \"\" is not an item: the field is empty",
        ),
        (
            format!("{good}u,d,noon,5\n"),
            "log.csv, row 4 (byte 43), column \"at\": \"noon\" is not an integer of 64 bits",
        ),
        (format!("{good}u,d,4,good\n"), "log.csv, row 4 (byte 43), column \"stars\": \"good\" is not a number"),
        (format!("{good}u,d,4\n"), "log.csv, row 4 (byte 43): 3 fields, but the header has 4"),
    ];
    for (rows, message) in cases {
        assert_eq!(fails(&rows, "", "", &[]), (message.to_owned(), ErrorKind::Data));
    }
    let missing = "log.csv: no column \"day\", which log.row.day names; the header has: user, item, at, stars";
    assert_eq!(fails(good, ", row = { day = \"term\" }", "", &[]), (missing.to_owned(), ErrorKind::Data));
}

#[test]
fn wrong_tables_of_items_are_named() {
    let good = "u,a,1,5\nu,b,2,5\nu,c,3,5\n";
    let items = "items = { files = \"items.csv\", key = \"id\", columns = { price = \"number\" } }";
    let cases = [
        (
            "id,price\na,1\nb,2\na,3\n",
            "items.csv, row 3 (byte 17), column \"id\": \"a\" is not new: an earlier row has this key",
        ),
        ("id,price\n,1\n", "items.csv, row 1 (byte 9), column \"id\": \"\" is not a key: the field is empty"),
        (
            "id,price\na,dear\n",
            "items.csv, row 1 (byte 9), column \"price\": \"dear\" is not a finite number within the range of 32-bit \
             floats, or empty",
        ),
        ("id,cost\na,1\n", "items.csv: no column \"price\", which items.columns.price names; the header has: id, cost"),
    ];
    for (text, message) in cases {
        assert_eq!(fails(good, "", items, &[("items.csv", text)]), (message.to_owned(), ErrorKind::Data));
    }
    assert_eq!(fails(good, "", items, &[]).1, ErrorKind::Data);
}

#[test]
fn a_log_that_gives_no_sample_is_an_error() {
    let long = "history = { max_length = 9, min_length = 9 }";
    let rules = RULES.replace("history = { max_length = 50 }", long);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("log.csv"), "user,item,at,stars\nu,a,1,5\nu,b,2,5\nu,c,-3,5\n").unwrap();
    let only = "only = [{ column = \"at\", at_least = 0 }]";
    let config: PrepareConfig = toml::from_str(&format!("log = {{ {LOG}, {only} }}\n{rules}")).unwrap();
    let config = PrepareConfig { root: folder.path().to_owned(), ..config };
    let error = prepare(&config, &folder.path().join("samples"), &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the log gives no sample: 2 of its 3 rows fulfil log.only, and history.min_length is 9"
    );
    assert_eq!(error.kind(), ErrorKind::Data);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn keys_that_a_table_lacks_are_counted_and_have_missing_values() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    std::fs::write(root.join("log.csv"), "user,item,at,stars\nu,a,1,5\nu,b,2,5\nv,c,3,5\nv,a,4,5\n").unwrap();
    std::fs::write(root.join("items.csv"), "id,price\na,1\nz,2\n").unwrap();
    let items = "items = { files = \"items.csv\", key = \"id\", columns = { price = \"number\" } }";
    let config = PrepareConfig { root: root.to_owned(), ..parse(LOG, items).unwrap() };
    let prepared = prepare(&config, &root.join("samples"), &mut |_| ControlFlow::Continue(())).unwrap();
    let summary = prepared.summary;
    assert_eq!((summary.rows, summary.undescribed_users, summary.undescribed_items), (4, 0, 2));
    let fain_samples::StoredColumn::Number(prices) = &prepared.samples.items().columns[0] else { panic!("no prices") };
    let prices: Vec<f64> = (0..4).map(|row| prices.at(row)).collect();
    assert_eq!(prices[..2], [1.0, 2.0]);
    assert!(prices[2].is_nan() && prices[3].is_nan());
}

/// A disk that takes no more: the system lets this test's child write files of 4 KiB at most.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_nothing() {
    const FOLDER: &str = "FAIN_TEST_FULL_DISK";
    if let Some(root) = std::env::var_os(FOLDER) {
        let root = Path::new(&root);
        let config = PrepareConfig { root: root.to_owned(), ..parse(LOG, "").unwrap() };
        let error = prepare(&config, &root.join("samples"), &mut |_| ControlFlow::Continue(())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Work);
        assert!(matches!(error, PrepareError::Samples(_) | PrepareError::Storage(_)), "{error}");
        assert!(error.to_string().starts_with("cannot write "), "{error}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let rows: String =
        (0..5000).flat_map(|row| ["u".to_owned(), (row % 9).to_string(), format!(",i{row},{row},5\n")]).collect();
    std::fs::write(folder.path().join("log.csv"), format!("user,item,at,stars\n{rows}")).unwrap();
    let child = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" --exact a_full_disk_leaves_nothing"])
        .arg(std::env::current_exe().unwrap())
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
    let left = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.collect::<Vec<_>>(), ["log.csv"]);
}
