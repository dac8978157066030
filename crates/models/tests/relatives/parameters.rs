//! What the models learn, by name and number.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fain_layers::Mode;
use fain_models::{named_tensors, parameter_count};
use tch::Kind;

use crate::support::{build, input, numbers, settings, some_rows};

/// The tables: 5 users, 9 items, 4 shops and 6 words of width 3.
const TABLES: u64 = (5 + 9 + 4 + 6) * 3;

/// A number for each id, of the item and the shop as candidate and as history, and one for the price.
const LINEAR: u64 = 5 + 9 + 4 + 9 + 4 + 6 + 1;

/// Hidden layers of 7 and 4 units over so many columns, and the logit.
fn network(columns: u64) -> u64 {
    (columns * 7 + 7) + (7 * 4 + 4) + (4 + 1)
}

/// Self-attention without biases, a network four times as wide, and two normalisations.
fn transformer(width: u64) -> u64 {
    4 * width * width + (4 * width * width + 4 * width) + (4 * width * width + width) + 2 * 2 * width
}

#[test]
fn parameters_are_counted_by_hand() {
    // Six vectors and the price; with interests four of them, and the price.
    let (all, others) = (6 * 3 + 1, 4 * 3 + 1);
    // Two LSTMs of four gates with two biases each, and two bilinear maps.
    let sessions = 2 * 4 * (6 * 6 + 6 * 6 + 2 * 6) + 2 * 6 * 6;
    for (name, count) in [
        // Of 45 combinations each has a number, of 20 there are 7.
        ("wide_deep", TABLES + network(all) + LINEAR + 45 + 7),
        ("deepfm", TABLES + network(all) + LINEAR),
        ("ipnn", TABLES + network(all + 6 * 5 / 2)),
        ("opnn", TABLES + network(all + 2) + 2 * 3 * 3),
        // Biases of 2 sessions, 2 events and 6 units.
        ("dsin", TABLES + network(others + 2 * 6) + (2 + 2 + 6) + transformer(6) + sessions),
        // The candidate and three events, with a position of width 2.
        ("bst", TABLES + network(others + 4 * 8) + 4 * 2 + transformer(8)),
        ("bst of the candidate's entry", TABLES + network(others + 6) + 4 * 6 + 2 * transformer(6)),
    ] {
        assert_eq!(parameter_count(&build(&settings(name)).1), count, "{name}");
    }
}

#[test]
fn parameters_are_named() {
    for (name, expected) in [
        ("wide_deep", vec!["cross0.weight", "cross1.weight", "wide.items.weight", "wide.price.weight"]),
        ("deepfm", vec!["first_order.item.weight", "first_order.items.weight"]),
        ("opnn", vec!["product.weight"]),
        ("dsin", vec!["interest0.session.bias.unit", "interest0.interest_activation.bilinear.weight"]),
        ("bst", vec!["interest0.position.weight", "interest0.block0.attention.query.weight"]),
    ] {
        let names: Vec<String> = named_tensors(&build(&settings(name)).1).into_iter().map(|(name, _)| name).collect();
        for expected in expected.into_iter().chain(["embedding.item.weight", "mlp.dense1.bias", "output.weight"]) {
            assert!(names.iter().any(|name| name == expected), "{name}: no {expected} in {names:?}");
        }
    }
}

/// The cost of a step grows with the rows of its batch: also of the linear parts, and with the same numbers.
#[test]
fn sparse_tables_have_the_gradients_of_dense_ones() {
    for (name, sparse) in [("wide_deep", 4 + 6 + 2), ("deepfm", 4 + 6), ("ipnn", 4), ("dsin", 4), ("bst", 4)] {
        let (dense_model, dense) = build(&settings(name));
        let (sparse_model, variables) = build(&settings(name).replace("std = 0.5", "std = 0.5, sparse = true"));
        for model in [&dense_model, &sparse_model] {
            model.forward(&input(&some_rows()), Mode::Training).unwrap().logits.square().sum(Kind::Float).backward();
        }
        let mut found = 0;
        for ((variable, tensor), (_, dense)) in named_tensors(&variables).into_iter().zip(named_tensors(&dense)) {
            let gradient = tensor.grad();
            found += i32::from(gradient.is_sparse());
            let gradient = if gradient.is_sparse() { gradient.to_dense(None, false) } else { gradient };
            let error = (gradient - dense.grad()).abs().max();
            assert!(f64::try_from(error).unwrap() < 1e-6, "{name}: {variable}");
        }
        assert_eq!(found, sparse, "{name}");
    }
}

/// A bias of a model of interests is a linear part too.
#[test]
fn a_bias_starts_at_zero_and_is_added() {
    let (model, variables) = build(&format!("bias = [\"item\"]\n{}", settings("bst")));
    let rows = some_rows();
    let before = crate::support::scores(model.as_ref(), &rows);
    let bias = variables.variables()["bias.item.weight"].shallow_clone();
    assert_eq!(numbers(&bias), [0.0; 9]);
    let _ = tch::no_grad(|| bias.get(2).fill_(0.75));
    let after = crate::support::scores(model.as_ref(), &rows);
    for ((row, before), after) in rows.iter().zip(before).zip(after) {
        let expected = before + if row.item == 2 { 0.75 } else { 0.0 };
        assert!((after - expected).abs() < 1e-6, "{after} {expected}");
    }
}
