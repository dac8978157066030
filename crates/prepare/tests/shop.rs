//! The recipe of the shop makes of its raw log the samples that the simulator writes itself, row for row.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use fain_prepare::{PrepareConfig, prepare};
use fain_samples::{CsvExport, Part, SamplesFolder, write_csv};
use fain_simulator::ShopConfig;

/// What the two name alike, and how: the simulator, then the samples.
const COLUMNS: [[&str; 2]; 13] = [
    ["label", "label"],
    ["user", "user"],
    ["time", "time"],
    ["age_group", "age_group"],
    ["gender", "gender"],
    ["city_tier", "city_tier"],
    ["item", "item"],
    ["category", "category"],
    ["department", "department"],
    ["history_items", "history.item"],
    ["history_categories", "history.category"],
    ["blind_probability", "blind_probability"],
    ["true_probability", "true_probability"],
];

/// Rows by user and time, of which each is there once; their values in the order of the columns.
type Samples = BTreeMap<(String, String), Vec<String>>;

fn samples(csv: &str, side: usize) -> Samples {
    let mut lines = csv.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let places = COLUMNS.map(|names| header.iter().position(|name| *name == names[side]).unwrap());
    let price = header.iter().position(|name| *name == "price").unwrap();
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let mut values: Vec<String> = places.iter().map(|place| fields[*place].to_owned()).collect();
        // Numbers may be written in several ways.
        for value in &mut values[11..] {
            *value = value.parse::<f64>().unwrap().to_string();
        }
        values.push(fields[price].parse::<f64>().unwrap().to_string());
        ((values[1].clone(), values[2].clone()), values)
    };
    let rows: Vec<_> = lines.map(row).collect();
    let count = rows.len();
    let samples: Samples = rows.into_iter().collect();
    assert_eq!(samples.len(), count);
    samples
}

fn exported(folder: &SamplesFolder, part: Part) -> Samples {
    let mut csv = Vec::new();
    write_csv(folder, part, &mut csv, &CsvExport::default()).unwrap();
    samples(&String::from_utf8(csv).unwrap(), 1)
}

#[test]
fn the_log_of_the_shop_gives_the_samples_of_the_shop() {
    let place = tempfile::tempdir().unwrap();
    let shop = ShopConfig { impressions: 10_000, seed: 5, ..ShopConfig::default() }.check().unwrap();
    let go_on = &mut |_: &fain_simulator::Progress| ControlFlow::Continue(());
    let files = shop.write_samples(place.path(), go_on).unwrap();
    let log = shop.write_log(place.path(), go_on).unwrap();
    let read = |path: &Path| samples(&std::fs::read_to_string(path).unwrap(), 0);
    let (train, test) = (read(&files.train), read(&files.test));

    let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/shop/prepare.toml");
    let config: PrepareConfig = toml::from_str(&std::fs::read_to_string(recipe).unwrap()).unwrap();
    let config = PrepareConfig { root: place.path().to_owned(), ..config };
    let prepared = prepare(&config, &place.path().join("samples"), &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(prepared.summary.rows, log.event_count);

    let [mut learnt, validation, tested] = Part::ALL.map(|part| exported(&prepared.samples, part));
    // Of 250 users, two rows each validate, but for those who have only one beside the test's.
    assert_eq!((learnt.len() + validation.len(), tested.len()), (9_000, 1_000));
    assert!(validation.len() > 480 && validation.len() <= 500, "{}", validation.len());
    learnt.extend(validation);
    assert!(learnt == train, "the rows of training and validation are those of train.csv");
    assert!(tested == test, "the rows of the test are those of test.csv");
    // There is something to compare: clicks, and histories that are cut.
    let clicks = train.values().filter(|row| row[0] == "1").count();
    assert!(clicks > 900 && clicks < 3_600, "{clicks} clicks");
    let longest = train.values().map(|row| row[9].split('|').count()).max();
    assert_eq!(longest, Some(50));
}
