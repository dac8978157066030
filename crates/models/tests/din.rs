//! The Deep Interest Network as a whole.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Mutex, PoisonError};

use fain_features::{Column, Samples, SchemaConfig, Sequences};
use fain_layers::Mode;
use fain_models::{FeatureSpace, Model, ModelConfig, ModelInput, logits, named_tensors, parameter_count};
use proptest::prelude::*;
use tch::{Device, Kind, Tensor, nn};

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
const SIZES: [usize; 4] = [5, 9, 4, 6];

const MODEL: &str = r#"
    kind = "din"
    embedding = { dim = 3, std = 0.5 }
    attention = { hidden = [5], activation = "dice" }
    mlp = { hidden = [7, 4], activation = "dice" }
    interests = [{ candidate = ["item", "shop"], history = ["items", "shops"] }]
"#;

fn space() -> FeatureSpace {
    FeatureSpace::new(&toml::from_str::<SchemaConfig>(SCHEMA).unwrap().check().unwrap(), &SIZES)
}

fn build(model: &str) -> (Box<dyn Model>, nn::VarStore) {
    // libtorch's generator belongs to the process: between its seed and the draws no other test may draw.
    static DRAWS: Mutex<()> = Mutex::new(());
    let _draws = DRAWS.lock().unwrap_or_else(PoisonError::into_inner);
    tch::manual_seed(3);
    let variables = nn::VarStore::new(Device::Cpu);
    let model = toml::from_str::<ModelConfig>(model).unwrap().build(&variables.root(), &space()).unwrap();
    (model, variables)
}

/// One row: user, item, shop, the history's events as (item, shop), words, price.
type Row = (u32, u32, u32, Vec<(u32, u32)>, Vec<u32>, f32);

fn lists<'a>(rows: impl Iterator<Item = Vec<u32>> + 'a) -> Column {
    let mut lists = Sequences::default();
    for row in rows {
        lists.values.extend(row);
        lists.offsets.push(lists.values.len() as u32);
    }
    Column::Sequence(lists)
}

fn samples(rows: &[Row]) -> Samples {
    let columns = vec![
        Column::Category(rows.iter().map(|row| row.0).collect()),
        Column::Category(rows.iter().map(|row| row.1).collect()),
        Column::Category(rows.iter().map(|row| row.2).collect()),
        lists(rows.iter().map(|row| row.3.iter().map(|event| event.0).collect())),
        lists(rows.iter().map(|row| row.3.iter().map(|event| event.1).collect())),
        lists(rows.iter().map(|row| row.4.clone())),
        Column::Numeric(rows.iter().map(|row| row.5).collect()),
    ];
    Samples { rows: rows.len(), columns, ..Samples::default() }
}

fn row() -> impl Strategy<Value = Row> {
    let events = prop::collection::vec((0u32..9, 0u32..4), 0..6);
    let words = prop::collection::vec(0u32..6, 0..4);
    (0u32..5, 0u32..9, 0u32..4, events, words, -2.0f32..2.0)
}

#[test]
fn parameters_are_named_and_counted() {
    let (_, variables) = build(MODEL);
    let found: Vec<(String, Vec<i64>)> =
        named_tensors(&variables).into_iter().map(|(name, tensor)| (name, tensor.size())).collect();
    let named = |name: &str, size: &[i64]| (name.to_owned(), size.to_vec());
    // 3 per category (user, item, shop), 3 for the words, 1 for the price, 6 for the interest.
    let expected = [
        named("embedding.item.weight", &[9, 3]),
        named("embedding.shop.weight", &[4, 3]),
        named("embedding.user.weight", &[5, 3]),
        named("embedding.words.weight", &[6, 3]),
        named("interest0.output.bias", &[1]),
        named("interest0.output.weight", &[1, 5]),
        named("interest0.score.activation0.alpha", &[5]),
        named("interest0.score.activation0.bn.running_mean", &[5]),
        named("interest0.score.activation0.bn.running_var", &[5]),
        named("interest0.score.dense0.bias", &[5]),
        named("interest0.score.dense0.weight", &[5, 24]),
        named("mlp.activation0.alpha", &[7]),
        named("mlp.activation0.bn.running_mean", &[7]),
        named("mlp.activation0.bn.running_var", &[7]),
        named("mlp.activation1.alpha", &[4]),
        named("mlp.activation1.bn.running_mean", &[4]),
        named("mlp.activation1.bn.running_var", &[4]),
        named("mlp.dense0.bias", &[7]),
        named("mlp.dense0.weight", &[7, 19]),
        named("mlp.dense1.bias", &[4]),
        named("mlp.dense1.weight", &[4, 7]),
        named("output.bias", &[1]),
        named("output.weight", &[1, 4]),
    ];
    assert_eq!(found, expected);
    let buffers = 2 * (5 + 7 + 4);
    let all: i64 = expected.iter().map(|(_, size)| size.iter().product::<i64>()).sum();
    assert_eq!(parameter_count(&variables), (all - buffers) as u64);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Trap: a score that depends on who else is in the batch.
    #[test]
    fn a_row_scores_the_same_whatever_its_batch_mates(rows in prop::collection::vec(row(), 1..20)) {
        for activation in ["dice", "prelu", "relu"] {
            let (model, _) = build(&MODEL.replace("dice", activation));
            let together = logits(model.as_ref(), &samples(&rows), Device::Cpu).unwrap();
            for (row, expected) in rows.iter().zip(together) {
                let alone = logits(model.as_ref(), &samples(std::slice::from_ref(row)), Device::Cpu).unwrap();
                prop_assert!((alone[0] - expected).abs() < 1e-6, "{} alone, {expected} together", alone[0]);
            }
        }
    }

    /// Traps: NaN from empty histories, all of them empty too; a batch of one that loses a dimension.
    #[test]
    fn training_gives_finite_gradients(rows in prop::collection::vec(row(), 2..12), empty in any::<bool>()) {
        let (model, variables) = build(MODEL);
        let mut rows = rows;
        if empty {
            for row in &mut rows {
                row.3.clear();
            }
        }
        let input = ModelInput::new(&samples(&rows), Device::Cpu).unwrap();
        let logits = model.forward(&input, Mode::Training).unwrap().logits;
        prop_assert_eq!(logits.size(), [rows.len() as i64]);
        logits.square().sum(Kind::Float).backward();
        for (name, tensor) in named_tensors(&variables) {
            if tensor.requires_grad() && tensor.grad().defined() {
                prop_assert!(bool::try_from(tensor.grad().isfinite().all()).unwrap(), "{name}");
            }
            prop_assert!(bool::try_from(tensor.isfinite().all()).unwrap(), "{name}");
        }
    }
}

/// What is changed, and how.
type Change = (&'static str, fn(&mut Row));

#[test]
fn every_part_of_a_row_counts() {
    let (model, _) = build(MODEL);
    let base: Row = (1, 2, 3, vec![(4, 1), (5, 2)], vec![1, 2], 0.5);
    let score = |row: &Row| logits(model.as_ref(), &samples(std::slice::from_ref(row)), Device::Cpu).unwrap()[0];
    let changes: [Change; 7] = [
        ("user", |row| row.0 = 2),
        ("item", |row| row.1 = 3),
        ("shop", |row| row.2 = 1),
        ("an item of the history", |row| row.3[0].0 = 7),
        ("a shop of the history", |row| row.3[0].1 = 3),
        ("the words", |row| row.4 = vec![1]),
        ("the price", |row| row.5 = 1.5),
    ];
    for (name, change) in changes {
        let mut row = base.clone();
        change(&mut row);
        assert!((score(&row) - score(&base)).abs() > 1e-6, "{name} does not count");
    }
}

#[test]
fn candidate_and_history_share_a_table() {
    let (model, variables) = build(MODEL);
    let row: Row = (1, 2, 3, vec![(4, 1)], vec![], 0.5);
    let score = || logits(model.as_ref(), &samples(std::slice::from_ref(&row)), Device::Cpu).unwrap()[0];
    let before = score();
    let _guard = tch::no_grad_guard();
    // Item 4 is only in the history; its row of the candidate's table moves the score.
    let _ = variables.variables()["embedding.item.weight"].get(4).fill_(2.0);
    assert!((score() - before).abs() > 1e-6);
}

#[test]
fn histories_of_one_interest_must_agree_in_length() {
    let (model, _) = build(MODEL);
    let row: Row = (1, 2, 3, vec![(4, 1), (5, 2)], vec![], 0.5);
    let mut batch = samples(&[row.clone(), row]);
    batch.columns[4] = lists([vec![1, 2], vec![1]].into_iter());
    let error = logits(model.as_ref(), &batch, Device::Cpu).unwrap_err().to_string();
    assert_eq!(
        error,
        "the histories items and shops belong to one interest, but row 1 of the batch has 2 events in the one and 1 in \
         the other"
    );
}

#[test]
fn a_batch_of_another_schema_is_refused() {
    let (model, _) = build(MODEL);
    let mut batch = samples(&[(1, 2, 3, vec![], vec![], 0.5)]);
    batch.columns[0] = Column::Numeric(vec![1.0]);
    let error = logits(model.as_ref(), &batch, Device::Cpu).unwrap_err().to_string();
    assert_eq!(error, "the batch's column user is a number, but the model was built for a category");
    batch.columns.clear();
    let error = logits(model.as_ref(), &batch, Device::Cpu).unwrap_err().to_string();
    assert_eq!(error, "the batch's column item is missing, but the model was built for a category");
}

#[test]
fn one_row_has_no_batch_statistics() {
    let (model, _) = build(MODEL);
    let input = ModelInput::new(&samples(&[(1, 2, 3, vec![(1, 1)], vec![], 0.5)]), Device::Cpu).unwrap();
    let error = model.forward(&input, Mode::Training).unwrap_err().to_string();
    assert_eq!(
        error,
        "batch normalisation takes statistics over the rows of a training batch and needs at least 2, got 1"
    );
}

/// The whole network against finite differences, in float64.
#[test]
fn gradients_equal_finite_differences() {
    let (model, mut variables) = build(MODEL);
    variables.double();
    let rows: Vec<Row> = vec![
        (1, 2, 3, vec![(4, 1), (5, 2), (4, 3)], vec![1, 2], 0.5),
        (2, 4, 1, vec![], vec![], -1.0),
        (3, 8, 0, vec![(2, 0)], vec![5], 0.1),
        (1, 2, 2, vec![(8, 3), (1, 1)], vec![0, 3, 3], 2.0),
    ];
    let input = ModelInput::new(&samples(&rows), Device::Cpu).unwrap();
    let loss = || model.forward(&input, Mode::Training).unwrap().logits.square().sum(Kind::Double);
    loss().backward();
    let mut compared = 0;
    for (name, tensor) in named_tensors(&variables).into_iter().filter(|(_, tensor)| tensor.requires_grad()) {
        let gradient = Vec::<f64>::try_from(tensor.grad().reshape([-1])).unwrap();
        for index in (0..tensor.numel()).step_by(3) {
            let moved = |delta: f64| {
                let _guard = tch::no_grad_guard();
                let entry: Tensor = tensor.detach().view([-1]).get(index as i64);
                let mut target = entry.shallow_clone();
                let _ = target.g_add_scalar_(delta);
                let value = f64::try_from(loss()).unwrap();
                let _ = target.g_add_scalar_(-delta);
                value
            };
            let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
            let error = (gradient[index] - difference).abs();
            assert!(error < 1e-6 * (1.0 + difference.abs()), "{name}[{index}]: {} and {difference}", gradient[index]);
            compared += 1;
        }
    }
    assert!(compared > 80, "{compared}");
}
