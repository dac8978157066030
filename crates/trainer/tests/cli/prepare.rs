//! `fain prepare`, and what is done with its samples.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::support::{fain, fain_in, folder, names, text};

/// 60 users, who click what has the parity of their number; 20 events each.
fn write_log(place: &Path) {
    let mut log = "user,item,stars,time\n".to_owned();
    for user in 0..60 {
        for event in 0..20 {
            let item = (user * 7 + event * 11) % 40;
            let stars = if (item + user) % 2 == 0 { 5 } else { 1 };
            writeln!(log, "u{user},i{item},{stars},{}", 1000 + event).unwrap();
        }
    }
    fs::write(place.join("log.csv"), log).unwrap();
    let rules = "[log]\nfiles = 'log.csv'\nuser = 'user'\nitem = 'item'\ntime = 'time'\n\
        [label]\ncolumn = 'stars'\nat_least = 4\n[history]\nevents = 'positive'\nmax_length = 10\n\
        [split]\nlast = { test = 2, validation = 2 }\n[negatives]\nhistory = { distribution = 'uniform', exclude = 'past', draw = 'epoch' }\n";
    fs::write(place.join("prepare.toml"), rules).unwrap();
    let config = "[data]\nsamples = 'samples'\n[schema]\nlabel = 'label'\ngroup = 'user'\n[schema.features]\n\
        item = { kind = 'category' }\n\
        history = { kind = 'sequence', column = 'history.item', vocabulary = 'item', max_length = 10 }\n\
        negatives = { kind = 'sequence', column = 'negative.item', vocabulary = 'item', max_length = 10 }\n\
        [model]\nkind = 'dien'\nmlp.hidden = [8]\nembedding.dim = 4\n\
        interests = [{ candidate = ['item'], history = ['history'], negative = ['negatives'] }]\n\
        [model.auxiliary]\nscorer = 'mlp'\n[training]\nbatch_size = 64\nepochs = 2\nthreads = 1\n";
    fs::write(place.join("config.toml"), config).unwrap();
}

#[test]
fn from_the_log_to_the_metrics() {
    let folder = folder();
    let place = folder.path();
    write_log(place);
    let call = |arguments: &[&str]| {
        let output = fain_in(place).args(arguments).output().unwrap();
        crate::support::Outcome::from(output)
    };
    let told = call(&["prepare", "prepare.toml", "--output", "samples", "--csv", "lines"]).done();
    assert!(told.contains("train        960") && told.contains("60 users, 40 items"), "{told}");
    assert_eq!(names(&place.join("lines")), ["test.csv", "train.csv", "validation.csv"]);
    let lines = fs::read_to_string(place.join("lines/test.csv")).unwrap();
    assert!(lines.starts_with("label,time,user,item,history.item,history.time,negative.item\n"), "{lines}");
    assert_eq!(lines.lines().count(), 121);

    let seen = call(&["inspect", "samples"]).done();
    assert!(seen.contains("negative.item") && seen.contains("log.csv"), "{seen}");
    assert_eq!(call(&["inspect", "samples", "--json"]).json()["summary"]["users"], 60);

    call(&["train", "config.toml", "--output", "run"]).done();
    let report: serde_json::Value = serde_json::from_slice(&fs::read(place.join("run/report.json")).unwrap()).unwrap();
    // The test rows come from the samples, and give the report's metrics again.
    assert_eq!(call(&["evaluate", "run", "--json"]).json(), report["test"]);
    // Rows with histories in line are scored without the negatives.
    call(&["predict", "run", "--input", "lines/test.csv", "--output", "scores.csv"]).done();
    assert_eq!(fs::read_to_string(place.join("scores.csv")).unwrap().lines().count(), 121);
    // An audit of what was encoded.
    let audit = call(&["inspect", "config.toml", "--audit", "--json"]).json();
    assert_eq!(audit["splits"][0]["rows"], 960);
    call(&["inspect", "config.toml", "--audit", "--set", "data.audit.auc_fault=2"])
        .refused(2, &["data.audit.auc_fault"]);
    call(&["inspect", "samples", "--audit"]).refused(2, &["--audit needs encoded rows"]);
    call(&["inspect", "samples", "--set", "a=1"]).refused(2, &["--set replaces settings of one"]);
    // A second folder is not written over the first.
    call(&["prepare", "prepare.toml", "--output", "samples"]).refused(2, &["samples exists; choose another folder"]);
}

#[test]
fn a_leak_stops_a_training_that_wants_it_so() {
    let folder = folder();
    let place = folder.path();
    let mut rows = String::new();
    for row in 0..400 {
        writeln!(rows, "{},u{},{},{}", row % 2, row % 9, row % 2, row * 7919 % 401).unwrap();
    }
    fs::write(place.join("train.csv"), format!("label,user,copy,price\n{rows}")).unwrap();
    let config = "[data]\ntrain = 'train.csv'\nvalidation.fraction = 0.3\naudit.mode = 'error'\n\
        [schema]\nlabel = 'label'\nfeatures.user = { kind = 'category' }\nfeatures.copy = { kind = 'category' }\nfeatures.price = { kind = 'numeric' }\n\
        [model]\nkind = 'base'\nmlp.hidden = [4]\n[training]\nbatch_size = 32\nepochs = 1\nthreads = 1\n";
    fs::write(place.join("leak.toml"), config).unwrap();
    let train = |arguments: &[&str]| {
        let output = fain_in(place).args(["train", "leak.toml"]).args(arguments).output().unwrap();
        crate::support::Outcome::from(output)
    };
    train(&[]).refused(3, &["copy", "data.audit.mode"]);
    assert!(!place.join("runs").exists());
    let warned = train(&["--set", "data.audit.mode=warn"]);
    assert!(warned.stderr.contains("audit: fault: "), "{}", warned.stderr);
    warned.done();
}

#[test]
fn a_log_that_is_wrong() {
    let folder = folder();
    let place = folder.path();
    write_log(place);
    let rules = place.join("prepare.toml");
    let output = place.join("samples");
    let prepare = |settings: &[&str]| {
        let mut arguments = vec!["prepare", text(&rules), "--output", text(&output), "--set"];
        let root = format!("root={}", place.display());
        arguments.push(&root);
        for setting in settings {
            arguments.extend(["--set", setting]);
        }
        fain(&arguments)
    };
    prepare(&["log.user=who"]).refused(3, &["log.csv: no column \"who\", which log.user names"]);
    prepare(&["log.files=none.csv"]).refused(3, &["none.csv"]);
    prepare(&["history.max_length=0"]).refused(2, &["prepare.toml", "history.max_length = 0"]);
    prepare(&["split.lst=1"]).refused(2, &["prepare.toml", "lst"]);
    fs::write(place.join("log.csv"), "user,item,stars,time\na,b,5,1\na,c,5,soon\n").unwrap();
    prepare(&[]).refused(3, &["log.csv, row 2 (byte ", "column \"time\": \"soon\""]);
    assert!(!output.exists());
}
