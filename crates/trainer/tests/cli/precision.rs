//! Trainings in bfloat16.

use std::fs;

use crate::support::{contents, experiment, fain, folder, read_json, text, trained};

const BFLOAT16: [&str; 2] = ["--set", "training.precision=bfloat16"];

#[test]
fn a_run_in_bfloat16_learns_and_its_bundle_repeats_its_metrics() {
    let folder = folder();
    let [run, again] = ["run", "again"].map(|name| folder.path().join(name));
    let outcome = fain(&[&["train", experiment(), "--output", text(&run)], &BFLOAT16[..]].concat());
    assert!(outcome.done().contains(" s on cpu in bfloat16, seed 3\n"));
    let (report, single) = (read_json(&run.join("report.json")), read_json(&trained().join("report.json")));
    assert_eq!((&report["precision"], &single["precision"]), (&"bfloat16".into(), &"float32".into()));
    let auc = |report: &serde_json::Value| report["test"]["auc"].as_f64().unwrap();
    assert!((auc(&report) - auc(&single)).abs() < 0.01, "{} {}", auc(&report), auc(&single));

    // Scores are float32 in both commands, and as many bytes go into the bundle.
    let mut expected = report["test"].clone();
    expected["ceiling"] = report["ceiling"].clone();
    assert_eq!(fain(&["evaluate", text(&run), "--json"]).json(), expected);
    let size = |run: &std::path::Path| fs::metadata(run.join("bundle/model.safetensors")).unwrap().len();
    assert_eq!(size(&run), size(trained()));
    assert_ne!(contents(&run.join("bundle")), contents(&trained().join("bundle")));

    let config = fs::read_to_string(run.join("config.toml")).unwrap();
    assert!(config.contains("precision = \"bfloat16\"\n"), "{config}");
    fain(&["train", text(&run.join("config.toml")), "--output", text(&again)]).done();
    assert_eq!(contents(&run.join("bundle")), contents(&again.join("bundle")));
}

#[test]
fn a_run_does_not_go_on_in_another_precision() {
    let folder = folder();
    let run = folder.path().join("run");
    let begun = ["train", experiment(), "--output", text(&run), "--set", "training.epochs=1"];
    fain(&begun).done();
    fs::remove_file(run.join("report.json")).unwrap();
    fs::remove_dir_all(run.join("bundle")).unwrap();
    let resumed = fain(&[&begun[..], &BFLOAT16[..], &["--resume"]].concat());
    resumed.refused(2, &["training.precision"]);
}

#[test]
fn an_unknown_precision_is_refused_with_the_words_there_are() {
    let outcome = fain(&["train", experiment(), "--set", "training.precision=float16"]);
    outcome.refused(2, &["training.precision", "`float16`", "expected `float32` or `bfloat16`"]);
}
