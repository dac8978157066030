//! Every kind of model from its file to its bundle.

use std::fs;

use serde_json::Value;

use crate::support::{experiment, fain, folder, read_json, text};

/// What the models have in common, and the interest of those that read one.
const COMMON: &str = "embedding = { dim = 4, std = 0.1 }, mlp = { hidden = [16] }";
const INTEREST: &str =
    r#"interests = [{ candidate = ["item", "category"], history = ["history_items", "history_categories"] }]"#;

#[test]
fn a_model_of_each_kind_learns_and_is_read_back() {
    let folder = folder();
    for (kind, own) in [
        ("base", String::new()),
        ("wide_deep", r#", crosses = [{ features = ["gender", "item"], buckets = 50 }]"#.to_owned()),
        ("deepfm", String::new()),
        ("pnn", ", product = { outer = { kernels = 3 } }".to_owned()),
        ("dsin", format!(", limits = {{ sessions = 3, events = 4 }}, transformer = {{ heads = 2 }}, {INTEREST}")),
        ("bst", format!(", max_length = 6, positions = \"add\", transformer = {{ heads = 2 }}, {INTEREST}")),
    ] {
        let run = folder.path().join(kind);
        let model = format!("model={{ kind = \"{kind}\", {COMMON}{own} }}");
        fain(&["train", experiment(), "--set", &model, "--output", text(&run)]).done();
        let events = fs::read_to_string(run.join("events.jsonl")).unwrap();
        let losses: Vec<f64> = events
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).unwrap()["train_loss"].as_f64())
            .collect();
        assert_eq!(losses.len(), 4, "{kind}: {events}");
        assert!(losses[3] < losses[0], "{kind}: {losses:?}");
        let report = read_json(&run.join("report.json"));
        assert_eq!(report["model"], kind);
        assert!(report["test"]["auc"].as_f64().unwrap() > 0.6, "{kind}: {report}");
        let mut expected = report["test"].clone();
        expected["ceiling"] = report["ceiling"].clone();
        assert_eq!(fain(&["evaluate", text(&run), "--json"]).json(), expected, "{kind}");
        let view = fain(&["inspect", text(&run), "--json"]).json();
        assert_eq!(view["bundle"]["parameters"], report["parameters"], "{kind}");
    }
}
