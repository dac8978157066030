//! What comes out of a dataset is what encoding the CSV rows gives.

use std::fmt::Write;

use fain_dataset::Dataset;
use fain_features::{Binding, Parts, Record, Samples, TableReader};
use proptest::prelude::*;

use crate::support::{HEADER, Place, Row, all, prepare, split_up};

/// A row of a log.
#[derive(Debug, Clone)]
struct Event {
    click: bool,
    user: u8,
    item: String,
    history: Vec<String>,
    price: Option<i16>,
}

fn events(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Event>> {
    let term = || "[a-cé, \"]{0,2}";
    let event = (any::<bool>(), 0..12_u8, term(), prop::collection::vec(term(), 0..7), prop::option::of(any::<i16>()))
        .prop_map(|(click, user, item, history, price)| Event { click, user, item, history, price });
    prop::collection::vec(event, count)
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// The log as CSV; the blind probability numbers the rows. The first two rows make both classes and a price.
fn csv(events: &[Event]) -> String {
    let mut text = format!("{HEADER}\n0,u0,0,0.5,a,,1\n1,u1,{},0.5,b,,2\n", 1.0 / 1_048_576.0);
    for (row, event) in events.iter().enumerate() {
        let blind = (row + 2) as f64 / 1_048_576.0;
        let (click, user) = (u8::from(event.click), event.user);
        let item = quoted(&event.item);
        let history = quoted(&event.history.join("|"));
        let price = event.price.map_or_else(String::new, |price| price.to_string());
        writeln!(text, "{click},u{user},{blind},0.25,{item},{history},{price}").unwrap();
    }
    text
}

/// The rows of a source, encoded one after the other with the dataset's encoders.
fn encoded(place: &Place, file: &str, dataset: &Dataset) -> Vec<Row> {
    let encoders = dataset.encoders();
    let parts = Parts::of(encoders.schema());
    let path = place.path(file);
    let mut reader = TableReader::open(&path, &fain_features::CsvConfig::default()).unwrap();
    let binding = Binding::new(encoders.schema(), parts, reader.header(), &path).unwrap();
    let mut samples = Samples::new(encoders.schema(), parts);
    let mut record = Record::default();
    while reader.read(&mut record).unwrap() {
        encoders.encode(&record, &binding, &mut samples).unwrap();
    }
    split_up(&samples)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn files_of_their_own(train in events(0..60), held in events(0..20), test in events(0..20)) {
        let place = Place::new();
        for (name, events) in [("train.csv", &train), ("held.csv", &held), ("test.csv", &test)] {
            place.write(name, &csv(events));
        }
        let config = place.config("train = 'train.csv'\ntest = 'test.csv'\nvalidation.file = 'held.csv'");
        let dataset = prepare(&config).unwrap();
        prop_assert_eq!(all(dataset.train()), encoded(&place, "train.csv", &dataset));
        prop_assert_eq!(all(dataset.validation()), encoded(&place, "held.csv", &dataset));
        prop_assert_eq!(all(dataset.test().unwrap()), encoded(&place, "test.csv", &dataset));
    }

    #[test]
    fn held_out_rows(events in events(40..80), seed in any::<u32>(), by_user in any::<bool>()) {
        let place = Place::new();
        place.write("train.csv", &csv(&events));
        let by = if by_user { ", by = 'user'" } else { "" };
        let text = format!("train = 'train.csv'\nvalidation = {{ fraction = 0.3, seed = {seed}{by} }}");
        // A draw may leave a side without rows or without a class; what is said then is tested elsewhere.
        let Ok(dataset) = prepare(&place.config(&text)) else {
            return Err(TestCaseError::reject("nothing to split"));
        };
        let (train, validation) = (all(dataset.train()), all(dataset.validation()));
        let mut both = [train.clone(), validation.clone()].concat();
        both.sort_by_key(Row::number);
        prop_assert_eq!(both, encoded(&place, "train.csv", &dataset));
        if by_user {
            let shared = train.iter().find(|row| validation.iter().any(|held| held.group == row.group));
            prop_assert_eq!(shared, None);
        }
    }
}
