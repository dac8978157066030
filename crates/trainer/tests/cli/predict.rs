//! `fain predict`.

#![allow(clippy::float_cmp, reason = "where it is asked for, the same bits are asked for")]

use std::fs;
use std::io::Write;
use std::path::Path;

use fain_metrics::Evaluator;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::{copy_folder, fain, folder, names, read_json, shop, text, trained};

/// Scores a file; gives the lines of the output.
fn predict(run: &Path, input: &Path) -> String {
    let folder = folder();
    let output = folder.path().join("scores.csv");
    let told = fain(&["predict", text(run), "--input", text(input), "--output", text(&output)]).done();
    assert_eq!(told, "");
    assert_eq!(names(folder.path()), ["scores.csv"]);
    fs::read_to_string(&output).unwrap()
}

/// Scores rows given as text, the first line being the header; gives one probability per row.
fn probabilities(run: &Path, rows: &str) -> Vec<f64> {
    let folder = folder();
    let input = folder.path().join("rows.csv");
    fs::write(&input, rows).unwrap();
    parse(&predict(run, &input))
}

fn parse(scores: &str) -> Vec<f64> {
    let mut lines = scores.lines();
    assert_eq!(lines.next(), Some("row,probability"));
    let line = |(index, line): (usize, &str)| {
        let (row, probability) = line.split_once(',').unwrap();
        assert_eq!(row, (index + 1).to_string());
        probability.parse().unwrap()
    };
    lines.enumerate().map(line).collect()
}

fn test_rows() -> String {
    fs::read_to_string(shop().join("test.csv")).unwrap()
}

/// The header and some data rows.
fn some_rows(rows: std::ops::Range<usize>) -> String {
    let text = test_rows();
    let lines: Vec<&str> = text.lines().collect();
    let chosen: Vec<&str> = [lines[0]].into_iter().chain(lines[1..][rows].iter().copied()).collect();
    chosen.join("\n") + "\n"
}

/// Both lists are the same up to the last bits of a matrix product.
fn assert_same(left: &[f64], right: &[f64]) {
    assert_eq!(left.len(), right.len());
    for (row, (left, right)) in left.iter().zip(right).enumerate() {
        assert!((left - right).abs() < 1e-6, "row {}: {left} and {right}", row + 1);
    }
}

#[test]
fn predictions_give_exactly_the_metrics_of_the_report() {
    let scores = parse(&predict(trained(), &shop().join("test.csv")));
    let labels: Vec<f32> = test_rows().lines().skip(1).map(|row| row[..1].parse().unwrap()).collect();
    let mut evaluator = Evaluator::new();
    evaluator.update(&scores, &labels, None).unwrap();
    let evaluation = evaluator.compute();
    let report = &read_json(&trained().join("report.json"))["test"];
    assert_eq!(evaluation.auc.unwrap(), report["auc"].as_f64().unwrap());
    assert_eq!(evaluation.log_loss.unwrap(), report["log_loss"].as_f64().unwrap());
    assert_eq!(evaluation.pcoc.unwrap(), report["pcoc"].as_f64().unwrap());
    assert_eq!(evaluation.samples, 1000);
}

#[test]
fn the_form_of_the_file_does_not_matter() {
    let folder = folder();
    let expected = predict(trained(), &shop().join("test.csv"));
    let windows = folder.path().join("windows.csv");
    fs::write(&windows, test_rows().replace('\n', "\r\n")).unwrap();
    assert_eq!(predict(trained(), &windows), expected);
    let packed = folder.path().join("packed.csv.gz");
    let mut encoder = GzEncoder::new(fs::File::create(&packed).unwrap(), Compression::fast());
    encoder.write_all(test_rows().as_bytes()).unwrap();
    encoder.finish().unwrap();
    assert_eq!(predict(trained(), &packed), expected);
    // Neither the label nor the group nor the known probabilities are read.
    let unlabelled = folder.path().join("unlabelled.csv");
    let dropped = |row: &str| {
        let fields: Vec<&str> = row.split(',').collect();
        fields[2..12].join(",")
    };
    fs::write(&unlabelled, test_rows().lines().map(dropped).collect::<Vec<_>>().join("\n")).unwrap();
    assert_eq!(predict(trained(), &unlabelled), expected);
}

#[test]
fn a_row_is_scored_the_same_whatever_is_scored_with_it() {
    let all = parse(&predict(trained(), &shop().join("test.csv")));
    let folder = folder();
    for batch_size in [1, 4096] {
        let run = folder.path().join(batch_size.to_string());
        copy_folder(&trained().join("bundle"), &run);
        let settings = run.join("bundle.json");
        let text = fs::read_to_string(&settings).unwrap();
        let changed = text.replace("\"batch_size\": 300", &format!("\"batch_size\": {batch_size}"));
        assert_ne!(changed, text);
        fs::write(&settings, changed).unwrap();
        assert_same(&parse(&predict(&run, &shop().join("test.csv"))), &all);
    }
    // One row alone, and one row that is left over after a full batch of 300.
    for row in [0, 1, 517, 999] {
        assert_same(&probabilities(trained(), &some_rows(row..row + 1)), &all[row..=row]);
    }
    assert_same(&probabilities(trained(), &some_rows(100..401)), &all[100..401]);
    assert!(probabilities(trained(), &some_rows(0..0)).is_empty());
}

#[test]
fn unknown_terms_are_one_term_and_a_history_may_be_empty() {
    let header = "gender,item,category,price,history_items,history_categories\n";
    let score = |row: &str| probabilities(trained(), &format!("{header}{row}\n"))[0];
    let unknown = score("f,never,never,9.5,,");
    assert!(unknown > 0.0 && unknown < 1.0);
    assert_eq!(score("f,nor this,nor that,9.5,,"), unknown);
    assert_eq!(score("f,never,never,9.5,x|y,x|y"), score("f,never,never,9.5,z|w,z|w"));
    // Unknown events are events: a history of them is not an empty one.
    assert_ne!(score("f,never,never,9.5,x|y,x|y"), unknown);
    let known = score("f,1,1,9.5,,");
    assert!(known > 0.0 && known < 1.0 && known != unknown);
}

#[test]
fn the_output_is_never_written_over_by_accident() {
    let folder = folder();
    let input = folder.path().join("rows.csv");
    fs::write(&input, some_rows(0..3)).unwrap();
    let call = |output: &Path, force: &[&str]| {
        let arguments = ["predict", text(trained()), "--input", text(&input), "--output", text(output)];
        fain(&[&arguments, force].concat())
    };
    for name in ["rows.csv", "./rows.csv"] {
        let same = folder.path().join(name);
        call(&same, &["--force"]).refused(2, &["rows.csv: the output would replace the input"]);
    }
    assert_eq!(fs::read_to_string(&input).unwrap(), some_rows(0..3));

    let taken = folder.path().join("taken.csv");
    fs::write(&taken, "mine").unwrap();
    call(&taken, &[]).refused(2, &["taken.csv: exists; choose another name, or --force to replace it"]);
    assert_eq!(fs::read_to_string(&taken).unwrap(), "mine");
    call(&taken, &["--force"]).done();
    assert_eq!(parse(&fs::read_to_string(&taken).unwrap()).len(), 3);

    call(&folder.path().join("no/scores.csv"), &[]).refused(2, &["no/scores.csv: its folder does not exist"]);
    call(Path::new("/dev/null"), &["--force"]).refused(2, &["/dev/null: is no file that could be replaced"]);
    assert_eq!(names(folder.path()), ["rows.csv", "taken.csv"]);
}

#[test]
fn a_folder_without_a_model_is_refused() {
    let folder = folder();
    let input = shop().join("test.csv");
    let output = folder.path().join("scores.csv");
    let call = |run: &Path| fain(&["predict", text(run), "--input", text(&input), "--output", text(&output)]);
    call(&folder.path().join("none")).refused(2, &["none: does not exist"]);
    call(folder.path()).refused(2, &[text(folder.path()), "is neither a run nor a bundle"]);

    let damaged = folder.path().join("damaged");
    copy_folder(&trained().join("bundle"), &damaged);
    let weights = damaged.join("model.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&weights, bytes).unwrap();
    call(&damaged).refused(3, &["damaged/model.safetensors: its digest is "]);
    assert_eq!(names(folder.path()), ["damaged"]);
}
