//! Rows put together from tables.

mod drawn;
mod equal;
mod refused;
mod tables;

use std::ops::ControlFlow;

use fain_dataset::{DataConfig, Dataset, DatasetError, Split};
use fain_features::{Column, Samples, Schema, SchemaConfig};
use fain_samples::{Draw, Field, TermTable, Values};

use crate::star::{Shape, Star};
use crate::support::Place as Folder;

/// Every kind of feature over every table, with shared and own vocabularies, cut at both ends.
const SCHEMA: &str = r#"
    label = "label"
    time = "timestamp"
    [features]
    user = { kind = "category", column = "userId", min_count = 3 }
    gender = { kind = "category" }
    age = { kind = "numeric", scale = "quantile", quantiles = 5 }
    item = { kind = "category", column = "movieId" }
    genre = { kind = "category", min_count = 2 }
    genres = { kind = "sequence", max_length = 2 }
    price = { kind = "numeric" }
    device = { kind = "category" }
    hour = { kind = "numeric", scale = "min_max" }
    tags = { kind = "sequence", max_length = 1, keep = "first" }
    when = { kind = "numeric", column = "timestamp", scale = "none" }
    past = { kind = "sequence", column = "history.movieId", max_length = 3, vocabulary = "item" }
    past_genres = { kind = "sequence", column = "history.genre", max_length = 2, keep = "first" }
    behaviours = { kind = "sequence", column = "history.behaviour", max_length = 100, min_count = 2 }
    times = { kind = "times", column = "history.timestamp", max_length = 3 }
"#;

const NEGATIVES: &str = r#"
    negatives = { kind = "sequence", column = "negative.movieId", max_length = 3, vocabulary = "item" }
    negative_genres = { kind = "sequence", column = "negative.genre", max_length = 2, keep = "first" }
"#;

const GROUPS: [&str; 4] = ["userId", "gender", "genre", "device"];

fn schema(star: &Star, group: &str) -> Schema {
    let negatives = if star.negatives.history.is_some() { NEGATIVES } else { "" };
    let mut config: SchemaConfig = toml::from_str(&format!("{SCHEMA}{negatives}")).unwrap();
    config.group = Some(group.to_owned());
    config.check().unwrap()
}

fn prepare(config: &DataConfig, schema: &Schema) -> Result<Dataset, DatasetError> {
    Dataset::prepare(config, schema, &mut |_| ControlFlow::Continue(()))
}

/// Lists of one missing value cannot be written in line, so that no value of a list is missing.
fn readable(shape: Shape) -> Star {
    let mut star = Star::random(shape);
    for (table, texts) in &mut star.terms {
        if matches!(table, TermTable::Item(Field::Column(_)) | TermTable::Event(_)) {
            "present".clone_into(&mut texts[0]);
        }
    }
    for values in &mut star.events.columns {
        if let Values::Number(numbers) = values {
            numbers.iter_mut().filter(|number| number.is_nan()).for_each(|number| *number = 0.0);
        }
    }
    star
}

fn every_row(split: &Split) -> Samples {
    let mut samples = Samples::default();
    split.gather(&(0..split.rows()).collect::<Vec<u64>>(), &mut samples).unwrap();
    samples
}

fn splits(dataset: &Dataset) -> [&Split; 3] {
    [dataset.train(), dataset.validation(), dataset.test().unwrap()]
}

/// A star with everything that is drawn, and enough of it.
fn large(draw: Draw) -> Star {
    let shape = Shape {
        users: 40,
        items: 30,
        max_length: 8,
        times: true,
        columns: true,
        candidates: Some(2),
        history: true,
        seed: 5,
    };
    let mut star = readable(shape);
    star.negatives.candidates.as_mut().unwrap().rule.draw = draw;
    star.negatives.history.as_mut().unwrap().draw = draw;
    star
}

/// The values of a feature.
fn column<'a>(split: &Split, samples: &'a Samples, feature: &str) -> &'a Column {
    let (place, _) = split.schema().feature(feature).unwrap();
    &samples.columns[place]
}

fn dataset(star: &Star, schema: &Schema) -> (Folder, Result<Dataset, DatasetError>) {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("samples")).unwrap();
    star.write(&folder.path("samples"), 1000);
    let dataset = prepare(&folder.config("samples = 'samples'"), schema);
    (folder, dataset)
}
