//! MovieLens-1M: the samples are those of a table made elsewhere, row by row.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

use fain_prepare::{PrepareConfig, prepare};
use fain_samples::{Field, Part, SamplesFolder, StoredColumn, TermTable};
use fain_tables::{CsvConfig, Record, TableReader};

/// The same rules as in the table: a rating of 4 or more is a positive, the order is `seq`, ratings without one do not
/// count, a history has the last 50 positives, an empty one is left out, the last 10 ratings of a user are the test.
/// Validation, which the table does not part from training, comes from a share of the users.
const RULES: &str = r#"
    label = { column = "rating", at_least = 4 }
    history = { max_length = 50, min_length = 1 }
    split = { last = { test = 10, validation = { share = 0.1, seed = 1 } } }
    [log]
    files = "ratings*.csv*"
    user = "userId"
    item = "movieId"
    order = "seq"
    only = [{ column = "seq", at_least = 0 }]
    [users]
    files = "users.dat"
    csv = { separator = "::", columns = ["userId", "gender", "age", "occupation", "zipCode"] }
    key = "userId"
    columns = { gender = "term", age = "number", occupation = "term", zipCode = "term" }
    [items]
    files = "movies.dat"
    csv = { separator = "::", encoding = "latin1", columns = ["movieId", "title", "genres"] }
    key = "movieId"
    columns = { title = "term", genres = { terms = "|" }, genre = { first = "|", of = "genres" } }
"#;

fn config(root: &Path) -> PrepareConfig {
    PrepareConfig { root: root.to_owned(), ..toml::from_str(RULES).unwrap() }
}

fn samples(root: &Path, output: &Path) -> SamplesFolder {
    let prepared = prepare(&config(root), output, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((prepared.summary.undescribed_users, prepared.summary.undescribed_items), (0, 0));
    prepared.samples
}

/// One sample as the table has it.
struct Line<'a> {
    folder: &'a SamplesFolder,
    part: Part,
    row: u64,
}

impl Line<'_> {
    fn text(&self, table: TermTable, code: u32) -> &str {
        self.folder.terms(table).unwrap().get(u64::from(code)).unwrap()
    }

    fn user(&self) -> u32 {
        self.folder.rows(self.part).users.at(self.row)
    }

    fn user_text(&self, column: usize) -> &str {
        let StoredColumn::Term(codes) = &self.folder.users().columns[column] else { panic!("column {column}") };
        self.text(TermTable::User(Field::Column(column)), codes.at(u64::from(self.user())))
    }

    fn age(&self) -> f64 {
        let StoredColumn::Number(ages) = &self.folder.users().columns[1] else { panic!("no ages") };
        ages.at(u64::from(self.user()))
    }

    fn genres(&self) -> String {
        let StoredColumn::Terms(lists) = &self.folder.items().columns[1] else { panic!("no genres") };
        let item = self.folder.rows(self.part).items.at(self.row);
        let genres = lists.list(u64::from(item)).iter();
        genres.map(|code| self.text(TermTable::Item(Field::Column(1)), *code)).collect::<Vec<_>>().join("|")
    }

    fn history(&self) -> String {
        let end = self.folder.rows(self.part).history_ends.at(self.row);
        let items = self.folder.history(self.user(), end).map(|row| self.folder.events().items.at(row));
        items.map(|item| self.text(TermTable::Item(Field::Key), item)).collect::<Vec<_>>().join("|")
    }
}

/// Compares all rows of a table with the samples, which must be in one of the parts; returns how many there are.
fn compare(folder: &SamplesFolder, table: &Path, parts: &[Part]) -> u64 {
    let mut places: HashMap<(String, String), (Part, u64)> = HashMap::new();
    for part in parts {
        let rows = folder.rows(*part);
        for row in 0..rows.rows {
            let line = Line { folder, part: *part, row };
            let user = line.text(TermTable::User(Field::Key), rows.users.at(row)).to_owned();
            let item = line.text(TermTable::Item(Field::Key), rows.items.at(row)).to_owned();
            assert!(places.insert((user, item), (*part, row)).is_none());
        }
    }
    let mut table = TableReader::open(table, &CsvConfig::default()).unwrap();
    let place = |column: &str| table.header().iter().position(|name| name == column).unwrap();
    let columns =
        ["label", "userId", "movieId", "gender", "age", "occupation", "zipCode", "genres", "histHighRatedMovieIds"];
    let [label, user, item, gender, age, occupation, zip, genres, history] = columns.map(place);
    let mut record = Record::new();
    let mut rows = 0;
    while table.read(&mut record).unwrap() {
        let key = (record.get(user).to_owned(), record.get(item).to_owned());
        let (part, row) = places.remove(&key).unwrap_or_else(|| panic!("no sample of {key:?}"));
        let line = Line { folder, part, row };
        assert_eq!(folder.rows(part).labels.at(row).to_string(), record.get(label), "the label of {key:?}");
        assert_eq!(line.history(), record.get(history), "the history of {key:?}");
        assert_eq!(line.genres(), record.get(genres), "the genres of {key:?}");
        assert_eq!(line.age().to_string(), record.get(age), "the age of {key:?}");
        let texts = [line.user_text(0), line.user_text(2), line.user_text(3)];
        assert_eq!(texts, [record.get(gender), record.get(occupation), record.get(zip)], "the user of {key:?}");
        rows += 1;
    }
    assert_eq!(places.len(), 0, "samples that the table does not have");
    rows
}

/// Bytes of all files of a folder.
fn bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| if entry.path().is_dir() { bytes(&entry.path()) } else { entry.metadata().unwrap().len() })
        .sum()
}

/// What history columns in line would take: the movies and as many negatives, 4 bytes each.
fn inline_bytes(folder: &SamplesFolder) -> u64 {
    let length = |part, row| {
        let rows = folder.rows(part);
        folder.history(rows.users.at(row), rows.history_ends.at(row)).count() as u64
    };
    let of_part = |part| (0..folder.rows(part).rows).map(|row| length(part, row)).sum::<u64>();
    8 * Part::ALL.map(of_part).iter().sum::<u64>()
}

/// The real files where `FAIN_DATA` names their folder, which has `ml1m` (the ratings with their order, users and
/// movies as published) and `ml1m_ctr` (the table). Else invented rows in their format.
#[test]
fn samples_of_movielens_are_those_of_the_table() {
    let output = tempfile::tempdir().unwrap();
    let data = match std::env::var_os("FAIN_DATA") {
        Some(data) => data.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/invented"),
    };
    let folder = samples(&data.join("ml1m"), &output.path().join("samples"));
    let table = |name: &str| {
        let compressed = data.join(format!("ml1m_ctr/{name}.csv.gz"));
        if compressed.exists() { compressed } else { data.join(format!("ml1m_ctr/{name}.csv")) }
    };
    let train = compare(&folder, &table("train"), &[Part::Train, Part::Validation]);
    let test = compare(&folder, &table("test"), &[Part::Test]);
    if std::env::var_os("FAIN_DATA").is_some() {
        assert!(train > 900_000 && test > 50_000, "{train} and {test} rows");
        let (stored, inline) = (bytes(folder.folder()), inline_bytes(&folder));
        assert!(stored * 15 <= inline, "{stored} bytes stored, {inline} in line");
    } else {
        assert_eq!((train, test), (5, 20));
    }
}
