//! Traps that people fell into with whole models, one test each.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use fain_features::{Column, Samples, SchemaConfig, Sequences};
use fain_layers::{LayerError, Mode};
use fain_models::{FeatureSpace, Model, ModelConfig, ModelError, ModelInput, complete};
use fain_tests::draw_variables;
use fain_training::{AdamConfig, Optimizer, OptimizerConfig, UpdateRule};
use serde::Deserialize;
use tch::{Device, Kind, Tensor, nn};

const SCHEMA: &str = r#"
    label = "click"
    features.user = { kind = "category" }
    features.item = { kind = "category" }
    features.shop = { kind = "category" }
    features.items = { kind = "sequence", vocabulary = "item", max_length = 9 }
    features.shops = { kind = "sequence", vocabulary = "shop", max_length = 9 }
    features.passed_items = { kind = "sequence", vocabulary = "item", max_length = 9 }
    features.passed_shops = { kind = "sequence", vocabulary = "shop", max_length = 9 }
    features.price = { kind = "numeric" }
"#;

/// Vocabularies: user, item, shop.
const SIZES: [usize; 3] = [4, 6, 5];

/// DIN and DIEN in small: attention with everything that takes statistics, a GRU beside attention, both kinds of DIEN's
/// auxiliary loss.
const MODELS: [&str; 4] = [
    r#"
        kind = "din"
        embedding = { dim = 3 }
        attention = { hidden = [4], activation = "dice", batch_norm = true }
        mlp = { hidden = [5], activation = "dice" }
        interests = [{ candidate = ["item", "shop"], history = ["items", "shops"] }]
        pooling = "mean"
    "#,
    r#"
        kind = "din"
        preset = "pair_gru"
        embedding = { dim = 3 }
        attention = { hidden = [4] }
        mlp = { hidden = [5] }
        interests = [{ candidate = ["item", "shop"], history = ["items", "shops"] }]
        states = [{ candidate = ["item"], history = ["items"] }]
    "#,
    r#"
        kind = "dien"
        preset = "paper"
        embedding = { dim = 3 }
        mlp = { hidden = [5] }
        interests = [
            { candidate = ["item", "shop"], history = ["items", "shops"], negative = ["passed_items", "passed_shops"] },
        ]
    "#,
    r#"
        kind = "dien"
        preset = "authors"
        embedding = { dim = 3 }
        attention = { hidden = [4] }
        mlp = { hidden = [5] }
        interests = [
            { candidate = ["item", "shop"], history = ["items", "shops"], negative = ["passed_items", "passed_shops"] },
        ]
    "#,
];

fn space() -> FeatureSpace {
    FeatureSpace::new(&toml::from_str::<SchemaConfig>(SCHEMA).unwrap().check().unwrap(), &SIZES)
}

fn config(text: &str) -> ModelConfig {
    let mut model: toml::Table = toml::from_str(text).unwrap();
    complete(&mut model).unwrap();
    ModelConfig::deserialize(model).unwrap()
}

/// A model with drawn variables in float64.
fn build(text: &str) -> (nn::VarStore, Box<dyn Model>) {
    let mut store = nn::VarStore::new(Device::Cpu);
    let model = config(text).build(&store.root(), &space()).unwrap();
    draw_variables(&mut store, 5, Kind::Double).unwrap();
    (store, model)
}

/// One row: user, item, shop, and the history's events as (item, shop).
type Row = (u32, u32, u32, &'static [(u32, u32)]);

/// Events that did not happen are those that did, one id further.
fn input(rows: &[Row]) -> ModelInput {
    let list = |id: fn(&(u32, u32)) -> u32| {
        let mut lists = Sequences::default();
        for (_, _, _, events) in rows {
            lists.values.extend(events.iter().map(id));
            lists.offsets.push(lists.values.len() as u32);
        }
        Column::Sequence(lists)
    };
    let columns = vec![
        Column::Category(rows.iter().map(|row| row.0).collect()),
        Column::Category(rows.iter().map(|row| row.1).collect()),
        Column::Category(rows.iter().map(|row| row.2).collect()),
        list(|event| event.0),
        list(|event| event.1),
        list(|event| event.0 + 1),
        list(|event| event.1 + 1),
        Column::Numeric(rows.iter().map(|row| row.0 as f32 / 4.0).collect()),
    ];
    ModelInput::new(&Samples { rows: rows.len(), columns, ..Samples::default() }, Device::Cpu).unwrap()
}

fn numbers(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.detach().to_kind(Kind::Double).reshape([-1])).unwrap()
}

fn values(store: &nn::VarStore) -> BTreeMap<String, Vec<f64>> {
    store.variables().into_iter().map(|(name, variable)| (name, numbers(&variable))).collect()
}

/// Click loss and auxiliary loss of a training batch of clicks.
fn loss(model: &dyn Model, rows: &[Row]) -> Tensor {
    let output = model.forward(&input(rows), Mode::Training).unwrap();
    let click = -output.logits.log_sigmoid().mean(Kind::Double);
    output.auxiliary.map_or(click.shallow_clone(), |auxiliary| click + auxiliary)
}

/// Takes a step of Adam; every parameter that has a gradient moves.
fn train(store: &nn::VarStore, model: &dyn Model, rows: &[Row]) {
    let parameters = store.variables().into_iter().filter(|(_, variable)| variable.requires_grad()).collect();
    let settings =
        OptimizerConfig { learning_rate: 0.01, weight_decay: 0.0, rule: UpdateRule::Adam(AdamConfig::default()) };
    Optimizer::new(parameters, settings).unwrap().backward_step(&loss(model, rows)).unwrap();
}

/// The rows of a table that differ.
fn moved(before: &BTreeMap<String, Vec<f64>>, after: &BTreeMap<String, Vec<f64>>, table: &str) -> BTreeSet<usize> {
    let pairs = before[table].chunks(3).zip(after[table].chunks(3)).enumerate();
    pairs.filter(|(_, (before, after))| before != after).map(|(row, _)| row).collect()
}

// Trap 2: a last batch of one breaks batch norm.

#[test]
fn trap_02_a_batch_that_is_refused_moves_no_statistics() {
    for text in [
        // The attention has statistics, as it reads three events, and the network behind has none.
        MODELS[0].to_owned(),
        // Here a normalisation between the two has none.
        MODELS[0].replace(
            r#"mlp = { hidden = [5], activation = "dice" }"#,
            r#"mlp = { hidden = [5], activation = "relu" }"#,
        ) + r#"projection = "normalized_dense""#,
    ] {
        let (store, model) = build(&text);
        let before = values(&store);
        let one: &[Row] = &[(1, 2, 3, &[(1, 1), (2, 2), (3, 3)])];
        let error = model.forward(&input(one), Mode::Training).unwrap_err();
        assert!(matches!(error, ModelError::Layer(LayerError::TooFewRows { rows: 1, needed: 2, .. })), "{error}");
        assert_eq!(values(&store), before);
        assert_eq!(model.forward(&input(one), Mode::Evaluation).unwrap().logits.size(), [1]);
    }
}

// Trap 3: masks guessed from `id != 0`; id 0 is real; padding takes part.

#[test]
fn trap_03_id_zero_is_an_event_and_is_trained() {
    let zeros: &[Row] = &[(1, 2, 3, &[(0, 0), (2, 1)]), (2, 1, 2, &[(3, 3)])];
    let without: &[Row] = &[(1, 2, 3, &[(2, 1)]), (2, 1, 2, &[(3, 3)])];
    for text in MODELS {
        let (store, model) = build(text);
        let evaluate = |rows: &[Row]| numbers(&model.forward(&input(rows), Mode::Evaluation).unwrap().logits);
        let (with, without) = (evaluate(zeros), evaluate(without));
        assert!((with[0] - without[0]).abs() > 1e-6, "{text}: an event of id 0 has no effect");
        assert_eq!(with[1].to_bits(), without[1].to_bits(), "{text}: a batch mate has an effect");

        let before = values(&store);
        train(&store, model.as_ref(), zeros);
        let after = values(&store);
        assert!(moved(&before, &after, "embedding.item.weight").contains(&0), "{text}");
        assert!(moved(&before, &after, "embedding.shop.weight").contains(&0), "{text}");
        // Rows that the batch does not read stay: of users, all but 1 and 2.
        assert_eq!(moved(&before, &after, "embedding.user.weight"), BTreeSet::from([1, 2]), "{text}");
    }
}

#[test]
fn trap_03_an_unused_row_zero_is_not_trained_by_empty_histories() {
    let rows: &[Row] = &[(1, 2, 3, &[]), (2, 1, 2, &[(3, 2), (4, 1)]), (3, 1, 1, &[])];
    let empty: &[Row] = &[(1, 2, 3, &[]), (2, 1, 2, &[])];
    for text in MODELS {
        for rows in [rows, empty] {
            let (store, model) = build(text);
            let before = values(&store);
            train(&store, model.as_ref(), rows);
            let after = values(&store);
            for table in ["user", "item", "shop"] {
                let moved = moved(&before, &after, &format!("embedding.{table}.weight"));
                assert!(!moved.contains(&0) && !moved.is_empty(), "{text}: rows {moved:?} of {table}");
            }
            assert!(after.values().flatten().all(|value| value.is_finite()), "{text}");
        }
    }
}

#[test]
fn trap_03_a_zero_row_that_is_asked_for_is_not_trained() {
    let zeros: &[Row] = &[(0, 0, 0, &[(0, 0), (2, 1)]), (2, 1, 2, &[(3, 3)])];
    for text in MODELS {
        let (store, model) =
            build(&text.replace("embedding = { dim = 3 }", "embedding = { dim = 3, zero_row = true }"));
        let before = values(&store);
        train(&store, model.as_ref(), zeros);
        let after = values(&store);
        for table in ["user", "item", "shop"] {
            let moved = moved(&before, &after, &format!("embedding.{table}.weight"));
            assert!(!moved.contains(&0) && moved.contains(&2), "{text}: rows {moved:?} of {table}");
        }
    }
}

// Trap 9: two models share tables through the feature list.

#[test]
fn trap_09_two_models_of_one_config_share_nothing() {
    let rows: &[Row] = &[(1, 2, 3, &[(0, 0), (2, 1)]), (2, 1, 2, &[(3, 3)]), (0, 4, 1, &[(4, 2), (1, 1)])];
    for text in MODELS {
        let (config, space) = (config(text), space());
        let (mut first_store, mut second_store) = (nn::VarStore::new(Device::Cpu), nn::VarStore::new(Device::Cpu));
        let first = config.build(&first_store.root(), &space).unwrap();
        let second = config.build(&second_store.root(), &space).unwrap();
        draw_variables(&mut first_store, 5, Kind::Double).unwrap();
        draw_variables(&mut second_store, 5, Kind::Double).unwrap();
        let start = values(&first_store);
        assert_eq!(values(&second_store), start);
        let evaluate = |model: &dyn Model| numbers(&model.forward(&input(rows), Mode::Evaluation).unwrap().logits);
        let scores = evaluate(second.as_ref());
        assert_eq!(evaluate(first.as_ref()), scores);

        train(&first_store, first.as_ref(), rows);
        assert_ne!(evaluate(first.as_ref()), scores, "{text}");
        assert_eq!(evaluate(second.as_ref()), scores, "{text}");
        assert_eq!(values(&second_store), start, "{text}");
        // All that is trained has moved in the one, and within one model candidate and history do share a table.
        let trained = values(&first_store);
        for name in start.keys().filter(|name| trained[*name] == start[*name]) {
            // A softmax over events does not hear a bias that all scores share: its gradient is 0, or what rounding
            // leaves. That it is not heard is seen in the scores.
            let unheard = ["attention.output.bias", "interest0.output.bias"];
            assert!(unheard.iter().any(|bias| name.ends_with(bias)), "{text}: {name} stays");
            let scores = evaluate(first.as_ref());
            let _ = tch::no_grad(|| first_store.variables()[name].shallow_clone().g_add_scalar_(1.0));
            for (score, before) in evaluate(first.as_ref()).into_iter().zip(scores) {
                assert!((score - before).abs() < 1e-12, "{text}: {name} is heard and stays");
            }
        }
        assert_eq!(start.keys().filter(|name| name.starts_with("embedding.")).count(), SIZES.len());
    }
}
