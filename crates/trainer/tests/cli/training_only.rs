//! A model that reads negatives in training, and files to score that have none.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::support::{Outcome, experiment, fain, folder, read_json, shop, text};

const NEGATIVES: [&str; 2] = ["negative_items", "negative_categories"];
const MODEL: &str = r#"model={ kind = "dien", embedding = { dim = 4, std = 0.1 }, mlp = { hidden = [16] }, auxiliary = { hidden = [8] }, interests = [{ candidate = ["item", "category"], history = ["history_items", "history_categories"], negative = ["negative_items", "negative_categories"] }] }"#;

/// Trains the small experiment with DIEN in the place of DIN.
fn train(run: &Path, more: &[&str]) -> Outcome {
    let feature = |name: &str, vocabulary: &str| {
        format!("schema.features.{name}={{ kind = \"sequence\", max_length = 10, vocabulary = \"{vocabulary}\" }}")
    };
    let (items, categories) = (feature(NEGATIVES[0], "item"), feature(NEGATIVES[1], "category"));
    let settings = [MODEL, &items, &categories, "training.epochs=1", "training.evaluations_per_epoch=1"];
    let mut arguments = vec!["train", experiment(), "--output", text(run)];
    for &setting in settings.iter().chain(more) {
        arguments.extend(["--set", setting]);
    }
    fain(&arguments)
}

/// A run of DIEN that is done.
fn trained() -> &'static Path {
    static RUN: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, run) = RUN.get_or_init(|| {
        let folder = folder();
        let run = folder.path().join("run");
        train(&run, &[]).done();
        (folder, run)
    });
    run
}

/// Copies a file of the shop without some of its columns.
fn without(file: &str, columns: &[&str], to: &Path) {
    let rows = fs::read_to_string(shop().join(file)).unwrap();
    let header: Vec<&str> = rows.lines().next().unwrap().split(',').collect();
    let kept: Vec<usize> = (0..header.len()).filter(|&column| !columns.contains(&header[column])).collect();
    assert_eq!(kept.len(), header.len() - columns.len());
    let row = |row: &str| {
        let fields: Vec<&str> = row.split(',').collect();
        kept.iter().map(|&column| fields[column]).collect::<Vec<_>>().join(",")
    };
    fs::write(to, rows.lines().map(row).collect::<Vec<_>>().join("\n")).unwrap();
}

#[test]
fn predictions_need_no_negatives() {
    let folder = folder();
    let file = folder.path().join("new.csv");
    without("test.csv", &NEGATIVES, &file);
    let predict = |input: &Path, name: &str| {
        let output = folder.path().join(name);
        fain(&["predict", text(trained()), "--input", text(input), "--output", text(&output)]).done();
        fs::read(output).unwrap()
    };
    let scores = predict(&shop().join("test.csv"), "with.csv");
    assert!(predict(&file, "without.csv") == scores);
    assert_eq!(String::from_utf8(scores).unwrap().lines().count(), 1001);

    without("test.csv", &["history_items"], &file);
    let output = folder.path().join("scores.csv");
    fain(&["predict", text(trained()), "--input", text(&file), "--output", text(&output)])
        .refused(3, &["new.csv: no column \"history_items\", which schema.features.history_items names"]);
}

#[test]
fn an_evaluation_needs_no_negatives() {
    let folder = folder();
    let file = folder.path().join("new.csv");
    without("test.csv", &NEGATIVES, &file);
    let report = read_json(&trained().join("report.json"));
    let mut expected = report["test"].clone();
    expected["ceiling"] = report["ceiling"].clone();
    assert!(expected["auc"].is_f64());
    assert_eq!(fain(&["evaluate", text(trained()), "--json"]).json(), expected);
    assert_eq!(fain(&["evaluate", text(trained()), "--data", text(&file), "--json"]).json(), expected);
}

#[test]
fn a_training_needs_them() {
    let folder = folder();
    for file in ["train.csv", "test.csv"] {
        without(file, &NEGATIVES[1..], &folder.path().join(file));
    }
    let root = format!("data.root={}", text(folder.path()));
    train(&folder.path().join("run"), &[&root])
        .refused(3, &["no column \"negative_categories\", which schema.features.negative_categories names"]);
}
