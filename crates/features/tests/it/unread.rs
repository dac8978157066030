//! Features that are left out of the rows to score.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use fain_features::{
    Binding, Column, CsvConfig, DataError, DataErrorKind, EncoderFitter, Encoders, Parts, ReadPlan, Record,
    SampleReader, Samples, Sequences, TableReader,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::files::TestFile;
use crate::fitted::{encode, fit, schema};

const SCHEMA: &str = "
label = 'click'
features.item.kind = 'category'
features.history = { kind = 'sequence', max_length = 3, vocabulary = 'item' }
features.negatives = { kind = 'sequence', column = 'others', max_length = 3, vocabulary = 'item' }
features.price.kind = 'numeric'
";

const NEGATIVES: usize = 2;

/// Item, history, negatives, price.
type Row = (String, Vec<String>, Vec<String>, f64);

fn row() -> impl Strategy<Value = Row> {
    ("[a-e]", vec("[a-e]", 0..5), vec("[a-e]", 0..5), -10.0..10.0)
}

/// The rows with or without the column of the negatives.
fn file(rows: &[Row], with: bool) -> TestFile {
    let mut text = if with { "click,others,item,history,price\n" } else { "click,item,history,price\n" }.to_owned();
    for (index, (item, history, negatives, price)) in rows.iter().enumerate() {
        let negatives = if with { negatives.join("|") + "," } else { String::new() };
        writeln!(text, "{},{negatives}{item},{},{price}", index % 2, history.join("|")).unwrap();
    }
    TestFile::new("rows.csv", text)
}

fn without_negatives(encoders: &Encoders, file: &Path) -> Result<Samples, DataError> {
    let unread = ["negatives".to_owned()];
    let plan = ReadPlan { parts: Parts::of(encoders.schema()), unread: &unread, rows_per_run: usize::MAX };
    let mut samples = Samples::default();
    SampleReader::open(file, &CsvConfig::default(), Arc::new(encoders.clone()), plan)?.read(&mut samples)?;
    Ok(samples)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_column_makes_no_difference_and_the_others_stay(rows in vec(row(), 1..20)) {
        let whole = file(&rows, true);
        let encoders = fit(schema(SCHEMA), whole.path()).unwrap();
        let with = without_negatives(&encoders, whole.path()).unwrap();
        prop_assert_eq!(&with, &without_negatives(&encoders, file(&rows, false).path()).unwrap());

        let mut expected = encode(&encoders, Parts::of(encoders.schema()), whole.path()).unwrap();
        let empty = Sequences { values: Vec::new(), offsets: vec![0; rows.len() + 1], weights: None };
        expected.columns[NEGATIVES] = Column::Sequence(empty);
        prop_assert_eq!(with, expected);
    }
}

fn bind(unread: &[&str], header: &str) -> Result<Binding, DataError> {
    let unread: Vec<String> = unread.iter().map(|&name| name.to_owned()).collect();
    let header: Vec<String> = header.split(',').map(str::to_owned).collect();
    Binding::leaving_out(&unread, &schema(SCHEMA), Parts::default(), &header, Path::new("a.csv"))
}

#[test]
fn only_a_sequence_can_be_left_out() {
    for name in ["item", "price", "others", "nothing"] {
        let error = bind(&["negatives", name], "item,history,price").unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("unread = \"{name}\": only sequence and times features of the schema can be left out")
        );
        assert_eq!(error.kind(), DataErrorKind::Config);
    }
}

#[test]
fn what_is_not_left_out_is_still_needed() {
    bind(&["negatives"], "item,history,price").unwrap();
    // Not even a column that is there twice is looked at.
    bind(&["negatives"], "others,item,history,price,others").unwrap();
    bind(&["history", "negatives"], "item,price").unwrap();
    assert_eq!(
        bind(&["history"], "item,price").unwrap_err().to_string(),
        "a.csv: no column \"others\", which schema.features.negatives names; the header has: item, price"
    );
}

#[test]
fn encoders_are_not_fitted_without_a_feature() {
    let file = TestFile::new("rows.csv", "item,history,price\na,b,1\n");
    let mut table = TableReader::open(file.path(), &CsvConfig::default()).unwrap();
    let binding = bind(&["negatives"], &table.header().join(",")).unwrap();
    let mut record = Record::new();
    assert!(table.read(&mut record).unwrap());
    let error = EncoderFitter::new(schema(SCHEMA)).observe(&record, &binding).unwrap_err();
    assert_eq!(error.to_string(), "the binding was made for another schema, other parts or another file");
}
