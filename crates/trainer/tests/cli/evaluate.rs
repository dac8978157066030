//! `fain evaluate`.

use std::fs;

use crate::support::{fain, folder, read_json, shop, text, trained};

#[test]
fn the_test_file_gives_exactly_the_metrics_of_the_report() {
    let report = read_json(&trained().join("report.json"));
    let mut expected = report["test"].clone();
    expected["ceiling"] = report["ceiling"].clone();
    assert!(expected["gauc"].is_f64() && expected["ceiling"]["share"].is_f64());
    assert_eq!(fain(&["evaluate", text(trained()), "--json"]).json(), expected);
    let (bundle, data) = (trained().join("bundle"), shop().join("test.csv"));
    assert_eq!(fain(&["evaluate", text(&bundle), "--data", text(&data), "--json"]).json(), expected);
    fain(&["evaluate", text(&bundle)]).refused(2, &["a bundle names no test file; give --data FILE"]);

    let table = fain(&["evaluate", text(trained())]).done();
    let line: Vec<&str> = table.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(line[0], format!("{:.4}", expected["auc"].as_f64().unwrap()));
    assert_eq!(line[4], "1,000");
    assert!(table.contains("test AUC: blind "), "{table}");
}

#[test]
fn real_clicks_have_no_known_probabilities() {
    let folder = folder();
    let real = folder.path().join("real.csv");
    let rows = fs::read_to_string(shop().join("test.csv")).unwrap();
    let cut = |row: &str| row.rsplitn(3, ',').nth(2).unwrap().to_owned();
    fs::write(&real, rows.lines().map(cut).collect::<Vec<_>>().join("\n")).unwrap();
    let outcome = fain(&["evaluate", text(trained()), "--data", text(&real), "--json"]);
    assert!(outcome.stderr.contains("lacks the column blind_probability or true_probability"), "{outcome:?}");
    assert_eq!(outcome.json(), read_json(&trained().join("report.json"))["test"]);
}

#[test]
fn an_undefined_metric_is_null() {
    let folder = folder();
    let clicks = folder.path().join("clicks.csv");
    let rows = fs::read_to_string(shop().join("test.csv")).unwrap();
    let kept: Vec<&str> = rows.lines().filter(|row| !row.starts_with("0,")).collect();
    fs::write(&clicks, kept.join("\n")).unwrap();
    let measured = fain(&["evaluate", text(trained()), "--data", text(&clicks), "--json"]).json();
    assert!(measured["auc"].is_null() && measured["gauc"].is_null() && measured["ceiling"].is_null());
    assert_eq!(measured["samples"], kept.len() - 1);
    assert!(measured["log_loss"].as_f64().unwrap() > 0.0);
}
