//! `fain inspect`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{experiment, fain, folder, names, read_json, text, trained};

fn json(path: &Path) -> Value {
    fain(&["inspect", text(path), "--json"]).json()
}

#[test]
fn a_configuration() {
    let view = json(Path::new(experiment()));
    assert_eq!((&view["kind"], &view["model"]), (&"config".into(), &"din".into()));
    assert_eq!(view["features"][1]["feature"], "item");
    assert_eq!(view["features"][1]["detail"], "terms seen at least 2 times");
    assert_eq!(view["features"][4]["vocabulary"], "item");
    assert!(view["features"][1]["size"].is_null());
    let tensor = |name: &str| {
        let found = view["tensors"].as_array().unwrap().iter().find(|tensor| tensor["name"] == name);
        found.unwrap_or_else(|| panic!("no tensor {name}"))["shape"].clone()
    };
    assert_eq!(tensor("embedding.item.weight"), serde_json::json!([null, 4]));
    // 3 categories of width 4, one number, and one interest of two pairs.
    assert_eq!(tensor("mlp.dense0.weight"), serde_json::json!([16, 3 * 4 + 1 + 2 * 4]));
    assert_eq!(view["config"]["training"]["batch_size"], 256);
    let text = fain(&["inspect", experiment()]).done();
    assert!(text.contains("embedding.item.weight") && text.contains("[V, 4]"), "{text}");
}

#[test]
fn a_configuration_that_is_wrong() {
    let folder = folder();
    let file = folder.path().join("wrong.toml");
    fs::write(&file, fs::read_to_string(experiment()).unwrap().replace("epochs = 2", "epochs = 0")).unwrap();
    fain(&["inspect", text(&file)]).refused(2, &["wrong.toml: training.epochs is 0; allowed: at least 1"]);
    fain(&["inspect", text(folder.path())]).refused(2, &["is neither a configuration file nor the folder of a"]);
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
    let weights = bundle["tensors"].as_array().unwrap().iter().find(|tensor| tensor["name"] == "embedding.item.weight");
    assert_eq!(weights.unwrap()["shape"], serde_json::json!([sizes("item"), 4]));

    let text = fain(&["inspect", text(trained())]).done();
    for part in ["evaluations on the validation rows", "embedding.item.weight", "[model.attention]", "share of the way"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
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
    assert!(table.contains("test.csv") && table.contains(splits["train"]["checksum"].as_str().unwrap()), "{table}");
}
