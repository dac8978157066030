//! What is read where, and where rows came from.

use std::ops::ControlFlow;

use fain_dataset::{Content, Dataset, Origin};
use fain_features::{Column, Schema};
use fain_samples::{ByPart, Draw, Field, Part, Place, TermTable, Values};

use super::{column, dataset, every_row, large, schema};
use crate::support::Place as Folder;

#[test]
fn rows_are_known_by_user_item_and_time() {
    let star = large(Draw::Fixed);
    let (_folder, dataset) = dataset(&star, &schema(&star, "userId"));
    let dataset = dataset.unwrap();
    let rows = &star.rows;
    let origins: ByPart<fn(&Dataset, u64) -> Option<Origin>> =
        ByPart { train: Dataset::train_origin, validation: Dataset::validation_origin, test: Dataset::test_origin };
    for part in Part::ALL {
        let (rows, origin) = (rows.get(part), origins.get(part));
        let count = 3 * rows.labels.len() as u64;
        for row in 0..count {
            let stored = row as usize / 3;
            let user = star.text(TermTable::User(Field::Key), rows.users[stored]).to_owned();
            let item = star.text(TermTable::Item(Field::Key), rows.items[stored]).to_owned();
            let expected = Origin::Sample { user, item, time: Some(rows.times[stored]), drawn: row % 3 != 0 };
            assert_eq!(origin(&dataset, row), Some(expected));
        }
        assert_eq!((origin(&dataset, count), origin(&dataset, u64::MAX)), (None, None));
    }
    let sample = |drawn, time| Origin::Sample { user: "ann".to_owned(), item: "hat".to_owned(), time, drawn };
    assert_eq!(sample(false, Some(7)).to_string(), "user \"ann\", item \"hat\", time 7");
    assert_eq!(sample(true, None).to_string(), "a negative drawn beside user \"ann\", item \"hat\"");
}

#[test]
fn numbers_come_from_the_tables() {
    let star = large(Draw::Fixed);
    let mut config = schema(&star, "userId").config().clone();
    config.features.retain(|name, _| ["price", "age"].contains(&name.as_str()));
    for feature in config.features.values_mut() {
        let fain_features::FeatureConfig::Numeric(numeric) = feature else { panic!("{feature:?}") };
        (numeric.scale, numeric.quantiles) = (fain_features::Scale::None, None);
    }
    let (_folder, dataset) = dataset(&star, &config.check().unwrap());
    let dataset = dataset.unwrap();
    let test = every_row(dataset.test().unwrap());
    for (feature, place, rows) in
        [("age", Place::User, &star.rows.test.users), ("price", Place::Item, &star.rows.test.items)]
    {
        let Column::Numeric(found) = column(dataset.train(), &test, feature) else { panic!() };
        let numbers = star.columns(place).iter().find_map(|values| match values {
            Values::Number(numbers) => Some(numbers),
            _ => None,
        });
        for (stored, row) in rows.iter().enumerate() {
            let number = numbers.unwrap()[*row as usize];
            if !number.is_nan() {
                assert_eq!(found[3 * stored].to_bits(), (number as f32).to_bits());
            }
        }
    }
}

#[test]
fn the_manifest_says_what_is_read_where() {
    let star = large(Draw::Fixed);
    let (folder, dataset) = dataset(&star, &schema(&star, "genre"));
    let dataset = dataset.unwrap();
    let Content::Views(info) = &dataset.manifest().content else { panic!() };
    assert_eq!((info.user.as_str(), info.item.as_str(), info.max_length), ("userId", "movieId", 8));
    assert_eq!(info.negatives, star.negatives);
    let readings: Vec<String> =
        info.features.iter().map(|(name, reading)| format!("{name}: {reading:?}").to_lowercase()).collect();
    assert_eq!(
        readings.join(", "),
        "user: user, gender: user, age: user, item: item, genre: item, genres: item, price: item, device: row, hour: row, \
         tags: row, when: row, past: history, past_genres: history, behaviours: history, times: history, \
         negatives: negative, negative_genres: negative"
    );
    assert_eq!(format!("{:?}", info.group), "Some(Item)");
    let manifest = std::fs::read(folder.path("samples/manifest.json")).unwrap();
    assert_eq!((info.samples.file.as_str(), info.samples.bytes), ("manifest.json", manifest.len() as u64));
    assert_eq!(again(&folder, &schema(&star, "genre")), 0);
    assert!(again(&folder, &schema(&star, "gender")) > 0);
}

/// How often `prepare` reports.
fn again(folder: &Folder, schema: &Schema) -> usize {
    let mut reports = 0;
    let mut count = |_: &_| {
        reports += 1;
        ControlFlow::Continue(())
    };
    Dataset::prepare(&folder.config("samples = 'samples'"), schema, &mut count).unwrap();
    reports
}
