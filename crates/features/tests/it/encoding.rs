//! Rows to samples, and rows that are wrong.

use std::path::Path;
use std::sync::Arc;

use fain_features::{
    Binding, Ceiling, Column, CsvConfig, DataError, DataErrorKind, Encoders, FeatureSummary, Parts, ReadPlan, Record,
    SampleReader, Samples, Sequences, TableReader,
};

use crate::files::TestFile;
use crate::fitted::{encode, fit, schema};

const SHOP: &str = "\
label = 'click'
group = 'user'
ceiling = { blind = 'blind', optimal = 'true' }

[features.item]
kind = 'category'

[features.history]
kind = 'sequence'
max_length = 2
vocabulary = 'item'

[features.city]
kind = 'category'
min_count = 2

[features.price]
kind = 'numeric'
scale = 'min_max'
";

const HEADER: &str = "click,user,item,history,city,price,blind,true\n";

const TRAIN: &str = "\
1,ann,shoe,hat|coat|shoe,Rome,10,0.25,0.5
0.0,bob,hat,,Rome,,0.5,0.125
1.0,ann,tie,belt,Oslo,20,0.75,1
0,,hat,scarf||tie,,15,0,0
";

const NO_PARTS: Parts = Parts { labels: false, groups: false, times: false, ceiling: false };

fn train() -> TestFile {
    TestFile::new("train.csv", format!("{HEADER}{TRAIN}"))
}

fn fitted() -> Encoders {
    fit(schema(SHOP), train().path()).unwrap()
}

fn sequences(lists: &[&[u32]]) -> Column {
    let mut sequences = Sequences::default();
    for list in lists {
        sequences.values.extend_from_slice(list);
        sequences.offsets.push(sequences.values.len() as u32);
    }
    Column::Sequence(sequences)
}

fn plan(rows_per_run: usize) -> ReadPlan<'static> {
    ReadPlan { parts: NO_PARTS, unread: &[], rows_per_run }
}

/// The error of rows that are encoded with all parts.
fn row_error(rows: &str) -> String {
    let file = TestFile::new("test.csv", format!("{HEADER}{rows}"));
    let encoders = fitted();
    let error = encode(&encoders, Parts::of(encoders.schema()), file.path()).unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Content);
    file.message(&error)
}

#[test]
fn training_rows_become_samples() {
    let encoders = fitted();
    // `hat` of the first row is cut off, but an item as well; `scarf` is cut off and never seen.
    assert_eq!(encoders.vocabulary(0).terms().collect::<Vec<_>>(), ["belt", "coat", "hat", "shoe", "tie"]);
    assert_eq!(encoders.vocabulary(1).terms().collect::<Vec<_>>(), ["Rome"]);

    let samples = encode(&encoders, Parts::of(encoders.schema()), train().path()).unwrap();
    assert_eq!(samples.rows, 4);
    assert_eq!(samples.labels, Some(vec![1.0, 0.0, 1.0, 0.0]));
    let ceiling = Ceiling { blind: vec![0.25, 0.5, 0.75, 0.0], optimal: vec![0.5, 0.125, 1.0, 0.0] };
    assert_eq!(samples.ceiling, Some(ceiling));
    assert_eq!(
        samples.columns,
        [
            Column::Category(vec![4, 3, 5, 3]),
            sequences(&[&[2, 4], &[], &[1], &[0, 5]]),
            Column::Category(vec![1, 1, 0, 0]),
            Column::Numeric(vec![0.0, 0.5, 1.0, 0.5]),
        ]
    );
}

#[test]
fn groups_are_the_same_on_every_machine() {
    let samples = encode(&fitted(), Parts { groups: true, ..NO_PARTS }, train().path()).unwrap();
    let (ann, bob, nobody) = (5_200_682_613_324_210_888, 1_442_208_253_991_303_397, 3_244_421_341_483_603_138);
    assert_eq!(samples.groups, Some(vec![ann, bob, ann, nobody]));
    assert_eq!((samples.labels, samples.ceiling), (None, None));
}

#[test]
fn rows_not_seen_in_training() {
    let file = TestFile::new("test.csv", "price,city,item,history\n99,Paris,glove,tie|glove|hat\n-1,Rome,,glove\n");
    let samples = encode(&fitted(), NO_PARTS, file.path()).unwrap();
    assert_eq!(
        samples.columns,
        [
            Column::Category(vec![0, 0]),
            sequences(&[&[0, 3], &[0]]),
            Column::Category(vec![0, 1]),
            Column::Numeric(vec![1.0, 0.0]),
        ]
    );
}

#[test]
fn runs_are_filled_and_the_end_is_told() {
    let file = train();
    let encoders = Arc::new(fitted());
    let mut reader = SampleReader::open(file.path(), &CsvConfig::default(), encoders, plan(3)).unwrap();
    let mut samples = Samples::default();
    assert!(reader.read(&mut samples).unwrap());
    assert_eq!((samples.rows, &samples.columns[0]), (3, &Column::Category(vec![4, 3, 5])));
    assert!(reader.read(&mut samples).unwrap());
    assert_eq!((samples.rows, &samples.columns[1]), (1, &sequences(&[&[0, 5]])));
    assert!(!reader.read(&mut samples).unwrap());
    assert_eq!((samples.rows, &samples.columns[1]), (0, &sequences(&[])));
    assert_eq!(reader.bytes_read(), (HEADER.len() + TRAIN.len()) as u64);
}

#[test]
fn a_run_of_no_rows_is_refused() {
    let encoders = Arc::new(fitted());
    let error = SampleReader::open(train().path(), &CsvConfig::default(), encoders, plan(0)).unwrap_err();
    assert_eq!(error.to_string(), "rows_per_run = 0: at least 1 is needed");
}

#[test]
fn labels_are_zero_or_one() {
    for label in ["2", "", " 1", "true", "1.00", "-0"] {
        assert_eq!(
            row_error(&format!("1,a,shoe,,Rome,1,0,0\n{label},a,shoe,,Rome,1,0,0\n")),
            format!("test.csv, row 2, column \"click\": \"{label}\" is not 0 or 1")
        );
    }
}

#[test]
fn numbers_are_finite_or_empty() {
    for value in ["ten", "NaN", "inf", "1e300", " 1"] {
        let message = format!(
            "row 1, column \"price\": \"{value}\" is not a finite number within the range of 32-bit floats, or empty"
        );
        assert_eq!(row_error(&format!("1,a,shoe,,Rome,{value},0,0\n")), format!("test.csv, {message}"));

        let file = TestFile::new("train.csv", format!("{HEADER}1,a,shoe,,Rome,{value},0,0\n"));
        let error = fit(schema(SHOP), file.path()).unwrap_err();
        assert_eq!(file.message(&error), format!("train.csv, {message}"), "when it is fitted");
    }
}

#[test]
fn probabilities_lie_between_zero_and_one() {
    for value in ["1.5", "-0.1", "NaN", "", "p"] {
        assert_eq!(
            row_error(&format!("1,a,shoe,,Rome,1,{value},0\n")),
            format!("test.csv, row 1, column \"blind\": \"{value}\" is not a probability between 0 and 1")
        );
    }
    assert_eq!(
        row_error("1,a,shoe,,Rome,1,0,2\n"),
        "test.csv, row 1, column \"true\": \"2\" is not a probability between 0 and 1"
    );
}

#[test]
fn a_long_value_is_cut_in_the_message() {
    let value = "é".repeat(61);
    assert_eq!(
        row_error(&format!("{value},a,shoe,,Rome,1,0,0\n")),
        format!("test.csv, row 1, column \"click\": \"{}…\" is not 0 or 1", "é".repeat(60))
    );
}

#[test]
fn a_numeric_column_without_values_cannot_be_scaled() {
    let file = TestFile::new("train.csv", "label,cost\n1,\n0,\n");
    let error = fit(schema("label = 'label'\nfeatures.price = { kind = 'numeric', column = 'cost' }"), file.path());
    let error = error.unwrap_err();
    assert_eq!(
        error.to_string(),
        "column \"cost\": no training row has a value, so the feature \"price\" cannot be scaled"
    );
    assert_eq!(error.kind(), DataErrorKind::Content);
}

#[test]
fn columns_are_found_once_or_refused() {
    let schema = schema(SHOP);
    let bind = |header: &str, parts| {
        let header: Vec<String> = header.split(',').map(str::to_owned).collect();
        Binding::new(&schema, parts, &header, Path::new("a.csv")).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(bind("item,history,city,price", NO_PARTS), Ok(()));
    assert_eq!(
        bind("item,city,price", NO_PARTS),
        Err("a.csv: no column \"history\", which schema.features.history names; the header has: item, city, price"
            .to_owned())
    );
    assert_eq!(
        bind("item,history,city,price", Parts { labels: true, ..NO_PARTS }),
        Err("a.csv: no column \"click\", which schema.label names; the header has: item, history, city, price"
            .to_owned())
    );
    assert_eq!(
        bind("item,history,city,price", Parts { groups: true, ..NO_PARTS }),
        Err("a.csv: no column \"user\", which schema.group names; the header has: item, history, city, price"
            .to_owned())
    );
    assert_eq!(
        bind("item,history,city,price,blind", Parts { ceiling: true, ..NO_PARTS }),
        Err("a.csv: no column \"true\", which schema.ceiling.optimal names; \
             the header has: item, history, city, price, blind"
            .to_owned())
    );
    assert_eq!(
        bind("item,city,history,price,city", NO_PARTS),
        Err("a.csv: the header has the column \"city\", which schema.features.city names, 2 times".to_owned())
    );
    assert_eq!(bind("x,item,history,city,price,x", NO_PARTS), Ok(()), "a repeated column that nobody wants");
}

#[test]
fn parts_that_the_schema_does_not_name_cannot_be_read() {
    let schema = schema("label = 'label'\nfeatures.a.kind = 'category'");
    let header = ["label".to_owned(), "a".to_owned()];
    let error = |parts| Binding::new(&schema, parts, &header, Path::new("a.csv")).unwrap_err();
    let allowed = "must be set, since this part of the samples is asked for";
    let groups = error(Parts { groups: true, ..NO_PARTS });
    assert_eq!(groups.to_string(), format!("schema.group = (not set): {allowed}"));
    assert_eq!(groups.kind(), DataErrorKind::Config);
    let ceiling = error(Parts { ceiling: true, ..NO_PARTS });
    assert_eq!(ceiling.to_string(), format!("schema.ceiling = (not set): {allowed}"));
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let file = train();
    let encoders = fitted();
    let mut table = TableReader::open(file.path(), &CsvConfig::default()).unwrap();
    let mut record = Record::new();
    assert!(table.read(&mut record).unwrap());
    let parts = Parts::of(encoders.schema());
    let binding = |parts| Binding::new(encoders.schema(), parts, table.header(), file.path()).unwrap();
    let refused = |record: &Record, binding: &Binding, mut out: Samples| {
        let error = encoders.encode(record, binding, &mut out).unwrap_err();
        let DataError::Mismatch { what } = error else { panic!("{error}") };
        assert_eq!(error.kind(), DataErrorKind::Config);
        what
    };
    let samples = |parts| Samples::new(encoders.schema(), parts);

    assert_eq!(refused(&Record::new(), &binding(parts), samples(parts)), "record");
    assert_eq!(refused(&record, &binding(parts), samples(NO_PARTS)), "samples");
    for part in [Parts { labels: false, ..parts }, Parts { groups: false, ..parts }, Parts { ceiling: false, ..parts }]
    {
        assert_eq!(refused(&record, &binding(parts), samples(part)), "samples");
        assert_eq!(refused(&record, &binding(part), samples(parts)), "samples");
    }
    let other = schema("label = 'click'\nfeatures.item.kind = 'category'");
    assert_eq!(refused(&record, &binding(NO_PARTS), Samples::new(&other, NO_PARTS)), "samples");
    let mut turned = samples(NO_PARTS);
    turned.columns.swap(0, 1);
    assert_eq!(refused(&record, &binding(NO_PARTS), turned), "samples");
    let narrow = Binding::new(&other, NO_PARTS, table.header(), file.path()).unwrap();
    assert_eq!(refused(&record, &narrow, samples(NO_PARTS)), "binding");
}

#[test]
fn cleared_samples_keep_their_columns_and_parts() {
    let encoders = fitted();
    let parts = Parts::of(encoders.schema());
    let mut samples = encode(&encoders, parts, train().path()).unwrap();
    let Column::Category(ids) = &samples.columns[0] else { panic!("not a category") };
    let memory = ids.as_ptr();
    samples.clear();
    assert_eq!(samples, Samples::new(encoders.schema(), parts));
    let Column::Category(ids) = &samples.columns[0] else { panic!("not a category") };
    assert_eq!((ids.as_ptr(), ids.capacity() >= 4), (memory, true));
}

#[test]
fn a_summary_has_a_line_per_feature() {
    let line = |feature: &str, kind, vocabulary: Option<&str>, size, detail: &str| FeatureSummary {
        feature: feature.to_owned(),
        kind,
        column: feature.to_owned(),
        vocabulary: vocabulary.map(str::to_owned),
        size,
        detail: detail.to_owned(),
    };
    assert_eq!(
        fitted().summary(),
        [
            line("item", "category", Some("item"), Some(6), ""),
            line("history", "sequence", Some("item"), Some(6), "last 2, separated by \"|\""),
            line("city", "category", Some("city"), Some(2), ""),
            line("price", "numeric", None, None, "min_max: 10 to 20, mean 15"),
        ]
    );
}
