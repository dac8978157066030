//! Models of one schema, and batches of it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Mutex, PoisonError};

use fain_features::{Column, Samples, SchemaConfig, Sequences};
use fain_models::{FeatureSpace, Model, ModelConfig, ModelInput, logits};
use proptest::prelude::*;
use tch::{Device, nn};

const SCHEMA: &str = r#"
    label = "click"
    features.user = { kind = "category" }
    features.item = { kind = "category" }
    features.shop = { kind = "category" }
    features.items = { kind = "sequence", vocabulary = "item", max_length = 50 }
    features.shops = { kind = "sequence", vocabulary = "shop", max_length = 50 }
    features.words = { kind = "sequence", max_length = 50 }
    features.price = { kind = "numeric" }
"#;

/// Vocabularies: user, item, shop, words.
pub(crate) const SIZES: [usize; 4] = [5, 9, 4, 6];

const COMMON: &str = r#"
    embedding = { dim = 3, std = 0.5 }
    mlp = { hidden = [7, 4], activation = "relu" }
"#;

const INTERESTS: &str = r#"interests = [{ candidate = ["item", "shop"], history = ["items", "shops"] }]"#;

/// The models, by the name a failing test gives, with what is theirs alone.
pub(crate) const MODELS: [(&str, &str); 7] = [
    (
        "wide_deep",
        r#"
        kind = "wide_deep"
        crosses = [{ features = ["user", "item"] }, { features = ["user", "shop"], buckets = 7 }]
        "#,
    ),
    ("deepfm", r#"kind = "deepfm""#),
    ("ipnn", r#"kind = "pnn""#),
    (
        "opnn",
        r#"
        kind = "pnn"
        product = { outer = { kernels = 2 } }
        "#,
    ),
    (
        "dsin",
        r#"
        kind = "dsin"
        limits = { sessions = 2, events = 2 }
        transformer = { heads = 2 }
        "#,
    ),
    (
        "bst",
        r#"
        kind = "bst"
        max_length = 3
        positions = { concatenate = { width = 2 } }
        transformer = { heads = 2 }
        "#,
    ),
    (
        "bst of the candidate's entry",
        r#"
        kind = "bst"
        max_length = 3
        positions = "add"
        output = "candidate"
        transformer_blocks = 2
        transformer = { heads = 3 }
        "#,
    ),
];

/// The settings of one of [`MODELS`].
pub(crate) fn settings(name: &str) -> String {
    let (_, own) = MODELS.iter().find(|(known, _)| *known == name).unwrap();
    let interests = if own.contains("dsin") || own.contains("bst") { INTERESTS } else { "" };
    format!("{own}\n{COMMON}\n{interests}")
}

pub(crate) fn space() -> FeatureSpace {
    FeatureSpace::new(&toml::from_str::<SchemaConfig>(SCHEMA).unwrap().check().unwrap(), &SIZES)
}

/// Builds a model from its settings.
pub(crate) fn build(settings: &str) -> (Box<dyn Model>, nn::VarStore) {
    // libtorch's generator belongs to the process: between its seed and the draws no other test may draw.
    static DRAWS: Mutex<()> = Mutex::new(());
    let _draws = DRAWS.lock().unwrap_or_else(PoisonError::into_inner);
    tch::manual_seed(3);
    let variables = nn::VarStore::new(Device::Cpu);
    let model = toml::from_str::<ModelConfig>(settings).unwrap().build(&variables.root(), &space()).unwrap();
    (model, variables)
}

/// A variable by its name; what is written to it is written to the model.
pub(crate) fn variable(variables: &nn::VarStore, name: &str) -> tch::Tensor {
    variables.variables()[name].shallow_clone()
}

/// Every number of a variable, row by row.
pub(crate) fn numbers(tensor: &tch::Tensor) -> Vec<f64> {
    Vec::<f64>::try_from(tensor.detach().to_kind(tch::Kind::Double).reshape([-1])).unwrap()
}

/// One row of a batch.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) user: u32,
    pub(crate) item: u32,
    pub(crate) shop: u32,
    /// The history's events: item and shop.
    pub(crate) events: Vec<(u32, u32)>,
    pub(crate) words: Vec<u32>,
    pub(crate) price: f32,
}

pub(crate) fn lists(rows: impl Iterator<Item = Vec<u32>>) -> Column {
    let mut lists = Sequences::default();
    for row in rows {
        lists.values.extend(row);
        lists.offsets.push(lists.values.len() as u32);
    }
    Column::Sequence(lists)
}

pub(crate) fn samples(rows: &[Row]) -> Samples {
    let columns = vec![
        Column::Category(rows.iter().map(|row| row.user).collect()),
        Column::Category(rows.iter().map(|row| row.item).collect()),
        Column::Category(rows.iter().map(|row| row.shop).collect()),
        lists(rows.iter().map(|row| row.events.iter().map(|event| event.0).collect())),
        lists(rows.iter().map(|row| row.events.iter().map(|event| event.1).collect())),
        lists(rows.iter().map(|row| row.words.clone())),
        Column::Numeric(rows.iter().map(|row| row.price).collect()),
    ];
    Samples { rows: rows.len(), columns, ..Samples::default() }
}

pub(crate) fn input(rows: &[Row]) -> ModelInput {
    ModelInput::new(&samples(rows), Device::Cpu).unwrap()
}

/// The logits of rows in evaluation.
pub(crate) fn scores(model: &dyn Model, rows: &[Row]) -> Vec<f32> {
    logits(model, &samples(rows), Device::Cpu).unwrap()
}

pub(crate) fn row() -> impl Strategy<Value = Row> {
    let events = prop::collection::vec((0u32..9, 0u32..4), 0..7);
    let words = prop::collection::vec(0u32..6, 0..4);
    (0u32..5, 0u32..9, 0u32..4, events, words, -2.0f32..2.0).prop_map(|(user, item, shop, events, words, price)| Row {
        user,
        item,
        shop,
        events,
        words,
        price,
    })
}

/// A few rows, one without history and one without any list.
pub(crate) fn some_rows() -> Vec<Row> {
    let row = |user, item, shop, events: &[(u32, u32)], words: &[u32], price| Row {
        user,
        item,
        shop,
        events: events.to_vec(),
        words: words.to_vec(),
        price,
    };
    vec![
        row(1, 2, 3, &[(4, 1), (5, 2), (4, 3), (7, 0), (2, 2)], &[1, 2], 0.5),
        row(2, 4, 1, &[], &[0, 3, 3], -1.0),
        row(3, 8, 0, &[(2, 0)], &[5], 0.1),
        row(4, 0, 2, &[], &[], 2.0),
        row(0, 2, 2, &[(8, 3), (1, 1)], &[4], -0.3),
    ]
}
