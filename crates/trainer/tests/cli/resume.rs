//! Runs that are stopped and go on.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Outcome, contents, copy_folder, experiment, fain, folder, names, read_json, shop, text, trained};

/// Small steps, so that there is time to stop a run.
const SLOW: [&str; 6] =
    ["--set", "training.batch_size=40", "--set", "training.epochs=4", "--set", "training.evaluations_per_epoch=1"];

fn slow<'a>(run: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    [&["train", experiment(), "--output", text(run)], &SLOW[..], more].concat()
}

/// The slow run as it is when nothing stops it.
fn uninterrupted() -> &'static Path {
    static RUN: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, run) = RUN.get_or_init(|| {
        let folder = folder();
        let run = folder.path().join("run");
        fain(&slow(&run, &[])).done();
        (folder, run)
    });
    run
}

/// Stops the slow run by a signal in its second epoch.
fn stopped(run: &Path, signal: &str) -> Outcome {
    signalled("--default-signal=HUP,INT,TERM", &slow(run, &[]), "epoch 2 of 4\n", signal)
}

/// Calls the program, with its signals set as `env` is told, and sends it a signal once it has said `until`.
fn signalled(setting: &str, arguments: &[&str], until: &str, signal: &str) -> Outcome {
    let mut command = Command::new("env");
    command.args([setting, env!("CARGO_BIN_EXE_fain")]).args(arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut stderr = String::new();
    while !stderr.ends_with(until) {
        assert_ne!(told.read_line(&mut stderr).unwrap(), 0, "{stderr}");
    }
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
    told.read_to_string(&mut stderr).unwrap();
    let output = child.wait_with_output().unwrap();
    Outcome { code: output.status.code(), stdout: String::from_utf8(output.stdout).unwrap(), stderr }
}

/// The run goes on to the very bytes of a run that was not stopped.
fn goes_on(run: &Path, command: &[&str]) {
    let report = fain(&[command, &["--json"]].concat()).json();
    assert_eq!(contents(&run.join("bundle")), contents(&uninterrupted().join("bundle")));
    let expected = read_json(&uninterrupted().join("report.json"));
    for key in ["best_epoch", "best_step", "epochs", "train", "validation", "test", "ceiling"] {
        assert_eq!(report[key], expected[key], "{key}");
    }
    assert_eq!(events(run), events(uninterrupted()));
}

/// The evaluations without the time they took.
fn events(run: &Path) -> Vec<Value> {
    let text = fs::read_to_string(run.join("events.jsonl")).unwrap();
    let line = |line: &str| {
        let mut event: Value = serde_json::from_str(line).unwrap();
        event.as_object_mut().unwrap().remove("train_seconds");
        event
    };
    text.lines().map(line).collect()
}

#[test]
fn an_interrupted_run_goes_on_to_the_same_bytes() {
    let folder = folder();
    let run = folder.path().join("run");
    let outcome = stopped(&run, "-INT");
    outcome.refused(130, &["interrupted: the checkpoint is ", "run/checkpoints/last.safetensors", "--resume"]);
    assert_eq!(names(&run), ["checkpoints", "config.toml", "dataset.json", "events.jsonl"]);
    // It stopped within an epoch: there is one evaluation, and the checkpoint is newer.
    assert_eq!(events(&run).len(), 1);
    fain(&["evaluate", text(&run)]).refused(2, &["the run has no bundle yet; go on with: fain train"]);
    let shown = fain(&["inspect", text(&run)]).done();
    assert!(shown.contains(": not done; go on with: fain train"), "{shown}");
    let (_, command) = outcome.stderr.trim_end().split_once("go on with: fain ").unwrap();
    goes_on(&run, &command.split(' ').collect::<Vec<_>>());
}

#[test]
fn a_killed_run_goes_on_to_the_same_bytes() {
    let folder = folder();
    let run = folder.path().join("run");
    let outcome = stopped(&run, "-KILL");
    assert_eq!(outcome.code, None);
    goes_on(&run, &slow(&run, &["--resume"]));
}

#[test]
fn a_termination_is_an_interruption() {
    let folder = folder();
    let run = folder.path().join("run");
    stopped(&run, "-TERM").refused(130, &["interrupted: the checkpoint is "]);
}

#[test]
fn an_interruption_before_the_training_leaves_nothing() {
    let folder = folder();
    let output = folder.path().join("output");
    let interrupted = |arguments: &[&str], until: &str| {
        let arguments = [arguments, &["--output", text(&output)]].concat();
        signalled("--default-signal=INT,HUP", &arguments, until, "-INT")
    };
    let outcome = interrupted(&["demo"], "fitting the encoders\n");
    outcome.refused(130, &["interrupted: the data was not yet encoded, and nothing is left behind"]);
    assert!(names(folder.path()).is_empty());
    let outcome = interrupted(&["simulate", "--impressions", "5000000"], "finding the blind probabilities\n");
    outcome.refused(130, &["interrupted: no file was written"]);
    assert!(names(&output).is_empty());
}

/// The demo's other models are runs of their own, inside its folder.
#[test]
fn an_interrupted_demo_keeps_the_run_that_was_begun() {
    let folder = folder();
    let demo = folder.path().join("demo");
    let arguments = ["demo", "--impressions", "30000", "--output", text(&demo)];
    let outcome = signalled("--default-signal=INT,HUP", &arguments, "epoch 2 of 10\n", "-INT");
    outcome.refused(130, &["interrupted: the checkpoint is ", "demo/base/checkpoints/last.safetensors", "--resume"]);
    assert_eq!(names(&demo), ["base", "data", "encoded"]);
    let (_, command) = outcome.stderr.trim_end().split_once("go on with: fain ").unwrap();
    let report = fain(&[&command.split(' ').collect::<Vec<_>>()[..], &["--json"]].concat()).json();
    assert_eq!((&report["model"], &report["test"]["samples"]), (&"base".into(), &3000.into()));
}

/// `nohup` starts a program so that it ignores hang-ups.
#[test]
fn a_run_that_ignores_hang_ups_outlives_its_terminal() {
    let folder = folder();
    let run = folder.path().join("run");
    signalled("--ignore-signal=HUP", &slow(&run, &[]), "epoch 2 of 4\n", "-HUP").done();
    assert_eq!(contents(&run.join("bundle")), contents(&uninterrupted().join("bundle")));
    // Where hang-ups are not ignored, the terminal's end is an interruption.
    let other = folder.path().join("other");
    stopped(&other, "-HUP").refused(130, &["interrupted: the checkpoint is "]);
}

#[test]
fn a_run_that_is_done_does_not_go_on() {
    fain(&["train", experiment(), "--output", text(trained()), "--resume"])
        .refused(2, &[text(trained()), "the run is done, as its report.json says"]);
}

#[test]
fn only_a_run_goes_on() {
    let folder = folder();
    let none = folder.path().join("none");
    fain(&["train", experiment(), "--output", text(&none), "--resume"]).refused(2, &["none: does not exist"]);
    fain(&["train", experiment(), "--output", text(folder.path()), "--resume"])
        .refused(2, &["is no run: it has no config.toml"]);
    assert!(names(folder.path()).is_empty());
}

/// A run that lost its report, so that it may go on.
fn unfinished(folder: &Path) -> PathBuf {
    let run = folder.join("run");
    copy_folder(trained(), &run);
    fs::remove_file(run.join("report.json")).unwrap();
    run
}

#[test]
fn other_settings_are_named() {
    let folder = folder();
    let run = unfinished(folder.path());
    let call = |setting| fain(&["train", experiment(), "--output", text(&run), "--resume", "--set", setting]);
    call("training.learning_rate=0.02").refused(
        2,
        &[
            "run/config.toml: the run was begun with other settings",
            "training.learning_rate was 0.01 and is 0.02",
            "only training.epochs and training.patience may change",
        ],
    );
    call("schema.features.gender.min_count=7").refused(2, &["schema.features.gender.min_count was not set and is 7"]);
    // How long a run trains may be decided later.
    call("training.epochs=3").done();
    assert_eq!(read_json(&run.join("report.json"))["epochs"], 3);
    assert!(fs::read_to_string(run.join("config.toml")).unwrap().contains("epochs = 3\n"));
}

#[test]
fn other_data_is_refused() {
    let folder = folder();
    let data = folder.path().join("data");
    copy_folder(shop(), &data);
    let root = format!("data.root={}", data.display());
    let run = folder.path().join("run");
    let begin = ["train", experiment(), "--output", text(&run), "--set", &root, "--set", "training.epochs=1"];
    fain(&begin).done();
    fs::remove_file(run.join("report.json")).unwrap();
    let test = data.join("test.csv");
    let rows = fs::read_to_string(&test).unwrap();
    fs::write(&test, rows.lines().take(500).collect::<Vec<_>>().join("\n")).unwrap();
    fain(&[&begin[..], &["--resume"]].concat())
        .refused(3, &["run/dataset.json: describes other rows than the data has now"]);
}
