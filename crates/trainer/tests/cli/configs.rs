//! The configurations that come with the program.

use std::path::{Path, PathBuf};

use fain_models::{FeatureSpace, complete};
use fain_training::{Experiment, UpdateRule};
use tch::{Device, nn};
use toml::{Table, Value};

use crate::support::names;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs")
}

#[test]
fn every_configuration_is_checked_and_its_model_built() {
    let files = names(&folder());
    let relatives = ["wide_deep", "deepfm", "pnn", "dsin", "bst"].map(|kind| format!("ml1m_ctr_{kind}.toml"));
    let others = ["demo_base.toml", "demo_din.toml", "ml1m_ctr_din.toml", "movielens_tiny_din.toml"].map(str::to_owned);
    for expected in relatives.iter().chain(&others) {
        assert!(files.contains(expected), "{expected} is not in {files:?}");
    }
    for file in files {
        let experiment = Experiment::read(&folder().join(&file), &[]).unwrap();
        let schema = experiment.check().unwrap();
        let sizes = vec![10; schema.vocabularies().len()];
        let variables = nn::VarStore::new(Device::Cpu);
        experiment.model.build(&variables.root(), &FeatureSpace::new(&schema, &sizes)).unwrap();
        assert!(variables.variables().contains_key("output.weight"), "{file}");
        assert!(experiment.data.test.is_some() || experiment.data.samples.is_some(), "{file}");
    }
}

/// Scripts replace these settings; a reader finds them in the file.
#[test]
fn what_scripts_replace_is_written_out() {
    for file in names(&folder()) {
        let table: Table = std::fs::read_to_string(folder().join(&file)).unwrap().parse().unwrap();
        let data = if table["data"].get("samples").is_some() { &["samples"][..] } else { &["root", "train", "test"] };
        for (section, keys) in [("data", data), ("training", &["batch_size", "epochs", "seed", "threads"])] {
            for key in keys {
                assert!(table[section].get(key).is_some(), "{file}: {section}.{key}");
            }
        }
    }
}

/// The guide has a row for every key, with its default.
#[test]
fn the_guide_names_every_key() {
    let guide = std::fs::read_to_string(folder().join("../docs/guides/command-line.md")).unwrap();
    for model in [
        "kind = \"base\"",
        "kind = \"din\"",
        "kind = \"dien\", auxiliary = {}",
        "kind = \"wide_deep\"",
        "kind = \"deepfm\"",
        "kind = \"pnn\"",
        "kind = \"dsin\"",
        "kind = \"bst\"",
    ] {
        let text = format!("data = {{ train = \"a.csv\" }}\nschema = {{ label = \"click\" }}\nmodel = {{ {model} }}");
        let experiment = Experiment::parse(&text, "text", &[]).unwrap();
        // What a file leaves out when it is the default.
        assert_row(&guide, "model", "embedding.sparse", "false");
        let mut seen = 0;
        for (section, settings) in experiment.to_toml().unwrap().parse::<Table>().unwrap() {
            for (key, value) in flat("", settings.as_table().unwrap()) {
                assert_row(&guide, &section, &key, &value);
                seen += 1;
            }
        }
        assert!(seen > 20, "{model}: {seen}");
    }
}

/// The guide has every preset.
#[test]
fn the_guide_names_every_preset() {
    let guide = std::fs::read_to_string(folder().join("../docs/guides/command-line.md")).unwrap();
    for kind in ["din", "dien", "wide_deep", "deepfm", "bst"] {
        let model: Table = format!("kind = \"{kind}\"\npreset = \"none of them\"").parse().unwrap();
        let error = complete(&mut model.clone()).unwrap_err().to_string();
        let (_, presets) = error.split_once("allowed: ").unwrap();
        let row = guide.lines().find(|line| line.starts_with(&format!("| `{kind}` | `"))).unwrap();
        let expected: Vec<String> = presets.split(", ").map(|name| format!("`{name}`")).collect();
        assert!(row.contains(&format!("| {} |", expected.join(", "))), "{row}: {expected:?}");
    }
}

/// The guide has the settings of every optimiser, and names no other.
#[test]
fn the_guide_names_every_setting_of_an_optimizer() {
    let guide = std::fs::read_to_string(folder().join("../docs/guides/command-line.md")).unwrap();
    let kinds = guide.lines().find_map(|row| row.strip_prefix("| `optimizer.kind` | `adam` | ")).unwrap();
    let kinds: Vec<&str> = kinds.trim_end_matches(" |").split(", ").map(|kind| kind.trim_matches('`')).collect();
    let unknown = "kind = \"none\"".parse::<Table>().unwrap().try_into::<UpdateRule>().unwrap_err().to_string();
    let known: Vec<&str> = unknown.lines().next().unwrap().split('`').skip(3).step_by(2).collect();
    assert_eq!(kinds, known, "{unknown}");
    for kind in kinds {
        let rule: UpdateRule = format!("kind = \"{kind}\"").parse::<Table>().unwrap().try_into().unwrap();
        let mut settings = Table::try_from(rule).unwrap();
        assert_eq!(settings.remove("kind").unwrap().as_str(), Some(kind));
        for (key, value) in flat("optimizer.", &settings) {
            assert_row(&guide, "training", &key, &value);
        }
    }
}

/// The section's table has a row for the key, with this default.
fn assert_row(guide: &str, section: &str, key: &str, value: &str) {
    let (_, rows) = guide.split_once(&format!("### `[{section}]`")).unwrap();
    let rows = rows.split("\n### ").next().unwrap();
    let rows: Vec<&str> = rows.lines().filter(|row| row.contains(&format!("| `{key}` |"))).collect();
    assert!(!rows.is_empty(), "no row for {section}.{key}");
    let number = value.strip_suffix(".0").unwrap_or(value);
    let written = |row: &&str| row.contains(&format!("| {number} |")) || row.contains(&format!("| `{value}` |"));
    assert!(rows.iter().any(|row| written(row) || row.contains("| needed")), "{section}.{key} = {value}: {rows:?}");
}

/// A configuration with these settings of the model.
fn with_model(settings: &str) -> Experiment {
    let text = format!(
        r#"
        [data]
        train = "a.csv"
        validation.fraction = 0.1
        [schema]
        label = "click"
        features.item = {{ kind = "category" }}
        features.history = {{ kind = "sequence", max_length = 5, vocabulary = "item" }}
        [model]
        kind = "din"
        interests = [{{ candidate = ["item"], history = ["history"] }}]
        {settings}
        "#
    );
    Experiment::parse(&text, "text", &[]).unwrap()
}

#[test]
fn variants_of_the_layers_are_read_and_written_back() {
    for settings in [
        "attention = { scoring = \"bilinear\", projection = \"dense_prelu\", normalization = \"softmax\" }",
        "attention = { inputs = \"product\", activation = \"prelu_per_unit\" }",
        "pooling = { padded_max = 5 }",
        "embedding.zero_row = true",
        "mlp = { input_norm = \"keras\", activation = \"dice_per_sample\" }",
    ] {
        let experiment = with_model(settings);
        let schema = experiment.check().unwrap();
        let text = experiment.to_toml().unwrap();
        assert_ne!(experiment.model, with_model("").model, "{settings}");
        assert_eq!(Experiment::parse(&text, "again", &[]).unwrap().model, experiment.model, "{text}");
        let variables = nn::VarStore::new(Device::Cpu);
        experiment.model.build(&variables.root(), &FeatureSpace::new(&schema, &[10])).unwrap();
        let names = variables.variables();
        assert_eq!(names.contains_key("interest0.bilinear.weight"), settings.contains("bilinear"));
        assert_eq!(names.contains_key("mlp.input_norm.running_var"), settings.contains("input_norm"));
    }
}

#[test]
fn a_setting_of_a_network_that_is_not_there_is_refused_by_its_key() {
    let error = with_model("attention = { scoring = \"bilinear\", hidden = [36] }").check().unwrap_err().to_string();
    assert!(error.contains("model.attention.hidden"), "{error}");
    assert!(error.contains("[36]") && error.contains("unless `scoring` is `mlp`"), "{error}");
}

/// Every setting under its full key. The features and the interests have no defaults.
fn flat(prefix: &str, table: &Table) -> Vec<(String, String)> {
    let settings = table.iter().filter(|(key, _)| *key != "features");
    settings
        .flat_map(|(key, value)| match value {
            Value::Table(table) => flat(&format!("{prefix}{key}."), table),
            Value::String(text) => vec![(format!("{prefix}{key}"), text.clone())],
            Value::Float(number) if *number != 0.0 && number.abs() < 1e-4 => {
                vec![(format!("{prefix}{key}"), format!("{number:e}"))]
            }
            other => vec![(format!("{prefix}{key}"), other.to_string())],
        })
        .collect()
}
