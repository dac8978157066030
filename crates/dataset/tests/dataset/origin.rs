//! Encoded rows are found again in their files.

use fain_dataset::{Dataset, Origin};

use crate::support::{Place, Row, all, prepare, rows};

/// A function of a dataset that says where a row came from.
type OriginOf = fn(&Dataset, u64) -> Option<Origin>;

/// Row `i` of the sources is the one with number `first + i - 1`.
fn check(dataset: &Dataset, rows: &[Row], origin_of: OriginOf, file: &str, first: usize) {
    for (place, row) in rows.iter().enumerate() {
        let expected = Origin::Row { file: file.to_owned(), row: (row.number() - first) as u64 + 1 };
        assert_eq!(origin_of(dataset, place as u64), Some(expected));
    }
    assert_eq!(origin_of(dataset, rows.len() as u64), None);
    assert_eq!(origin_of(dataset, u64::MAX), None);
}

#[test]
fn a_fraction_is_found_in_the_training_file() {
    let place = Place::new();
    // A blank line is no row.
    place.write("train.csv", &rows(0, 200).replace("\n0,u3,", "\n\n0,u3,"));
    place.write("test.csv", &rows(200, 230));
    let settings = "train = 'train.csv'\ntest = 'test.csv'\nvalidation = { fraction = 0.3, seed = 7 }";
    let dataset = prepare(&place.config(settings)).unwrap();
    assert!(dataset.validation().rows() > 30);
    check(&dataset, &all(dataset.train()), Dataset::train_origin, "train.csv", 0);
    check(&dataset, &all(dataset.validation()), Dataset::validation_origin, "train.csv", 0);
    check(&dataset, &all(dataset.test().unwrap()), Dataset::test_origin, "test.csv", 200);
    assert_eq!(dataset.test_origin(2).unwrap().to_string(), "test.csv, row 3");
}

#[test]
fn a_validation_file_is_found_whole() {
    let place = Place::new();
    place.write("train.csv", &rows(0, 50));
    place.write("held.csv", &rows(50, 60));
    let dataset = prepare(&place.config("train = 'train.csv'\nvalidation.file = 'held.csv'")).unwrap();
    check(&dataset, &all(dataset.train()), Dataset::train_origin, "train.csv", 0);
    check(&dataset, &all(dataset.validation()), Dataset::validation_origin, "held.csv", 50);
    assert_eq!(dataset.test_origin(0), None);
}

#[test]
fn what_only_the_file_could_tell_is_not_told() {
    let place = Place::new();
    place.write("train.csv", &rows(0, 200));
    place.write("test.csv", &rows(200, 210));
    let settings = "train = 'train.csv'\ntest = 'test.csv'\nvalidation = { fraction = 0.3, by = 'user' }";
    let dataset = prepare(&place.config(settings)).unwrap();
    assert!(dataset.validation().rows() > 0);
    assert_eq!((dataset.train_origin(0), dataset.validation_origin(0)), (None, None));
    check(&dataset, &all(dataset.test().unwrap()), Dataset::test_origin, "test.csv", 200);
}
