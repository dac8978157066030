//! A log of many blocks, which several threads read side by side.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

use fain_prepare::{PrepareConfig, PrepareError, Prepared, prepare};
use fain_samples::{Field, StoredColumn, TermTable};

const CONFIG: &str = r#"
    log = { files = ["a.csv", "b.csv"], user = "user", item = "item", time = "time", row = { tags = { terms = "|" } }, event = { stars = "number", device = "term" } }
    items = { columns = { kind = "term" } }
    label = { followed_by = { column = "device", equals = "click", within = 5000 } }
    samples = { from = { column = "device", any_of = ["d0", "d1"] } }
    history = { events = "all", max_length = 5 }
    split = { hash = { of = ["user", "item"], validation = 0.1, test = 0.1 } }
"#;

/// Rows of each file: some blocks, the last of which are not full.
const ROWS: [u64; 2] = [21_000, 9_001];

fn user(row: u64) -> u64 {
    row * row % 701
}

fn item(row: u64) -> u64 {
    row * 7 % 911 + row / 3000
}

/// Only every third row says it.
fn kind(row: u64) -> String {
    if row.is_multiple_of(3) { format!("k{}", item(row) % 13 + u64::from(row > 29_000)) } else { String::new() }
}

/// Writes the log; `wrong` names rows of the first file whose time is none.
fn write(root: &Path, wrong: &[u64]) {
    let mut row = 0;
    for (name, count) in ["a.csv", "b.csv"].into_iter().zip(ROWS) {
        let mut text = "user,item,time,stars,device,tags,kind\n".to_owned();
        for _ in 0..count {
            let time = if wrong.contains(&(row + 1)) { "soon".to_owned() } else { (row * 31 % 9000).to_string() };
            let device = if row.is_multiple_of(4) { "click".to_owned() } else { format!("d{}", row % 3) };
            let tags = vec![format!("t{}", row % 17); row as usize % 3].join("|");
            writeln!(text, "u{},i{},{time},{},{device},{tags},{}", user(row), item(row), row % 5, kind(row)).unwrap();
            row += 1;
        }
        std::fs::write(root.join(name), text).unwrap();
    }
}

fn run(root: &Path, threads: usize) -> Result<Prepared, PrepareError> {
    let config = PrepareConfig { root: root.to_owned(), ..toml::from_str(CONFIG).unwrap() };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| prepare(&config, &root.join(format!("samples-{threads}")), &mut |_| ControlFlow::Continue(())))
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push((path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()));
        }
    }
    files.sort();
    files
}

/// Workers that reorder rows: the folder is the same, byte for byte, for any number of threads.
#[test]
fn trap_10_threads_reorder_no_row_of_a_long_log() {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), &[]);
    let one = run(place.path(), 1).unwrap();
    for threads in [2, 5] {
        let many = run(place.path(), threads).unwrap();
        assert_eq!(many.summary, one.summary);
        assert!(files(many.samples.folder()) == files(one.samples.folder()), "{threads} threads");
    }
    // Texts are numbered in the order of the log, over all blocks and files.
    let all = || 0..ROWS.iter().sum::<u64>();
    let first = |texts: Vec<String>| {
        let mut known = std::collections::HashSet::new();
        texts.into_iter().filter(|text| known.insert(text.clone())).collect::<Vec<_>>()
    };
    let keys = |table| one.samples.terms(table).unwrap().iter().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(keys(TermTable::User(Field::Key)), first(all().map(|row| format!("u{}", user(row))).collect()));
    let items = first(all().map(|row| format!("i{}", item(row))).collect());
    assert_eq!(keys(TermTable::Item(Field::Key)), items);
    // The kind of an item is that of the first row that says one.
    let StoredColumn::Term(codes) = &one.samples.items().columns[0] else { unreachable!("the kind is a term") };
    let kinds = keys(TermTable::Item(Field::Column(0)));
    let mut contradicted = 0;
    for (key, code) in items.iter().zip(codes.slices().flatten()) {
        let said: Vec<String> =
            all().filter(|row| format!("i{}", item(*row)) == *key).map(kind).filter(|kind| !kind.is_empty()).collect();
        assert_eq!(kinds[*code as usize], said.first().cloned().unwrap_or_default(), "{key}");
        contradicted += u64::from(said.iter().any(|kind| *kind != said[0]));
    }
    assert_eq!(one.summary.contradicted_items, contradicted);
    assert!(contradicted > 0);
    let rows: Vec<u64> = one.samples.manifest().sources.iter().map(|source| source.rows).collect();
    assert_eq!((rows, one.summary.rows), (ROWS.to_vec(), 30_001));
}

#[test]
fn the_first_wrong_row_is_named_by_any_number_of_threads() {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), &[4_097, 12_000, 20_999]);
    let message = |threads| run(place.path(), threads).unwrap_err().to_string();
    let one = message(1);
    assert!(one.contains("row 4097") && one.contains("\"soon\""), "{one}");
    assert_eq!(message(3), one);
    // A line that cannot be read comes behind a row that is wrong before it, and before one that is wrong behind it.
    write(place.path(), &[20_500]);
    let path = place.path().join("a.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    let cut = |at: usize| {
        let lines: Vec<&str> = text.lines().collect();
        let lines = [&lines[..at], &["too,few"], &lines[at..]].concat();
        std::fs::write(&path, lines.join("\n")).unwrap();
        [message(1), message(4)]
    };
    for found in cut(20_800) {
        assert!(found.contains("\"soon\""), "{found}");
    }
    for found in cut(9_000) {
        assert!(!found.contains("\"soon\"") && found.contains("9000"), "{found}");
    }
}
