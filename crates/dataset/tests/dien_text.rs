//! Samples in the text format of the DIEN authors' program, read by the configuration of `configs/`: rows made in the
//! format always, the real files of Amazon's reviews of beauty products where `FAIN_DATA` names their folder.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use fain_dataset::{DataConfig, Dataset, Files};
use fain_features::{Column, Samples, Schema, SchemaConfig, Sequences};

/// The sections `data` and `schema` of the configuration.
fn configuration() -> (DataConfig, Schema) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/amazon_beauty_dien.toml");
    let table: toml::Table = std::fs::read_to_string(file).unwrap().parse().unwrap();
    let schema: SchemaConfig = table["schema"].clone().try_into().unwrap();
    (table["data"].clone().try_into().unwrap(), schema.check().unwrap())
}

fn prepare(data: &DataConfig, schema: &Schema) -> Dataset {
    Dataset::prepare(data, schema, &mut |_| ControlFlow::Continue(())).unwrap()
}

/// The first rows of the test file.
fn test_rows(dataset: &Dataset, rows: u64) -> Samples {
    let split = dataset.test().unwrap();
    let mut samples = Samples::new(split.schema(), split.parts());
    split.gather(&(0..rows).collect::<Vec<u64>>(), &mut samples).unwrap();
    samples
}

/// The terms of a feature's lists, row by row.
fn lists(dataset: &Dataset, samples: &Samples, feature: &str) -> Vec<Vec<String>> {
    let schema = dataset.encoders().schema();
    let (place, feature) = schema.feature(feature).unwrap();
    let vocabulary = dataset.encoders().vocabulary(feature.kind.vocabulary().unwrap());
    let Column::Sequence(Sequences { values, offsets, .. }) = &samples.columns[place] else { panic!("no list") };
    let term = |id: &u32| vocabulary.term(*id).unwrap_or("?").to_owned();
    offsets.windows(2).map(|row| values[row[0] as usize..row[1] as usize].iter().map(term).collect()).collect()
}

#[test]
fn rows_in_the_format_are_read() {
    let place = tempfile::tempdir().unwrap();
    let (mut data, schema) = configuration();
    (data.root, data.cache) = (place.path().to_owned(), place.path().join("cache"));
    let row = |label: u32, user: u32, item: u32| {
        let history = |first: u32| format!("{first}\u{2}{}\u{2}\"{first}", first + 1);
        format!("{label}\t{user}\t{item}\t{}\t{}\t{}\n", item % 3, history(item % 5), history(item % 2))
    };
    let rows = |users: std::ops::Range<u32>| -> String {
        users.flat_map(|user| [row(0, user, user % 7), row(1, user, user % 11)]).collect()
    };
    std::fs::write(place.path().join("local_train_splitByUser"), rows(0..200)).unwrap();
    std::fs::write(place.path().join("local_test_splitByUser"), rows(200..220)).unwrap();
    let dataset = prepare(&data, &schema);
    assert_eq!(dataset.train().rows() + dataset.validation().rows(), 400);
    let samples = test_rows(&dataset, 2);
    assert_eq!(samples.labels.as_deref(), Some(&[0.0, 1.0][..]));
    // A quotation mark is a character like any other. User 200: items 200 % 7 = 4 and 200 % 11 = 2.
    let of = |feature| lists(&dataset, &samples, feature);
    assert_eq!(of("items"), [["4", "5", "\"4"], ["2", "3", "\"2"]]);
    assert_eq!(of("categories"), [["0", "1", "\"0"], ["0", "1", "\"0"]]);
}

#[test]
fn beauty_as_it_is() {
    let Some(folder) = std::env::var_os("FAIN_DATA").map(PathBuf::from) else { return };
    let place = tempfile::tempdir().unwrap();
    let (mut data, schema) = configuration();
    (data.root, data.cache) = (folder.join("amazon_beauty"), place.path().join("cache"));
    data.train = Some(Files::from("Beauty.local_train_splitByUser.gz"));
    data.test = Some(Files::from("Beauty.local_test_splitByUser.gz"));
    let dataset = prepare(&data, &schema);
    let [train, validation, test] = [Some(dataset.train()), Some(dataset.validation()), dataset.test()]
        .map(|split| split.map(|split| (split.rows(), split.positives())).unwrap());
    assert_eq!((train.0 + validation.0, train.1 + validation.1), (40_300, 20_150));
    assert_eq!(test, (4_426, 2_213));
    // Users are in one split only, a positive and a negative row each.
    assert_eq!([train.0, validation.0], [2 * train.1, 2 * validation.1]);
    assert!((3_600..4_500).contains(&validation.0), "{validation:?}");
}
