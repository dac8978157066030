//! Combinations of ids.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use fain_features::{Column, Samples};
use fain_models::{CrossConfig, CrossedCategories, FeatureSpace, ModelInput, SpaceFeature, SpaceKind};
use tch::{Device, nn};

/// Categories `a`, `b` and `c`.
fn space(sizes: [usize; 3]) -> FeatureSpace {
    let names = ["a", "b", "c"];
    let features = names.iter().enumerate();
    let features =
        features.map(|(index, name)| SpaceFeature { name: (*name).to_owned(), kind: SpaceKind::Category(index) });
    let vocabularies = names.iter().zip(sizes).map(|(name, size)| ((*name).to_owned(), size));
    FeatureSpace::from_parts(features.collect(), vocabularies.collect()).unwrap()
}

/// Every combination of ids, `c` running fastest.
fn combinations(sizes: [usize; 3]) -> ModelInput {
    let [a, b, c] = sizes.map(|size| size as u32);
    let all: Vec<[u32; 3]> = (0..a).flat_map(|a| (0..b).flat_map(move |b| (0..c).map(move |c| [a, b, c]))).collect();
    let column = |index: usize| Column::Category(all.iter().map(|ids| ids[index]).collect());
    let samples = Samples { rows: all.len(), columns: vec![column(0), column(1), column(2)], ..Samples::default() };
    ModelInput::new(&samples, Device::Cpu).unwrap()
}

fn cross(sizes: [usize; 3], features: &[&str], buckets: i64) -> (CrossedCategories, nn::VarStore) {
    let variables = nn::VarStore::new(Device::Cpu);
    let features = features.iter().map(|name| (*name).to_owned()).collect();
    let cross = CrossedCategories::new(&variables.root(), &space(sizes), &CrossConfig { features, buckets }).unwrap();
    (cross, variables)
}

fn rows(cross: &CrossedCategories, input: &ModelInput) -> Vec<i64> {
    Vec::<i64>::try_from(cross.rows(input).unwrap()).unwrap()
}

#[test]
fn each_combination_has_a_number_where_they_fit() {
    let sizes = [3, 5, 4];
    let (cross, variables) = cross(sizes, &["a", "b", "c"], 60);
    assert_eq!(variables.variables()["weight"].size(), [60, 1]);
    assert_eq!(rows(&cross, &combinations(sizes)), (0..60).collect::<Vec<i64>>());
}

#[test]
fn combinations_that_do_not_fit_are_spread_over_the_buckets() {
    let sizes = [20, 50, 4];
    let (cross, variables) = cross(sizes, &["a", "b", "c"], 3_999);
    assert_eq!(variables.variables()["weight"].size(), [3_999, 1]);
    let rows = rows(&cross, &combinations(sizes));
    let different: BTreeSet<i64> = rows.iter().copied().collect();
    assert!(rows.iter().all(|row| (0..3_999).contains(row)));
    // 4,000 balls thrown into as many boxes fill 2,528 of them.
    assert_eq!(different.len(), 2_526);
}

/// A bundle is read on other machines and by later versions: the hash must never change.
#[test]
fn the_hash_is_the_one_of_the_documentation() {
    let sizes = [200_000, 300_000, 4_000_000_000];
    let (cross, _variables) = cross(sizes, &["b", "a", "c"], 1_000_003);
    let column = |id: u32| Column::Category(vec![id]);
    for (ids, expected) in [([0, 0, 0], 450_031), ([199_999, 299_999, 3_999_999_999], 668_031), ([7, 11, 13], 138_782)]
    {
        let samples = Samples { rows: 1, columns: ids.map(column).to_vec(), ..Samples::default() };
        let got = rows(&cross, &ModelInput::new(&samples, Device::Cpu).unwrap());
        let [a, b, c] = ids.map(u128::from);
        let hash = [b, a, c].iter().fold(0u128, |hash, id| {
            let product = (hash + id + 1) * 742_938_285 % 2_147_483_647;
            product ^ (product >> 15)
        });
        assert_eq!((got[0] as u128, got[0]), (hash % 1_000_003, expected), "{ids:?}");
    }
}

#[test]
fn a_column_that_is_no_category_is_refused() {
    let (cross, _variables) = cross([3, 5, 4], &["a", "c"], 10);
    let columns = vec![Column::Category(vec![0]), Column::Category(vec![0]), Column::Numeric(vec![0.0])];
    let samples = Samples { rows: 1, columns, ..Samples::default() };
    let error = cross.forward(&ModelInput::new(&samples, Device::Cpu).unwrap()).unwrap_err().to_string();
    assert_eq!(error, "the batch's column c is a number, but the model was built for a category");
    let error = cross.forward(&ModelInput { rows: 1, columns: Vec::new() }).unwrap_err().to_string();
    assert_eq!(error, "the batch's column a is missing, but the model was built for a category");
}

#[test]
fn a_cross_alone_is_checked_too() {
    let variables = nn::VarStore::new(Device::Cpu);
    let config = CrossConfig { features: vec!["a".to_owned(), "d".to_owned()], buckets: 5 };
    let error = CrossedCategories::new(&variables.root(), &space([1, 1, 1]), &config).unwrap_err().to_string();
    assert_eq!(error, "cross.features.1 is `d`; allowed: a category feature: a, b, c");
    assert!(variables.is_empty());
}
