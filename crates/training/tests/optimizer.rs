//! Optimisers against libtorch's own, what they refuse, and what they remember.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fain_training::{AdagradConfig, AdamConfig, ErrorKind, Optimizer, OptimizerConfig, TrainingError, UpdateRule};
use tch::nn::OptimizerConfig as _;
use tch::{Device, Kind, Tensor, nn};

const ADAM: UpdateRule = UpdateRule::Adam(AdamConfig { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
const ADAM_W: UpdateRule = UpdateRule::AdamW(AdamConfig { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
const ADAGRAD: UpdateRule = UpdateRule::Adagrad(AdagradConfig { epsilon: 1e-10 });
const SGD: UpdateRule = UpdateRule::Sgd {};

fn loss(table: &Tensor, bias: &Tensor, step: i64) -> Tensor {
    let ids = Tensor::from_slice(&[step % 4, (3 * step + 1) % 4, 2]);
    let rows = Tensor::embedding(table, &ids, -1, false, false);
    (rows.square() * (step + 1) as f64 + rows * bias).sum(Kind::Double) + bias.cos().sum(Kind::Double)
}

fn start() -> [Tensor; 2] {
    let table = Tensor::from_slice(&[0.3, -0.2, 0.8, 1.0, -0.7, 0.1, 0.0, 0.5]).reshape([4, 2]);
    [table, Tensor::from_slice(&[0.4, -1.1])]
}

/// A table and a bias at their start, and their optimiser.
fn optimizer(rule: UpdateRule, weight_decay: f64) -> (Vec<Tensor>, Optimizer) {
    let values: Vec<Tensor> = start().iter().map(|tensor| tensor.copy().set_requires_grad(true)).collect();
    let named = vec![("table".to_owned(), values[0].shallow_clone()), ("bias".to_owned(), values[1].shallow_clone())];
    let config = OptimizerConfig { learning_rate: 0.05, weight_decay, rule };
    (values, Optimizer::new(named, config).unwrap())
}

/// One value of a table, by row and column.
fn at(tensor: &Tensor, row: i64, column: i64) -> f64 {
    tensor.double_value(&[row, column])
}

/// Rows of the table's gradient with their values, as a lookup gives them.
fn sparse(rows: &[i64], values: &[f64]) -> Tensor {
    let values = Tensor::from_slice(values).reshape([-1, 2]);
    let rows = Tensor::from_slice(rows).unsqueeze(0);
    Tensor::sparse_coo_tensor_indices_size(&rows, &values, [4, 2], (Kind::Double, Device::Cpu), false)
}

#[test]
fn a_rule_is_libtorchs_rule_of_that_name() {
    for weight_decay in [0.0, 1e-2] {
        for rule in [ADAM, ADAM_W, SGD] {
            let mut theirs = nn::VarStore::new(Device::Cpu);
            let (table, bias) = (theirs.root().zeros("table", &[4, 2]), theirs.root().zeros("bias", &[2]));
            theirs.double();
            tch::no_grad(|| {
                table.shallow_clone().copy_(&start()[0]);
                bias.shallow_clone().copy_(&start()[1]);
            });
            let built = match rule {
                UpdateRule::Adam(_) => nn::Adam { wd: weight_decay, ..nn::Adam::default() }.build(&theirs, 0.05),
                UpdateRule::AdamW(_) => nn::AdamW { wd: weight_decay, ..nn::AdamW::default() }.build(&theirs, 0.05),
                _ => nn::Sgd { wd: weight_decay, ..nn::Sgd::default() }.build(&theirs, 0.05),
            };
            let mut reference = built.unwrap();
            let (ours, mut optimizer) = optimizer(rule, weight_decay);
            for step in 0..20 {
                reference.backward_step(&loss(&table, &bias, step));
                optimizer.backward_step(&loss(&ours[0], &ours[1], step)).unwrap();
                for (ours, theirs) in ours.iter().zip([&table, &bias]) {
                    let difference = f64::try_from((ours - theirs).abs().max()).unwrap();
                    // Where a gradient explodes, numbers are compared by their size.
                    let bound = 1e-12 * f64::try_from(theirs.abs().max()).unwrap().max(1.0);
                    assert!(difference < bound, "{rule:?}, weight decay {weight_decay}, step {step}: {difference}");
                }
            }
            assert_eq!(optimizer.steps(), 20);
        }
    }
}

#[test]
fn a_parameter_without_a_gradient_stays() {
    for rule in [ADAM, ADAM_W, ADAGRAD, SGD] {
        let used = Tensor::from_slice(&[1.0]).set_requires_grad(true);
        let idle = Tensor::from_slice(&[1.0]).set_requires_grad(true);
        let named = vec![("used".to_owned(), used.shallow_clone()), ("idle".to_owned(), idle.shallow_clone())];
        let config = OptimizerConfig { learning_rate: 1e-3, weight_decay: 0.1, rule };
        let mut optimizer = Optimizer::new(named, config).unwrap();
        optimizer.backward_step(&used.square().sum(Kind::Double)).unwrap();
        assert_eq!(idle, Tensor::from_slice(&[1.0]));
        // The gradient is 2, with weight decay 2.1; Adam and Adagrad begin with a step of the learning rate.
        let expected = match rule {
            UpdateRule::Sgd {} => 1.0 - 1e-3 * 2.1,
            UpdateRule::AdamW(_) => (1.0 - 1e-4) - 1e-3,
            UpdateRule::Adam(_) | UpdateRule::Adagrad(_) => 1.0 - 1e-3,
        };
        let value = f64::try_from(&used).unwrap();
        assert!((value - expected).abs() < 1e-10, "{rule:?}: {value}, expected {expected}");
    }
}

/// Trap: a correction that counts the touches of a row.
#[test]
fn adam_corrects_a_row_by_the_step_of_the_optimizer() {
    let (values, mut optimizer) = optimizer(ADAM, 0.0);
    for _ in 0..2 {
        optimizer.step(&[sparse(&[1], &[1.0, 1.0]), Tensor::new()]).unwrap();
    }
    optimizer.step(&[sparse(&[3], &[0.5, -2.0]), Tensor::new()]).unwrap();
    let (correction1, correction2) = (1.0 - 0.9f64.powi(3), 1.0 - 0.999f64.powi(3));
    for (column, gradient, before) in [(0, 0.5f64, 0.0), (1, -2.0, 0.5)] {
        let (mean, square) = (0.1 * gradient, 0.001 * gradient * gradient);
        let expected = before - 0.05 * correction2.sqrt() / correction1 * mean / (square.sqrt() + 1e-8);
        let value = at(&values[0], 3, column);
        assert!((value - expected).abs() < 1e-14, "{value}, expected {expected}");
    }
}

#[test]
fn weight_decay_reaches_the_rows_of_a_sparse_gradient_only() {
    let (values, mut optimizer) = optimizer(SGD, 0.1);
    optimizer.step(&[sparse(&[2, 2], &[1.0, 0.0, 2.0, 0.0]), Tensor::new()]).unwrap();
    let expected = [-0.7 - 0.05 * (3.0 - 0.07), 0.1 - 0.05 * 0.01];
    assert!((at(&values[0], 2, 0) - expected[0]).abs() < 1e-15);
    assert!((at(&values[0], 2, 1) - expected[1]).abs() < 1e-15);
    let others = Tensor::from_slice(&[0i64, 1, 3]);
    assert_eq!(values[0].index_select(0, &others), start()[0].index_select(0, &others));
}

#[test]
fn a_sparse_gradient_without_rows_moves_nothing() {
    for rule in [ADAM, ADAM_W, ADAGRAD, SGD] {
        let (values, mut optimizer) = optimizer(rule, 0.1);
        let no_ids = Tensor::from_slice::<i64>(&[]);
        let rows = Tensor::embedding(&values[0], &no_ids, -1, false, true);
        assert!(Tensor::run_backward(&[rows.sum(Kind::Double)], &[&values[0]], true, false)[0].is_sparse());
        optimizer.backward_step(&rows.sum(Kind::Double)).unwrap();
        assert_eq!(values[0], start()[0]);
        assert_eq!(optimizer.steps(), 1);
    }
}

#[test]
fn the_state_is_named_after_rule_and_parameter_and_restored() {
    for (rule, names) in [
        (ADAM, &["mean.table", "mean.bias", "square.table", "square.bias"][..]),
        (ADAM_W, &["mean.table", "mean.bias", "square.table", "square.bias"]),
        (ADAGRAD, &["sum.table", "sum.bias"]),
        (SGD, &[]),
    ] {
        let (whole, mut left_alone) = optimizer(rule, 0.01);
        let (halves, mut first) = optimizer(rule, 0.01);
        for step in 0..3 {
            left_alone.backward_step(&loss(&whole[0], &whole[1], step)).unwrap();
            first.backward_step(&loss(&halves[0], &halves[1], step)).unwrap();
        }
        let state: Vec<(String, Tensor)> =
            first.state().into_iter().map(|(name, tensor)| (name, tensor.copy())).collect();
        assert!(state.iter().map(|(name, _)| name).eq(names), "{rule:?}: {state:?}");
        let (again, mut second) = optimizer(rule, 0.01);
        tch::no_grad(|| again.iter().zip(&halves).for_each(|(again, half)| again.shallow_clone().copy_(half)));
        let tensor = |name: &str| state.iter().find(|(known, _)| known == name).unwrap().1.shallow_clone();
        second.restore(first.steps(), |name| Ok(tensor(name))).unwrap();
        for step in 3..6 {
            left_alone.backward_step(&loss(&whole[0], &whole[1], step)).unwrap();
            second.backward_step(&loss(&again[0], &again[1], step)).unwrap();
        }
        assert_eq!((&whole[0], &whole[1], 6), (&again[0], &again[1], second.steps()), "{rule:?}");
    }
}

#[test]
fn what_does_not_fit_is_refused_and_moves_nothing() {
    let (values, mut optimizer) = optimizer(ADAM, 0.1);
    let zeros = |size: &[i64]| Tensor::zeros(size, (Kind::Double, Device::Cpu));
    let two_sparse = Tensor::zeros([4, 2], (Kind::Double, Device::Cpu)).to_sparse_sparse_dim(2);
    for (gradients, expected) in [
        (vec![zeros(&[4, 2])], "the list of gradients has length 1; length 2 is needed"),
        (vec![zeros(&[4, 2]), zeros(&[1])], "the gradient of bias has shape [1]; shape [2] is needed"),
        (vec![zeros(&[4, 1]), zeros(&[2])], "the gradient of table has shape [4, 1]; shape [4, 2] is needed"),
        (vec![two_sparse, zeros(&[2])], "the gradient of table has 2 sparse dimensions; 1 sparse dimension is needed"),
    ] {
        let error = optimizer.step(&gradients).unwrap_err();
        assert!(matches!(error, TrainingError::Shape { .. }));
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!((&values[0], optimizer.steps()), (&start()[0], 0));
    let error = optimizer.restore(3, |_| Ok(zeros(&[2]))).unwrap_err().to_string();
    assert_eq!(error, "mean.table has shape [2]; shape [4, 2] is needed");
    assert_eq!(optimizer.steps(), 0);
}

#[test]
fn settings_out_of_bounds_are_refused() {
    let adam = |beta1, beta2, epsilon| UpdateRule::Adam(AdamConfig { beta1, beta2, epsilon });
    let adagrad = |epsilon| UpdateRule::Adagrad(AdagradConfig { epsilon });
    for (learning_rate, weight_decay, rule, expected) in [
        (0.0, 0.0, SGD, "learning_rate is 0; allowed: above 0"),
        (f64::INFINITY, 0.0, SGD, "learning_rate is inf; allowed: above 0"),
        (0.1, -1.0, SGD, "weight_decay is -1; allowed: at least 0"),
        (0.1, f64::NAN, SGD, "weight_decay is NaN; allowed: at least 0"),
        (0.1, 0.0, adam(1.0, 0.9, 1e-8), "optimizer.beta1 is 1; allowed: at least 0 and below 1"),
        (0.1, 0.0, adam(0.9, -0.1, 1e-8), "optimizer.beta2 is -0.1; allowed: at least 0 and below 1"),
        (0.1, 0.0, adam(0.9, f64::NAN, 1e-8), "optimizer.beta2 is NaN; allowed: at least 0 and below 1"),
        (0.1, 0.0, adam(0.9, 0.9, 0.0), "optimizer.epsilon is 0; allowed: above 0"),
        (0.1, 0.0, adagrad(-1.0), "optimizer.epsilon is -1; allowed: above 0"),
    ] {
        let error = Optimizer::new(Vec::new(), OptimizerConfig { learning_rate, weight_decay, rule }).unwrap_err();
        assert_eq!(error.to_string(), format!("the optimiser: training.{expected}"));
        assert_eq!(error.kind(), ErrorKind::Request);
    }
    // The least and the largest that are allowed.
    Optimizer::new(Vec::new(), OptimizerConfig { learning_rate: 1e30, weight_decay: 0.0, rule: adam(0.0, 0.0, 1e-30) })
        .unwrap();
}
