//! A dataset of version 2 must open as long as this crate reads version 2. The samples it came from lie beside it.

use std::path::PathBuf;

use fain_dataset::{Dataset, Split};
use fain_features::{Column, Samples, Sequences, Times};

use crate::support::built_and_kept;

pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/dataset/version_2")
}

fn all(split: &Split) -> Samples {
    let mut samples = Samples::default();
    split.gather(&(0..split.rows()).collect::<Vec<u64>>(), &mut samples).unwrap();
    samples
}

/// Lists of two each, or the given lengths.
fn list(values: &[u32], offsets: &[u32]) -> Column {
    Column::Sequence(Sequences { values: values.to_vec(), offsets: offsets.to_vec(), weights: None })
}

fn times(values: &[i64], offsets: &[u32]) -> Column {
    Column::Times(Times { values: values.to_vec(), offsets: offsets.to_vec() })
}

/// Positives and the one candidate drawn beside each.
fn samples(groups: &[u64], seconds: &[i64], columns: Vec<Column>) -> Samples {
    let twice = |values: &[i64]| values.iter().flat_map(|value| [*value; 2]).collect();
    Samples {
        rows: 2 * seconds.len(),
        labels: Some([1.0, 0.0].repeat(seconds.len())),
        groups: Some(groups.iter().flat_map(|group| [*group; 2]).collect()),
        times: Some(twice(seconds)),
        ceiling: None,
        columns,
    }
}

#[test]
fn it_opens() {
    // xxh3-64 of the users' names.
    let [ann, bob] = [5_200_682_613_324_210_888, 1_442_208_253_991_303_397];
    let dataset = Dataset::open(&folder().join("dataset")).unwrap();
    assert_eq!(dataset.manifest().version, 2);
    // belt 1, cap 2, coat 3, hat 4, scarf 5; prices are 5 to 20, and 13.75 on the mean.
    let offsets = [0, 0, 0, 1, 2, 2, 2, 3, 4];
    let train = vec![
        Column::Category(vec![4, 1, 3, 1, 3, 5, 5, 1]),
        Column::Numeric(vec![0.0, 2.0 / 3.0, 1.0, 2.0 / 3.0, 1.0, 1.0 / 3.0, 1.0 / 3.0, 2.0 / 3.0]),
        list(&[4, 4, 3, 3], &offsets),
        times(&[10, 10, 5, 5], &offsets),
        list(&[2, 2, 5, 5], &offsets),
    ];
    assert_eq!(all(dataset.train()), samples(&[ann, ann, bob, bob], &[10, 20, 5, 15], train));
    let validation = vec![
        Column::Category(vec![0, 5]),
        Column::Numeric(vec![7.0 / 12.0, 1.0 / 3.0]),
        list(&[4, 3, 4, 3], &[0, 2, 4]),
        times(&[10, 20, 10, 20], &[0, 2, 4]),
        list(&[2, 2, 2, 2], &[0, 2, 4]),
    ];
    assert_eq!(all(dataset.validation()), samples(&[ann], &[30], validation));
    let test = vec![
        Column::Category(vec![5, 2]),
        Column::Numeric(vec![1.0 / 3.0, 1.0]),
        list(&[3, 0, 3, 0], &[0, 2, 4]),
        times(&[20, 30, 20, 30], &[0, 2, 4]),
        list(&[1, 5, 1, 5], &[0, 2, 4]),
    ];
    assert_eq!(all(dataset.test().unwrap()), samples(&[ann], &[40], test));
}

#[test]
fn its_samples_still_give_it() {
    let (_place, built, kept) = built_and_kept(&folder());
    assert_eq!(all(built.train()), all(kept.train()));
    assert_eq!(all(built.validation()), all(kept.validation()));
    assert_eq!(built.test().map(all), kept.test().map(all));
}
