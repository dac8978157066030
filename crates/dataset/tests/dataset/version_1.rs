//! A dataset of version 1 must open as long as this crate reads version 1. Its sources lie beside it.

use std::path::PathBuf;

use fain_dataset::{Dataset, SourceInfo};

use crate::support::{Row, Value, all, built_and_kept, sources};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/dataset/version_1")
}

fn row(label: f32, group: u64, ceiling: (f64, f64), item: u32, history: &[u32], price: f32) -> Row {
    let values = vec![Value::Id(item), Value::List(history.to_vec()), Value::Number(price)];
    Row { label, group, ceiling, values }
}

#[test]
fn it_opens() {
    // xxh3-64 of the users' names.
    let [ann, bob, cid] = [5_200_682_613_324_210_888, 1_442_208_253_991_303_397, 2_203_098_626_925_536_187];
    let [dan, eve] = [15_669_350_857_896_739_467, 13_083_509_827_819_291_496];
    let dataset = Dataset::open(&folder().join("dataset")).unwrap();
    assert_eq!(dataset.manifest().version, 1);
    // coat 1, hat 2, scarf 3, shoe 4; a price without value is the mean, 12.5, of 5 to 20.
    assert_eq!(
        all(dataset.train()),
        [
            row(1.0, ann, (0.25, 0.5), 2, &[], 0.0),
            row(0.0, ann, (0.25, 0.125), 4, &[2], 1.0 / 3.0),
            row(1.0, bob, (0.5, 0.75), 1, &[2, 4], 0.5),
            row(0.0, bob, (0.5, 0.25), 2, &[2, 4, 1], 1.0),
            row(1.0, cid, (0.125, 0.875), 3, &[1, 0, 2], 2.0 / 3.0),
        ]
    );
    assert_eq!(
        all(dataset.validation()),
        [row(0.0, dan, (0.0625, 0.03125), 1, &[2, 4, 1], 0.0), row(1.0, dan, (0.75, 1.0), 0, &[3], 1.0),]
    );
    assert_eq!(
        all(dataset.test().unwrap()),
        [row(1.0, eve, (0.375, 0.625), 2, &[3, 4], 1.0), row(0.0, ann, (0.25, 0.0625), 0, &[], 1.0),]
    );
}

#[test]
fn its_sources_still_give_it() {
    let (_place, built, kept) = built_and_kept(&folder());
    assert_eq!(all(built.train()), all(kept.train()));
    assert_eq!(all(built.validation()), all(kept.validation()));
    assert_eq!(built.test().map(all), kept.test().map(all));
    // Version 1 did not count the rows of a source.
    let without_rows = |infos: Vec<SourceInfo>| -> Vec<SourceInfo> {
        infos.into_iter().map(|info| SourceInfo { rows: None, ..info }).collect()
    };
    let (built, kept) = (sources(&built), sources(&kept));
    assert_eq!(without_rows(built.train), kept.train);
    assert_eq!(built.validation, kept.validation);
    assert_eq!(built.test.map(without_rows), kept.test);
}
