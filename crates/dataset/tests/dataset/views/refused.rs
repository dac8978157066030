//! What is refused, and what is left behind.

use std::ops::ControlFlow;
use std::path::Path;

use fain_dataset::{Dataset, DatasetError};
use fain_features::SchemaConfig;
use fain_samples::{Draw, Part};

use super::{NEGATIVES, SCHEMA, dataset, large, prepare, schema};
use crate::star::Star;
use crate::support::Place as Folder;

#[test]
fn an_interrupt_leaves_nothing() {
    let star = large(Draw::Fixed);
    let folder = Folder::new();
    std::fs::create_dir(folder.path("samples")).unwrap();
    star.write(&folder.path("samples"), 1000);
    let schema = schema(&star, "userId");
    let mut stop_at = 0;
    loop {
        let mut reports = 0;
        let outcome = Dataset::prepare(&folder.config("samples = 'samples'"), &schema, &mut |_| {
            reports += 1;
            if reports > stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        match outcome {
            Err(DatasetError::Interrupted) => assert_eq!(folder.cached(), [""; 0]),
            other => {
                other.unwrap();
                break;
            }
        }
        stop_at += 1;
    }
    // Fitting, three tables, and three parts at least.
    assert!(stop_at >= 7, "{stop_at}");
}

/// The refusal of a schema with another line.
fn refusal(change: impl Fn(&mut Star), from: &str, to: &str) -> String {
    let mut star = large(Draw::Epoch);
    change(&mut star);
    let text = format!("{SCHEMA}{}", NEGATIVES.lines().nth(1).unwrap());
    assert!(text.contains(from), "{from}");
    let config: SchemaConfig = toml::from_str(&text.replacen(from, to, 1)).unwrap();
    let (folder, dataset) = dataset(&star, &config.check().unwrap());
    assert_eq!(folder.cached(), [""; 0]);
    let path = format!("{}/", Path::new(&folder.path("")).display().to_string().trim_end_matches('/'));
    dataset.unwrap_err().to_string().replace(&path, "")
}

#[test]
fn what_a_schema_cannot_read_is_refused_by_name() {
    let nothing = |_: &mut Star| {};
    let cases = [
        (
            "column = \"movieId\"",
            "column = \"filmId\"",
            "samples: no column \"filmId\", which schema.features.item names; the header has: label, timestamp, userId, \
             gender, age, movieId, genres, genre, price, device, hour, tags, history.movieId, history.genre, \
             history.rating, history.behaviour, history.timestamp, negative.movieId, negative.genre",
        ),
        (
            "genre = { kind = \"category\", min_count = 2 }",
            "genre = { kind = \"category\", column = \"genres\" }",
            "schema.features.genre.kind = \"category\": the column \"genres\" of the samples holds a list of terms per \
             sample; a feature of this kind reads one term per sample",
        ),
        (
            "price = { kind = \"numeric\" }",
            "price = { kind = \"sequence\", column = \"history.rating\", max_length = 3 }",
            "schema.features.price.kind = \"sequence\": the column \"history.rating\" of the samples holds a list of \
             numbers per sample; a feature of this kind reads a list of terms per sample",
        ),
        (
            "genres = { kind = \"sequence\",",
            "genres = { kind = \"sequence\", separator = \",\",",
            "schema.features.genres.separator = \",\": must be left out: samples keep the terms of a list apart without one",
        ),
        (
            "genres = { kind = \"sequence\",",
            "genres = { kind = \"sequence\", weight_separator = \":\",",
            "schema.features.genres.weight_separator = \":\": must be left out: samples have no weights",
        ),
        (
            "label = \"label\"",
            "label = \"history.rating\"",
            "schema.label = \"history.rating\": the samples have a list of numbers per sample there; needed: the label, which is called \
             \"label\"",
        ),
        (
            "time = \"timestamp\"",
            "time = \"hour\"",
            "schema.time = \"hour\": the samples have a number per sample there; needed: the time of the sample",
        ),
        (
            "time = \"timestamp\"",
            "group = \"hour\"",
            "schema.group = \"hour\": the samples have a number per sample there; needed: one term per sample",
        ),
        (
            "time = \"timestamp\"",
            "ceiling = { blind = \"blind\", optimal = \"optimal\" }",
            "schema.ceiling = { .. }: cannot be known of candidates that are drawn, as the samples say",
        ),
        (
            "column = \"negative.movieId\", max_length = 3, vocabulary = \"item\"",
            "column = \"negative.movieId\", max_length = 3",
            "schema.features.negatives.vocabulary = (not set): must name the feature that reads the items themselves, as \
             negatives that are drawn anew in each epoch have no counts",
        ),
    ];
    for (from, to, message) in cases {
        assert_eq!(refusal(nothing, from, to), message);
    }
}

#[test]
fn parts_need_rows_and_both_labels() {
    let without = |part: Part| {
        move |star: &mut Star| {
            let empty = fain_samples::RowBlock::new(&star.layout);
            *star.rows.get_mut(part) = empty;
        }
    };
    let same = "label = \"label\"";
    assert_eq!(refusal(without(Part::Train), same, same), "samples: the samples have no training rows");
    assert_eq!(refusal(without(Part::Validation), same, same), "samples: the samples have no validation rows");
    let alike = |star: &mut Star| {
        star.negatives.candidates = None;
        star.rows.train.labels.fill(1);
    };
    let message = refusal(alike, same, same);
    assert!(message.starts_with("samples: column \"label\": "), "{message}");
    assert!(message.ends_with(" rows, all 1; training needs both 0 and 1"), "{message}");
    // Test rows may be missing.
    let mut star = large(Draw::Fixed);
    without(Part::Test)(&mut star);
    let (_folder, dataset) = dataset(&star, &schema(&star, "userId"));
    assert!(dataset.unwrap().test().is_none());
}

#[test]
fn samples_that_are_not_there_are_said_to_be_missing() {
    let folder = Folder::new();
    let schema = schema(&large(Draw::Fixed), "userId");
    let message = prepare(&folder.config("samples = 'none'"), &schema).unwrap_err().to_string();
    assert!(message.ends_with("none/manifest.json: the file is missing; needed: a file of a dataset"), "{message}");
    assert!(Dataset::cached_encoders(&folder.config("samples = 'none'"), &schema).unwrap().is_none());
}
