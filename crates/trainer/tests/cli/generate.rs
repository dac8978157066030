//! `fain simulate`, `fain demo`, `fain completions` and the help.

use std::fs;

use crate::support::{fain, fain_in, folder, names, read_json, shop, text};

#[test]
fn a_shop_is_the_same_for_the_same_seed() {
    let folder = folder();
    let config = folder.path().join("shop.toml");
    fs::write(&config, "impressions = 20_000\nseed = 5\n").unwrap();
    let output = folder.path().join("again");
    let arguments = ["simulate", text(&config), "--impressions", "10000", "--output", text(&output), "--log"];
    let told = fain(&arguments).done();
    assert!(told.contains("again/train.csv: 9,000 rows\n") && told.contains("again/items.csv: "), "{told}");
    assert_eq!(names(&output), ["events.csv", "items.csv", "test.csv", "train.csv", "users.csv"]);
    for file in ["train.csv", "test.csv"] {
        assert!(fs::read(output.join(file)).unwrap() == fs::read(shop().join(file)).unwrap(), "{file}");
    }
    fain(&arguments).refused(2, &["again/train.csv exists; choose another folder with --output"]);

    let alone = folder.path().join("alone");
    let told =
        fain(&["simulate", text(&config), "--impressions", "10000", "--output", text(&alone), "--log-only"]).done();
    assert!(told.starts_with(&format!("{}/events.csv: ", alone.display())), "{told}");
    assert_eq!(names(&alone), ["events.csv", "items.csv", "users.csv"]);
    for file in ["events.csv", "items.csv", "users.csv"] {
        assert!(fs::read(output.join(file)).unwrap() == fs::read(alone.join(file)).unwrap(), "{file}");
    }
}

#[test]
fn a_shop_that_cannot_be_is_refused() {
    let folder = folder();
    let output = folder.path().join("shop");
    let simulate = ["simulate", "--output", text(&output), "--impressions"];
    fain(&[&simulate[..], &["9"]].concat()).refused(2, &["impressions = 9: allowed is 10000 to 100000000"]);
    let config = folder.path().join("shop.toml");
    fs::write(&config, "impresions = 20_000\n").unwrap();
    fain(&[&simulate[..], &["10000", text(&config)]].concat())
        .refused(2, &["shop.toml: ", "line 1", "unknown field `impresions`, expected one of `impressions`"]);
    fain(&[&simulate[..], &["10000", "none.toml"]].concat()).refused(2, &["none.toml: No such file"]);
    assert!(!output.exists());
}

#[test]
fn the_demo_compares_the_models_with_the_optimum() {
    let folder = folder();
    let arguments = ["demo", "--impressions", "10000", "--seed", "4", "--json"];
    let output = fain_in(folder.path()).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let mut report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let run = folder.path().join("runs/demo");
    let beside = report.as_object_mut().unwrap().remove("beside").unwrap();
    assert_eq!(report, read_json(&run.join("report.json")));
    let others = ["base", "din"];
    assert_eq!(beside, serde_json::json!(others.map(|name| read_json(&run.join(name).join("report.json")))));
    assert_eq!(beside[0]["model"], "base");
    assert_eq!(beside[1]["model"], "din");
    assert_eq!(report["model"], "dien");
    for other in [&beside[0], &beside[1]] {
        assert_eq!(other["ceiling"]["optimal_auc"], report["ceiling"]["optimal_auc"]);
    }
    assert_eq!((&report["seed"], &report["test"]["samples"]), (&4.into(), &1000.into()));
    assert!(report["ceiling"]["optimal_auc"].as_f64() > report["ceiling"]["blind_auc"].as_f64());
    let files = ["bundle", "checkpoints", "config.toml", "dataset.json", "events.jsonl", "report.json"];
    assert_eq!(names(&run.join("base")), files);
    let mut files = [&files[..], &others, &["data", "encoded"]].concat();
    files.sort_unstable();
    assert_eq!(names(&run), files);
    // The schemas of base and DIN are the same; DIEN's has the negatives as well.
    assert_eq!(names(&run.join("encoded")).len(), 2);
    let told = String::from_utf8(output.stderr).unwrap();
    for line in ["\nmodel 1 of 3: base\n", "\nmodel 2 of 3: din\n", "\nmodel 3 of 3: dien\n"] {
        assert!(told.contains(line), "{told}");
    }
    // All that it made is in the one folder, and works from there.
    assert_eq!(names(folder.path()), ["runs"]);
    for (run, report) in [(&run, &report), (&run.join("base"), &beside[0]), (&run.join("din"), &beside[1])] {
        assert_eq!(fain(&["evaluate", text(run), "--json"]).json()["auc"], report["test"]["auc"]);
    }

    fain(&["demo", "--output", text(&run)]).refused(2, &["runs/demo exists"]);
    fain(&["demo", "--impressions", "9"]).refused(2, &["impressions = 9"]);
}

#[test]
fn a_shell_completes_the_commands() {
    let script = fain(&["completions", "bash"]).done();
    for command in ["demo", "prepare", "train", "evaluate", "predict", "inspect", "simulate", "completions"] {
        assert!(
            script.contains(&format!("fain__{command}")) || script.contains(&format!("fain__subcmd__{command}")),
            "{command}"
        );
        let help = fain(&[command, "--help"]).done();
        assert!(help.contains(&format!("  fain {command}")) && help.contains("Example"), "{help}");
    }
    assert!(fain(&["--help"]).done().contains("130  interrupted"));
    assert_eq!(fain(&["--version"]).done(), format!("fain {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_wrong_command_line_is_a_wrong_request() {
    for arguments in [&["tarin"][..], &[], &["train"], &["predict", "run"], &["train", "a.toml", "--frobnicate"]] {
        let outcome = fain(arguments);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{outcome:?}");
        assert!(outcome.stderr.contains("Usage: fain"), "{outcome:?}");
    }
}
