//! What every model promises.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fain_features::Column;
use fain_layers::Mode;
use fain_models::{Model, logits, named_tensors};
use proptest::prelude::*;
use tch::{Device, Kind, Tensor};

use crate::support::{MODELS, Row, build, input, lists, numbers, row, samples, scores, settings, some_rows};

/// Click or not, for as many rows.
fn labels(rows: &[Row]) -> Tensor {
    Tensor::from_slice(&rows.iter().map(|row| f32::from(u8::from(row.item % 2 == 0))).collect::<Vec<_>>())
}

fn loss(model: &dyn Model, rows: &[Row]) -> Tensor {
    let logits = model.forward(&input(rows), Mode::Training).unwrap().logits;
    logits.binary_cross_entropy_with_logits::<Tensor>(&labels(rows), None, None, tch::Reduction::Mean)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Traps: a score that depends on who else is in the batch; a batch of one that loses a dimension.
    #[test]
    fn a_row_scores_the_same_whatever_its_batch_mates(rows in prop::collection::vec(row(), 1..16)) {
        for (name, _) in MODELS {
            for activation in ["relu", "dice"] {
                let (model, _variables) = build(&settings(name).replace("relu", activation));
                let together = scores(model.as_ref(), &rows);
                let reversed = scores(model.as_ref(), &rows.iter().rev().cloned().collect::<Vec<_>>());
                for (index, row) in rows.iter().enumerate() {
                    let alone = scores(model.as_ref(), std::slice::from_ref(row))[0];
                    for other in [together[index], reversed[rows.len() - 1 - index]] {
                        prop_assert!((alone - other).abs() < 1e-5, "{name}: {alone} alone, {other} together");
                    }
                }
            }
        }
    }

    /// Traps: NaN from empty histories, all of them empty too; gradients of rows that are not in the batch.
    #[test]
    fn training_gives_finite_gradients(rows in prop::collection::vec(row(), 1..12), empty in any::<bool>()) {
        let mut rows = rows;
        if empty {
            for row in &mut rows {
                row.events.clear();
                row.words.clear();
            }
        }
        for (name, _) in MODELS {
            let (model, variables) = build(&settings(name));
            let output = model.forward(&input(&rows), Mode::Training).unwrap();
            prop_assert_eq!(output.logits.size(), [rows.len() as i64]);
            prop_assert!(output.auxiliary.is_none());
            output.logits.square().sum(Kind::Float).backward();
            for (variable, tensor) in named_tensors(&variables) {
                let gradient = tensor.grad();
                prop_assert!(!gradient.defined() || bool::try_from(gradient.isfinite().all()).unwrap(), "{name}: {variable}");
            }
            // Words are in the histories of no interest: their rows move only for words of the batch.
            let gradient = variables.variables()["embedding.words.weight"].grad();
            for word in 0..6u32 {
                let moves = gradient.defined() && f64::try_from(gradient.get(i64::from(word)).abs().sum(Kind::Double)).unwrap() > 0.0;
                let read = rows.iter().any(|row| row.words.contains(&word));
                prop_assert!(read || !moves, "{name}: word {word}");
            }
        }
    }

    /// A small step against the gradient of the click loss.
    #[test]
    fn a_step_lowers_the_loss(rows in prop::collection::vec(row(), 1..12)) {
        for (name, _) in MODELS {
            let (model, variables) = build(&settings(name));
            let before = loss(model.as_ref(), &rows);
            before.backward();
            let mut slope = 0.0;
            tch::no_grad(|| {
                for (_, mut tensor) in named_tensors(&variables) {
                    if tensor.grad().defined() {
                        slope += numbers(&tensor.grad()).iter().map(|number| number * number).sum::<f64>();
                        let _ = tensor.f_sub_(&(tensor.grad() * 1e-3)).unwrap();
                    }
                }
            });
            let (before, after) = (f64::try_from(before).unwrap(), f64::try_from(loss(model.as_ref(), &rows)).unwrap());
            // Where all units are silent and the clicks are even, the loss falls by less than float32 can tell; then it
            // does not rise by more.
            let told = 1e-3 * slope >= 1e-6;
            prop_assert!(after < before || (!told && after <= before + 1e-6), "{name}: {after} after {before}");
        }
    }
}

/// Of long histories the most recent events are read.
#[test]
fn events_beyond_the_limits_do_not_count() {
    // DSIN: two sessions of two events. BST: three events.
    for (name, read) in [("dsin", 4), ("bst", 3)] {
        let (model, _variables) = build(&settings(name));
        let rows = some_rows();
        let mut changed = rows.clone();
        let oldest = rows[0].events.len() - read;
        for event in &mut changed[0].events[..oldest] {
            *event = (0, 0);
        }
        assert_eq!(scores(model.as_ref(), &rows), scores(model.as_ref(), &changed), "{name}");
        changed[0].events[oldest] = (0, 0);
        assert!((scores(model.as_ref(), &rows)[0] - scores(model.as_ref(), &changed)[0]).abs() > 1e-6, "{name}");
    }
}

/// A batch of one has no batch statistics; a refused batch moves none.
#[test]
fn a_batch_that_is_refused_changes_nothing() {
    for (name, _) in MODELS {
        // Keras' rules take statistics of one row, Dice needs two.
        let settings =
            settings(name).replace("activation = \"relu\" }", "activation = \"dice\", input_norm = \"keras\" }");
        let (model, variables) = build(&settings);
        let error = model.forward(&input(&some_rows()[..1]), Mode::Training).unwrap_err().to_string();
        assert!(error.starts_with("batch normalisation takes statistics over the rows"), "{name}: {error}");
        let moved = variables.variables()["mlp.input_norm.running_mean"].abs().max();
        assert_eq!(f64::try_from(moved).ok(), Some(0.0), "{name}");
        model.forward(&input(&some_rows()), Mode::Training).unwrap();
        let moved = variables.variables()["mlp.input_norm.running_mean"].abs().max();
        assert!(f64::try_from(moved).unwrap() > 0.0, "{name}");
    }
}

/// What is changed, and how.
type Change = (&'static str, fn(&mut Row));

#[test]
fn every_part_of_a_row_counts() {
    let changes: [Change; 7] = [
        ("user", |row| row.user = 2),
        ("item", |row| row.item = 3),
        ("shop", |row| row.shop = 1),
        ("an item of the history", |row| row.events[3].0 = 8),
        ("a shop of the history", |row| row.events[3].1 = 3),
        ("the words", |row| row.words = vec![1]),
        ("the price", |row| row.price = 1.5),
    ];
    for (name, _) in MODELS {
        let (model, _variables) = build(&settings(name).replace("relu", "prelu"));
        let base = some_rows().swap_remove(0);
        let score = |row: &Row| scores(model.as_ref(), std::slice::from_ref(row))[0];
        for (part, change) in changes {
            let mut row = base.clone();
            change(&mut row);
            assert!((score(&row) - score(&base)).abs() > 1e-6, "{name}: {part} does not count");
        }
    }
}

#[test]
fn a_batch_of_another_schema_is_refused() {
    for (name, _) in MODELS {
        let (model, _variables) = build(&settings(name));
        let message = |change: &dyn Fn(&mut Vec<Column>)| {
            let mut batch = samples(&some_rows());
            change(&mut batch.columns);
            logits(model.as_ref(), &batch, Device::Cpu).unwrap_err().to_string()
        };
        let number = || Column::Numeric(vec![1.0; 5]);
        let error = message(&|columns| columns[0] = number());
        assert_eq!(error, "the batch's column user is a number, but the model was built for a category", "{name}");
        let error = message(&|columns| columns[5] = number());
        assert_eq!(error, "the batch's column words is a number, but the model was built for a sequence", "{name}");
        let error = message(&|columns| columns[6] = lists((0..5).map(|_| vec![0])));
        assert_eq!(error, "the batch's column price is a sequence, but the model was built for a number", "{name}");
        let error = message(&|columns| columns.truncate(6));
        assert_eq!(error, "the batch's column price is missing, but the model was built for a number", "{name}");
    }
}

/// Whole networks against finite differences, in float64.
#[test]
fn gradients_equal_finite_differences() {
    for (name, _) in MODELS {
        // Without corners a difference is no question of luck.
        let settings = settings(name).replace("relu", "sigmoid");
        let settings = settings.replace("heads = 2 }", "heads = 2, activation = \"relu\" }");
        let (model, mut variables) = build(&settings);
        variables.double();
        let input = input(&some_rows());
        let loss = || model.forward(&input, Mode::Training).unwrap().logits.square().sum(Kind::Double);
        loss().backward();
        let mut compared = 0;
        for (variable, tensor) in named_tensors(&variables).into_iter().filter(|(_, tensor)| tensor.requires_grad()) {
            let gradient = Vec::<f64>::try_from(tensor.grad().reshape([-1])).unwrap();
            for index in (0..tensor.numel()).step_by(7) {
                let moved = |delta: f64| {
                    let _guard = tch::no_grad_guard();
                    let mut entry = tensor.detach().view([-1]).get(index as i64);
                    let _ = entry.g_add_scalar_(delta);
                    let value = f64::try_from(loss()).unwrap();
                    let _ = entry.g_add_scalar_(-delta);
                    value
                };
                let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
                let error = (gradient[index] - difference).abs();
                let got = gradient[index];
                assert!(error < 1e-6 * (1.0 + difference.abs()), "{name}: {variable}[{index}]: {got} and {difference}");
                compared += 1;
            }
        }
        assert!(compared > 40, "{name}: {compared}");
    }
}
