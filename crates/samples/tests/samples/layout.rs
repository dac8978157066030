//! Columns and their names.

use fain_samples::{
    CandidateNegatives, ColumnInfo, Content, Distribution, Draw, ErrorKind, EventBlock, Exclude, Field, Kind, Layout,
    Logical, NegativeRule, Negatives, Part, Past, RowBlock, SamplesError, SamplesWriter, TermTable, Values,
};

use crate::star::{Shape, Star};
use crate::support::{FULL, Written};

fn full() -> Layout {
    Star::random(FULL).layout
}

fn refusal(change: impl FnOnce(&mut Layout)) -> String {
    let mut layout = full();
    layout.check().unwrap();
    change(&mut layout);
    let error = layout.check().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    error.to_string()
}

#[test]
fn names_mean_one_thing() {
    let twice = |name: &str| format!("\"{name}\": two columns of samples would have this name");
    let text = str::to_owned;
    assert_eq!(refusal(|layout| layout.user = text("movieId")), twice("movieId"));
    assert_eq!(refusal(|layout| layout.item = text("label")), twice("label"));
    assert_eq!(refusal(|layout| layout.time = Some(text("hour"))), twice("hour"));
    assert_eq!(refusal(|layout| layout.row_columns[0].name = text("age")), twice("age"));
    assert_eq!(refusal(|layout| layout.event_columns[0].name = text("genre")), twice("history.genre"));
    assert_eq!(refusal(|layout| layout.event_columns[0].name = text("timestamp")), twice("history.timestamp"));
    assert_eq!(refusal(|layout| layout.row_columns[0].name = text("history.rating")), twice("history.rating"));
    assert_eq!(refusal(|layout| layout.user_columns[0].name = text("negative.genre")), twice("negative.genre"));
    assert_eq!(refusal(|layout| layout.item_columns[0].name = text("")), "\"\": a column needs a name");
    assert_eq!(
        refusal(|layout| layout.event_columns[1].kind = Kind::Terms),
        "\"behaviour\": an event holds one term or a number, not a list of terms"
    );
    assert_eq!(
        refusal(|layout| layout.max_length = 0),
        "\"max_length\": the longest history has 0 events; at least 1 is needed"
    );
    // A column of the samples may have the name of one of the events: the one is `rating`, the other `history.rating`.
    let mut layout = full();
    layout.row_columns.push(ColumnInfo { name: text("rating"), kind: Kind::Number });
    layout.check().unwrap();
}

#[test]
fn names_and_what_they_mean() {
    let folder = Written::new(&Star::random(FULL)).open();
    let columns = folder.columns();
    let found: Vec<_> = columns.iter().map(|column| (column.name.as_str(), column.meaning, column.content)).collect();
    let expected = [
        ("label", Logical::Label, Content::Label),
        ("timestamp", Logical::Time, Content::Time),
        ("userId", Logical::User(Field::Key), Content::Term),
        ("gender", Logical::User(Field::Column(0)), Content::Term),
        ("age", Logical::User(Field::Column(1)), Content::Number),
        ("movieId", Logical::Item(Field::Key), Content::Term),
        ("genres", Logical::Item(Field::Column(0)), Content::Terms),
        ("genre", Logical::Item(Field::Column(1)), Content::Term),
        ("price", Logical::Item(Field::Column(2)), Content::Number),
        ("device", Logical::Row(0), Content::Term),
        ("hour", Logical::Row(1), Content::Number),
        ("tags", Logical::Row(2), Content::Terms),
        ("history.movieId", Logical::History(Past::Item(Field::Key)), Content::Terms),
        ("history.genre", Logical::History(Past::Item(Field::Column(1))), Content::Terms),
        ("history.rating", Logical::History(Past::Event(0)), Content::Numbers),
        ("history.behaviour", Logical::History(Past::Event(1)), Content::Terms),
        ("history.timestamp", Logical::History(Past::Time), Content::Times),
        ("negative.movieId", Logical::Negative(Field::Key), Content::Terms),
        ("negative.genre", Logical::Negative(Field::Column(1)), Content::Terms),
    ];
    assert_eq!(found, expected);
    for column in &columns {
        assert_eq!(folder.find(&column.name).as_ref(), Some(column));
    }
    assert_eq!(folder.find("history.price"), None);

    let tables = |name: &str| folder.find(name).unwrap().meaning.term_table(folder.layout());
    assert_eq!(tables("history.genre"), Some(TermTable::Item(Field::Column(1))));
    assert_eq!(tables("negative.movieId"), Some(TermTable::Item(Field::Key)));
    assert_eq!(tables("tags"), Some(TermTable::Row(2)));
    assert_eq!(tables("history.behaviour"), Some(TermTable::Event(1)));
    for name in ["label", "timestamp", "price", "history.rating", "history.timestamp"] {
        assert_eq!(tables(name), None, "{name}");
    }
}

#[test]
fn negatives_have_names_where_there_are_rules_for_them() {
    let folder = Written::new(&Star::random(Shape { history: false, ..FULL })).open();
    assert_eq!(folder.find("negative.movieId"), None);
}

#[test]
fn rules_that_cannot_be_drawn_by() {
    let rule = |distribution| NegativeRule { distribution, exclude: Exclude::Past, draw: Draw::Fixed, seed: 1 };
    let said = |negatives: Negatives| negatives.check().unwrap_err().to_string();
    for alpha in [-0.5, f64::NAN, f64::INFINITY] {
        let negatives = Negatives { candidates: None, history: Some(rule(Distribution::Popularity(alpha))) };
        let reason = format!("the power of the popularity is {alpha}; a number of 0 or more is needed");
        assert_eq!(said(negatives), format!("\"negatives.history.distribution\": {reason}"));
    }
    let none = CandidateNegatives { per_positive: 0, rule: rule(Distribution::Uniform) };
    assert_eq!(
        said(Negatives { candidates: Some(none), history: None }),
        "\"negatives.candidates.per_positive\": 0 negatives; at least 1 is needed"
    );
}

/// What the writer says of a block, without the path of the folder.
fn said(write: impl FnOnce(&mut SamplesWriter) -> Result<(), SamplesError>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = SamplesWriter::create(folder.path(), full(), Negatives::default()).unwrap();
    let error = write(&mut writer).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Work);
    error.to_string().replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn blocks_have_the_columns_of_the_layout() {
    let layout = full();
    assert_eq!(
        said(|writer| writer.write_events(&EventBlock { items: vec![1, 2], ..EventBlock::new(&layout) })),
        "events.arrow: the length of the column \"time\" of a block is 0; needed: 2"
    );
    assert_eq!(
        said(|writer| {
            let columns = vec![Values::Term(vec![]), Values::Term(vec![])];
            writer.write_events(&EventBlock { columns, ..EventBlock::new(&layout) })
        }),
        "events.arrow: the column \"event:rating\" of a block is codes; needed: numbers"
    );
    assert_eq!(
        said(|writer| writer.write_rows(Part::Test, &RowBlock { columns: vec![], ..RowBlock::new(&layout) })),
        "test.arrow: the number of columns of a block is 5; needed: 8"
    );
    assert_eq!(
        said(|writer| writer.write_terms(TermTable::Event(0), ["4.5"])),
        "terms: a table of terms is Event(0); needed: one of Layout::term_tables"
    );
}

#[test]
fn a_folder_is_written_once() {
    let folder = tempfile::tempdir().unwrap();
    SamplesWriter::create(folder.path(), full(), Negatives::default()).unwrap();
    let error = SamplesWriter::create(folder.path(), full(), Negatives::default()).unwrap_err();
    assert!(error.to_string().starts_with("cannot create "), "{error}");
    assert_eq!(error.kind(), ErrorKind::Work);
}
