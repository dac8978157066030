//! `fain inspect`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Outcome, copy_folder, experiment, fain, fain_in, folder, names, read_json, text, trained};

fn json(path: &Path) -> Value {
    fain(&["inspect", text(path), "--json"]).json()
}

/// The small experiment with a cache of its own, in which there is nothing.
fn without_data(folder: &Path) -> PathBuf {
    let cache = Path::new(experiment()).with_file_name("cache");
    let config = fs::read_to_string(experiment()).unwrap().replace(text(&cache), text(&folder.join("empty")));
    let file = folder.join("fresh.toml");
    fs::write(&file, config).unwrap();
    file
}

fn tensor(view: &Value, name: &str) -> Value {
    let found = view["tensors"].as_array().unwrap().iter().find(|tensor| tensor["name"] == name);
    found.unwrap_or_else(|| panic!("no tensor {name}"))["shape"].clone()
}

#[test]
fn a_configuration_before_its_data_is_read() {
    let folder = folder();
    let file = without_data(folder.path());
    let view = json(&file);
    assert_eq!((&view["kind"], &view["model"]), (&"config".into(), &"din".into()));
    assert_eq!(view["features"][1]["feature"], "item");
    assert_eq!(view["features"][1]["detail"], "terms seen at least 2 times");
    assert_eq!(view["features"][4]["vocabulary"], "item");
    assert!(view["features"][1]["size"].is_null() && view["parameters"].is_null());
    assert_eq!(tensor(&view, "embedding.item.weight"), serde_json::json!([null, 4]));
    // 3 categories of width 4, one number, and one interest of two pairs.
    assert_eq!(tensor(&view, "mlp.dense0.weight"), serde_json::json!([16, 3 * 4 + 1 + 2 * 4]));
    assert_eq!(view["config"]["training"]["batch_size"], 256);
    assert_eq!(view["layers"].as_array().unwrap().last().unwrap()["role"], "output");
    let text = fain(&["inspect", text(&file)]).done();
    assert!(text.contains("embedding.item.weight") && text.contains("[V, 4]"), "{text}");
    let known = view["parameters_besides_vocabularies"].as_u64().unwrap().to_string();
    let total = text.lines().find(|line| line.starts_with("total")).unwrap().replace(',', "");
    assert_eq!(total.split_whitespace().collect::<Vec<_>>(), ["total", "tables", "+", &known, "100.0%"]);
    assert!(text.contains("V, the rows of a table, is known when the data is read; the shares are without it\n"));
    assert!(!folder.path().join("empty").exists());
}

#[test]
fn a_configuration_whose_data_is_encoded() {
    let report = read_json(&trained().join("report.json"));
    let view = json(Path::new(experiment()));
    let bundle = json(&trained().join("bundle"));
    assert_eq!(view["parameters"], report["parameters"]);
    for part in ["features", "layers", "tensors"] {
        assert_eq!(view[part], bundle[part], "{part}");
    }
    let text = fain(&["inspect", experiment()]).done();
    assert!(text.contains(" parameters, with the tables of the encoded data\n") && !text.contains(" V "), "{text}");
}

#[test]
fn a_drawing_as_text() {
    let folder = folder();
    let (file, config) = (folder.path().join("din.dot"), without_data(folder.path()));
    let draw = |more: &[&str]| fain(&[&["inspect", text(&config), "--graph", text(&file)], more].concat());
    let drawn = draw(&[]);
    assert_eq!(drawn.stderr, format!("the drawing is {}\n", file.display()));
    assert_eq!(drawn.done(), fain(&["inspect", text(&config)]).done());
    let dot = fs::read_to_string(&file).unwrap();
    assert!(dot.starts_with(&format!("digraph model {{\n  label=<<b>din: {}</b>>;\n", config.display())), "{dot}");

    draw(&[]).refused(2, &["din.dot: exists; choose another name, or --force to replace it"]);
    fs::write(&file, "old").unwrap();
    draw(&["--force"]).done();
    assert_eq!(fs::read_to_string(&file).unwrap(), dot);
    let other = folder.path().join("bundle.dot");
    fain(&["inspect", text(&trained().join("bundle")), "--graph", text(&other), "--json"]).json();
    assert!(fs::read_to_string(&other).unwrap().contains("/bundle</b>>;\n"));
    assert_eq!(names(folder.path()), ["bundle.dot", "din.dot", "fresh.toml"]);
}

/// Draws an SVG where the only program is this script, if there is one.
fn svg(folder: &Path, dot: Option<&str>) -> Outcome {
    let programs = folder.join("programs");
    fs::create_dir_all(&programs).unwrap();
    if let Some(script) = dot {
        let program = programs.join("dot");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let config = without_data(folder);
    let mut command = fain_in(folder);
    command.env("PATH", &programs).args(["inspect", text(&config), "--graph", "din.svg"]).output().unwrap().into()
}

#[test]
fn a_drawing_by_graphviz() {
    let folder = folder();
    let script = "[ \"$1\" = -V ] && exit; echo \"<svg> $1\"; while read -r line; do echo \"$line\"; done";
    let drawn = svg(folder.path(), Some(script));
    assert_eq!(drawn.stderr, "the drawing is din.svg\n");
    drawn.done();
    let svg = fs::read_to_string(folder.path().join("din.svg")).unwrap();
    assert!(svg.starts_with("<svg> -Tsvg\ndigraph model {\n") && svg.ends_with("}\n"), "{svg}");
}

#[test]
fn a_drawing_without_graphviz_is_left_as_text() {
    let folder = folder();
    let drawn = svg(folder.path(), None);
    assert!(drawn.stderr.starts_with("there is no program dot on this machine"), "{}", drawn.stderr);
    assert!(drawn.stderr.ends_with("it can be drawn from din.dot, which was written instead\n"), "{}", drawn.stderr);
    drawn.done();
    assert!(fs::read_to_string(folder.path().join("din.dot")).unwrap().starts_with("digraph model {\n"));
    assert_eq!(names(folder.path()), ["din.dot", "fresh.toml", "programs"]);
}

#[test]
fn a_drawing_that_fails_leaves_nothing() {
    let folder = folder();
    let drawn = svg(folder.path(), Some("echo 'Format: svg not recognized' >&2; exit 3"));
    drawn.refused(1, &["dot could not draw (exit status: 3): Format: svg not recognized"]);
    assert_eq!(names(folder.path()), ["fresh.toml", "programs"]);
    let file = folder.path().join("din.png");
    let refused = fain(&["inspect", experiment(), "--graph", text(&file)]);
    refused.refused(2, &["din.png; allowed: a name that ends in .svg or .dot"]);
}

#[test]
fn a_configuration_that_is_wrong() {
    let folder = folder();
    let file = folder.path().join("wrong.toml");
    fs::write(&file, fs::read_to_string(experiment()).unwrap().replace("epochs = 2", "epochs = 0")).unwrap();
    fain(&["inspect", text(&file)]).refused(2, &["wrong.toml: training.epochs is 0; allowed: at least 1"]);
    fain(&["inspect", text(folder.path())])
        .refused(2, &["is neither a configuration file nor the folder of samples, a dataset, a run or a bundle"]);
    fain(&["inspect", "none"]).refused(2, &["none: does not exist"]);
}

#[test]
fn a_run_and_its_bundle() {
    let run = json(trained());
    assert_eq!(run["report"], read_json(&trained().join("report.json")));
    assert_eq!(run["evaluations"].as_array().unwrap().len(), 4);
    let bundle = json(&trained().join("bundle"));
    assert_eq!(run["bundle"], bundle);
    assert_eq!(bundle["parameters"], run["report"]["parameters"]);
    let sizes = |name: &str| {
        let found = bundle["features"].as_array().unwrap().iter().find(|feature| feature["feature"] == name);
        found.unwrap_or_else(|| panic!("no feature {name}"))["size"].clone()
    };
    assert_eq!(sizes("item"), sizes("history_items"));
    assert_eq!(tensor(&bundle, "embedding.item.weight"), serde_json::json!([sizes("item"), 4]));

    let text = fain(&["inspect", text(trained())]).done();
    for part in ["evaluations on the validation rows", "embedding.item.weight", "[model.attention]", "share of the way"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_run_that_is_not_done() {
    let folder = folder();
    let (run, drawing) = (folder.path().join("run"), folder.path().join("run.dot"));
    copy_folder(trained(), &run);
    fs::remove_dir_all(run.join("bundle")).unwrap();
    fs::remove_file(run.join("report.json")).unwrap();
    let view = fain(&["inspect", text(&run), "--graph", text(&drawing), "--json"]).json();
    let done = json(trained());
    assert!(view["report"].is_null() && view["bundle"].is_null() && done["unfinished"].is_null());
    for part in ["layers", "tensors"] {
        assert_eq!(view["unfinished"][part], done["bundle"][part], "{part}");
    }
    assert!(fs::read_to_string(&drawing).unwrap().contains("/run</b>>;\n"));
    let text = fain(&["inspect", text(&run)]).done();
    let parameters = done["report"]["parameters"].as_u64().unwrap().to_string();
    let total = text.lines().find(|line| line.starts_with("total")).unwrap();
    assert_eq!(total.replace(',', "").split_whitespace().collect::<Vec<_>>(), ["total", &parameters, "100.0%"]);
}

#[test]
fn a_dataset() {
    trained();
    let cache = Path::new(experiment()).with_file_name("cache");
    let encoded = names(&cache)
        .into_iter()
        .map(|name| cache.join(name))
        .find(|folder| read_json(&folder.join("manifest.json")) == read_json(&trained().join("dataset.json")));
    let folder = encoded.unwrap();
    let view = json(&folder);
    assert_eq!(view["kind"], "dataset");
    let splits = &view["manifest"]["splits"];
    let rows = |split: &str| splits[split]["rows"].as_u64().unwrap();
    assert_eq!((rows("train") + rows("validation"), rows("test")), (9000, 1000));
    assert!(view["features"][1]["size"].as_u64().unwrap() > 100);
    let table = fain(&["inspect", text(&folder)]).done();
    let drawn = fain(&["inspect", text(&folder), "--graph", "none.svg"]);
    drawn.refused(2, &["data has no model that --graph could draw"]);
    assert!(table.contains("test.csv") && table.contains(splits["train"]["checksum"].as_str().unwrap()), "{table}");
}
