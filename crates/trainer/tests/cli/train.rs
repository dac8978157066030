//! `fain train` from the first file to the report.

use std::fs;

use serde_json::Value;

use crate::support::{contents, experiment, fain, fain_in, folder, names, read_json, shop, text, trained};

/// The report without what differs from one run to the next: how long it took.
fn timeless(mut report: Value) -> Value {
    for key in ["seconds", "samples_per_second"] {
        assert!(report[key].as_f64().unwrap() > 0.0);
        report.as_object_mut().unwrap().remove(key);
    }
    report
}

#[test]
fn a_run_has_everything_and_learns() {
    let files = ["bundle", "checkpoints", "config.toml", "dataset.json", "events.jsonl", "report.json"];
    assert_eq!(names(trained()), files);
    assert_eq!(names(&trained().join("bundle")), ["bundle.json", "encoders.json", "model.safetensors"]);
    assert_eq!(names(&trained().join("checkpoints")), ["last.safetensors"]);
    // Two evaluations per epoch.
    assert_eq!(fs::read_to_string(trained().join("events.jsonl")).unwrap().lines().count(), 4);

    let report = read_json(&trained().join("report.json"));
    assert_eq!(report["model"], "din");
    assert_eq!(report["test"]["samples"], 1000);
    assert_eq!((&report["seed"], &report["threads"], &report["epochs"]), (&3.into(), &1.into(), &2.into()));
    let auc = |of: &Value| of.as_f64().unwrap();
    let (test, ceiling) = (&report["test"], &report["ceiling"]);
    assert_eq!(ceiling["auc"], test["auc"]);
    assert!(auc(&test["auc"]) > 0.58, "{report}");
    assert!(auc(&ceiling["optimal_auc"]) > auc(&ceiling["blind_auc"]) + 0.05, "{report}");
}

#[test]
fn the_same_command_gives_the_same_bytes() {
    let folder = folder();
    let again = folder.path().join("again");
    let printed = fain(&["train", experiment(), "--output", text(&again), "--json"]).json();
    assert_eq!(contents(&again.join("bundle")), contents(&trained().join("bundle")));
    for file in ["config.toml", "dataset.json"] {
        assert_eq!(fs::read(again.join(file)).unwrap(), fs::read(trained().join(file)).unwrap());
    }
    let report = read_json(&again.join("report.json"));
    assert_eq!(printed, report);
    assert_eq!(timeless(report), timeless(read_json(&trained().join("report.json"))));
}

#[test]
fn results_and_progress_are_told_apart() {
    let folder = folder();
    let run = folder.path().join("run");
    trained();
    let outcome = fain(&["train", experiment(), "--output", text(&run), "--set", "training.epochs=1"]);
    let told = &outcome.stderr;
    assert!(told.starts_with("encoded data found: "), "{told}");
    assert!(told.contains("\nepoch 1 of 1\n"), "{told}");
    assert!(told.contains("epoch 1, step 29: training loss 0."), "{told}");
    assert!(!told.contains(['\r', '\u{1b}']), "{told}");
    let table = outcome.done();
    let report = read_json(&run.join("report.json"));
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[2], ["AUC", "GAUC", "log", "loss", "PCOC", "samples", "clicks"]);
    for (line, split) in lines[3..6].iter().zip(["train", "validation", "test"]) {
        assert_eq!(line[0], split);
        assert_eq!(line[1], format!("{:.4}", report[split]["auc"].as_f64().unwrap()));
        assert_eq!(line[3], format!("{:.4}", report[split]["log_loss"].as_f64().unwrap()));
    }
    let optimal = format!("optimal {:.4}; share of the way", report["ceiling"]["optimal_auc"].as_f64().unwrap());
    assert!(table.contains(&optimal), "{table}");
    assert!(table.ends_with(&format!("run: {}\n", run.display())), "{table}");
}

#[test]
fn a_run_is_named_for_its_file() {
    let folder = folder();
    let config = folder.path().join("mine.toml");
    fs::copy(experiment(), &config).unwrap();
    let settings = ["--set", "training.epochs=1", "--set", "training.evaluations_per_epoch=1"];
    let output = fain_in(folder.path()).args(["train", "mine.toml"]).args(settings).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let report = read_json(&folder.path().join("runs/mine/report.json"));
    assert_eq!(report["epochs"], 1);
    let config = fs::read_to_string(folder.path().join("runs/mine/config.toml")).unwrap();
    assert!(config.contains("epochs = 1\n") && config.contains(&format!("root = \"{}\"", text(shop()))), "{config}");
}

#[test]
fn a_run_that_exists_is_refused_before_data_is_read() {
    let folder = folder();
    let arguments = ["train", experiment(), "--output", text(folder.path()), "--set", "data.train=missing.csv"];
    fain(&arguments).refused(2, &[text(folder.path()), "exists; choose another folder with --output", "--resume"]);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_device_that_is_not_there_is_refused_before_data_is_read() {
    let arguments = ["train", experiment(), "--device", "cuda:4096", "--set", "data.train=missing.csv"];
    fain(&arguments).refused(2, &["--device cpu"]);
    let unknown = fain(&["train", experiment(), "--device", "gpu"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("`gpu` is no device; allowed: cpu, cuda, cuda:N"), "{unknown:?}");
}

#[test]
fn a_run_that_fails_at_its_first_step_leaves_no_folder() {
    let folder = folder();
    let run = folder.path().join("run");
    let arguments = ["train", experiment(), "--output", text(&run), "--set", "training.learning_rate=1e30"];
    fain(&arguments).refused(1, &["the training loss is", "a lower training.learning_rate may help"]);
    assert!(!run.exists());
}
