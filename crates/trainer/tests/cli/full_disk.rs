//! A disk that fills: the work fails, and nothing half-written is left.

use std::fs;

use crate::support::{contents, copy_folder, experiment, fain, fain_on_full_disk, folder, names, shop, text, trained};

/// Far less than any of the files that are written here.
const BLOCKS: u32 = 8;

#[test]
fn while_the_dataset_is_written() {
    let folder = folder();
    let (cache, run) = (folder.path().join("cache"), folder.path().join("run"));
    let cached = format!("data.cache={}", cache.display());
    let outcome = fain_on_full_disk(BLOCKS, &["train", experiment(), "--output", text(&run), "--set", &cached]);
    outcome.refused(1, &["cannot write", text(&cache), "File too large"]);
    assert!(names(&cache).is_empty(), "{:?}", names(&cache));
    assert!(!run.exists());
}

#[test]
fn while_the_first_checkpoint_is_written() {
    let folder = folder();
    let run = folder.path().join("run");
    // The dataset is in the cache.
    trained();
    let outcome = fain_on_full_disk(BLOCKS, &["train", experiment(), "--output", text(&run)]);
    outcome.refused(1, &["cannot write", "run/checkpoints/last.safetensors", "File too large"]);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn while_the_bundle_is_written() {
    let folder = folder();
    let run = folder.path().join("run");
    copy_folder(trained(), &run);
    fs::remove_dir_all(run.join("bundle")).unwrap();
    fs::remove_file(run.join("report.json")).unwrap();
    let arguments = ["train", experiment(), "--output", text(&run), "--resume"];
    let before = names(&run);
    fain_on_full_disk(BLOCKS, &arguments).refused(1, &["cannot write", "run/bundle/", "File too large"]);
    assert_eq!(names(&run), before);
    // With room on the disk the run ends as if nothing had been.
    fain(&arguments).done();
    assert_eq!(contents(&run.join("bundle")), contents(&trained().join("bundle")));
}

#[test]
fn while_predictions_are_written() {
    let folder = folder();
    let output = folder.path().join("scores.csv");
    let input = shop().join("test.csv");
    let arguments = ["predict", text(trained()), "--input", text(&input), "--output", text(&output)];
    fain_on_full_disk(BLOCKS, &arguments).refused(1, &["cannot write", "scores.csv", "File too large"]);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn while_samples_are_generated() {
    let folder = folder();
    let output = folder.path().join("shop");
    let arguments = ["simulate", "--impressions", "10000", "--output", text(&output)];
    fain_on_full_disk(BLOCKS, &arguments).refused(1, &["cannot write", "shop/t", "File too large"]);
    assert!(names(&output).is_empty());
}

#[test]
fn a_result_that_cannot_be_printed_is_a_failure() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_fain"))
        .args(["inspect", experiment()])
        .stdout(full)
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(told.starts_with("fain: error: cannot write to standard output: No space left"), "{told}");
}
