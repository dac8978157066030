//! CSV with histories in line.

use fain_samples::{
    Content, CsvExport, ErrorKind, Field, Logical, LogicalColumn, Part, Past, Place, SamplesFolder, Values, write_csv,
};
use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq, proptest};

use crate::star::{Shape, Star, stars};
use crate::support::{FULL, Written};

fn csv(folder: &SamplesFolder, part: Part) -> (u64, Vec<Vec<String>>) {
    let mut out = Vec::new();
    let lines = write_csv(folder, part, &mut out, &CsvExport::default()).unwrap();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(out.as_slice());
    let line = |record: csv::StringRecord| record.iter().map(str::to_owned).collect();
    (lines, reader.records().map(|record| line(record.unwrap())).collect())
}

/// What a value of a column looks like.
fn single(star: &Star, column: &LogicalColumn, values: &Values, row: usize) -> String {
    let table = column.meaning.term_table(&star.layout);
    match values {
        Values::Term(codes) => star.text(table.unwrap(), codes[row]).to_owned(),
        Values::Number(numbers) if numbers[row].is_nan() => String::new(),
        Values::Number(numbers) => numbers[row].to_string(),
        Values::Terms(lists) => {
            let list = lists.get(row).unwrap().iter().map(|code| star.text(table.unwrap(), *code));
            list.collect::<Vec<_>>().join("|")
        }
    }
}

/// What a stored row looks like in a column; `None` for negatives, which are drawn.
fn expected(star: &Star, part: Part, column: &LogicalColumn, row: usize) -> Option<String> {
    let rows = star.rows.get(part);
    let (user, item) = (rows.users[row] as usize, rows.items[row] as usize);
    let end = rows.history_ends[row] as usize;
    let start = star.users.events_starts[user] as usize;
    let start = start.max(end.saturating_sub(star.layout.max_length as usize));
    let join = |text: &dyn Fn(usize) -> String| (start..end).map(text).collect::<Vec<_>>().join("|");
    let of = |field: Field, place: Place, row: usize| match field {
        Field::Key => star.text(column.meaning.term_table(&star.layout).unwrap(), row as u32).to_owned(),
        Field::Column(number) => single(star, column, &star.columns(place)[number], row),
    };
    Some(match column.meaning {
        Logical::Label => rows.labels[row].to_string(),
        Logical::Time => rows.times[row].to_string(),
        Logical::Row(number) => single(star, column, &rows.columns[number], row),
        Logical::User(field) => of(field, Place::User, user),
        Logical::Item(field) => of(field, Place::Item, item),
        Logical::History(Past::Item(field)) => join(&|event| of(field, Place::Item, star.events.items[event] as usize)),
        Logical::History(Past::Time) => join(&|event| star.events.times[event].to_string()),
        Logical::History(Past::Event(number)) => {
            join(&|event| single(star, column, &star.columns(Place::Event)[number], event))
        }
        Logical::Negative(_) => return None,
    })
}

/// Whether a row has a list of one missing value, which cannot be written.
fn unwritable(star: &Star) -> bool {
    let folder = Written::new(star).open();
    Part::ALL.into_iter().any(|part| write_csv(&folder, part, std::io::sink(), &CsvExport::default()).is_err())
}

/// Numbers and terms that are there everywhere.
fn without_missing(mut star: Star) -> Star {
    let there = |values: &mut Vec<Values>| {
        for column in values {
            match column {
                Values::Term(codes) => codes.iter_mut().filter(|code| **code == 0).for_each(|code| *code = 1),
                Values::Number(numbers) => {
                    numbers.iter_mut().filter(|number| number.is_nan()).for_each(|number| *number = 0.5);
                }
                Values::Terms(_) => {}
            }
        }
    };
    there(&mut star.events.columns);
    there(&mut star.items.columns);
    star
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every line is what a join of the tables by hand gives.
    #[test]
    fn lines_are_joined_tables(star in stars()) {
        let star = without_missing(star);
        let folder = Written::new(&star).open();
        let columns = folder.columns();
        let per_row = 1 + star.negatives.candidates.as_ref().map_or(0, |negatives| negatives.per_positive as usize);
        for part in Part::ALL {
            let (count, lines) = csv(&folder, part);
            prop_assert_eq!(&lines[0], &columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>());
            let rows = star.rows.get(part).labels.len();
            prop_assert_eq!((count as usize, lines.len() - 1), (rows * per_row, rows * per_row));
            for (number, line) in lines[1..].iter().enumerate() {
                let (row, drawn) = (number / per_row, number % per_row > 0);
                for (column, found) in columns.iter().zip(line) {
                    let expected = expected(&star, part, column, row);
                    match column.meaning {
                        Logical::Label if drawn => prop_assert_eq!(found, "0"),
                        Logical::Item(Field::Key) if drawn => prop_assert!(Some(found) != expected.as_ref()),
                        Logical::Item(_) if drawn => {}
                        Logical::Negative(Field::Key) => {
                            let length = |text: &str| if text.is_empty() { 0 } else { text.split('|').count() };
                            let history = columns.iter().position(|column| column.name == "history.movieId").unwrap();
                            prop_assert_eq!(length(found), length(&line[history]));
                        }
                        _ => {
                            if let Some(expected) = expected {
                                prop_assert_eq!(found, &expected, "{}", column.name);
                            }
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_drawn_candidate_brings_its_own_columns() {
    let star = without_missing(Star::random(FULL));
    let folder = Written::new(&star).open();
    let (_, lines) = csv(&folder, Part::Train);
    let place = |name: &str| lines[0].iter().position(|column| column == name).unwrap();
    let Values::Term(genres) = &star.items.columns[1] else { panic!("genre is a term") };
    let table = folder.find("genre").unwrap().meaning.term_table(&star.layout).unwrap();
    let mut drawn = 0;
    for line in &lines[1..] {
        let item: usize = line[place("movieId")].strip_prefix("film ").unwrap().parse().unwrap();
        assert_eq!(line[place("genre")], star.text(table, genres[item]));
        drawn += usize::from(line[place("label")] == "0");
    }
    assert_eq!(drawn * 3, (lines.len() - 1) * 2);
}

/// A star with one user's history of one event, whose columns are the first ones.
fn short() -> Star {
    let shape = Shape { users: 0, items: 4, max_length: 1, candidates: None, history: false, ..FULL };
    let mut star = without_missing(Star::random(shape));
    star.rows.train.labels = vec![1];
    star.rows.train.users = vec![0];
    star.rows.train.items = vec![3];
    star.rows.train.history_ends = vec![2];
    star.rows.train.times = vec![0];
    star.rows.train.columns =
        vec![Values::Term(vec![0]), Values::Number(vec![f64::NAN]), star.items.columns[0].clone()];
    let Values::Terms(tags) = &mut star.rows.train.columns[2] else { panic!("tags are lists") };
    *tags = fain_samples::CodeLists::default();
    tags.push([1, 4]);
    star
}

#[test]
fn what_cannot_be_written_is_refused() {
    let mut star = short();
    assert!(!unwritable(&star));
    let said = |star: &Star, export: &CsvExport| {
        let folder = Written::new(star).open();
        let error = write_csv(&folder, Part::Train, std::io::sink(), export).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        error.to_string()
    };
    let spaces = CsvExport { separator: 'n', missing: String::new() };
    assert_eq!(said(&star, &spaces), "train, row 0, column \"tags\": \"plain\" holds the separator of lists");

    let Values::Number(ratings) = &mut star.events.columns[0] else { panic!("ratings are numbers") };
    ratings[1] = f64::NAN;
    assert_eq!(
        said(&star, &CsvExport::default()),
        "train, row 0, column \"history.rating\": \"\" is the only value of a list: in line it would read as a list \
         without values"
    );
    let folder = Written::new(&star).open();
    let mut out = Vec::new();
    let export = CsvExport { missing: "nan".to_owned(), ..CsvExport::default() };
    write_csv(&folder, Part::Train, &mut out, &export).unwrap();
    let rating = folder.columns().iter().position(|column| column.name == "history.rating").unwrap();
    let records = csv::Reader::from_reader(out.as_slice()).records().collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(&records[0][rating], "nan");
}

#[test]
fn a_user_who_has_chosen_everything_is_named() {
    let mut star = short();
    star.negatives = Star::random(Shape { candidates: None, ..FULL }).negatives;
    let folder = Written::new(&star).open();
    let error = write_csv(&folder, Part::Train, std::io::sink(), &CsvExport::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    assert_eq!(
        error.to_string(),
        "train, row 0: no negative can be drawn: of the 4 items with events in the training windows, the user has \
         chosen every one"
    );
}

#[test]
fn a_full_disk_is_the_outputs_fault() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let folder = Written::new(&short()).open();
    let error = write_csv(&folder, Part::Train, Full, &CsvExport::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Work);
    assert_eq!(error.to_string(), "cannot write samples: no storage space");
    assert_eq!(folder.find("tags").unwrap().content, Content::Terms);
}
