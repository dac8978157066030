//! Trainings in mixed precision.

use std::ops::ControlFlow;

use fain_autograd::Precision;
use fain_dataset::{Dataset, Order};
use fain_models::named_tensors;
use fain_training::{EvaluationPlan, Experiment, Progress, Trained, evaluate_split};
use tch::{Device, Kind};

use crate::support::{Place, turn, weights};

const BFLOAT16: &str = "training.precision=bfloat16";
const DIEN: &str = r#"model={ kind = "dien", evolution = "augru", embedding = { dim = 4, std = 0.1 },
    attention = { scoring = "mlp", hidden = [8], activation = "dice", normalization = "sigmoid" },
    mlp = { hidden = [8] }, interests = [{ candidate = ["item"], history = ["history"] }] }"#;
const DIN: &str = "model.mlp.dropout=0.0";

fn never(_: &Progress<'_>) -> bool {
    false
}

fn test_auc(trained: &Trained) -> f64 {
    trained.report.test.as_ref().unwrap().auc.unwrap()
}

#[test]
fn din_and_dien_learn_as_much_as_in_float32() {
    let _turn = turn();
    let place = Place::new();
    for (name, model) in [("din", DIN), ("dien", DIEN)] {
        let settings = [model, "training.epochs=40", "training.patience=40", "training.learning_rate=0.03"];
        let single = place.train(&format!("{name}-float32"), &settings, false, &mut never).unwrap();
        let mixed = place
            .train(&format!("{name}-bfloat16"), &[&settings[..], &[BFLOAT16]].concat(), false, &mut never)
            .unwrap();
        assert_eq!(single.report.precision, Precision::Float32);
        assert_eq!(mixed.report.precision, Precision::BFloat16);
        assert_ne!(weights(&single), weights(&mixed), "{name}");
        let (single, mixed) = (test_auc(&single), test_auc(&mixed));
        assert!(single > 0.9, "{name}: {single}");
        assert!((single - mixed).abs() < 0.02, "{name}: {single} in float32, {mixed} in bfloat16");
    }
}

#[test]
fn what_is_learned_is_float32_and_measured_in_it() {
    let _turn = turn();
    let place = Place::new();
    let trained = place.train("a", &[BFLOAT16], false, &mut never).unwrap();
    for (name, tensor) in named_tensors(&trained.variables) {
        assert_eq!(tensor.kind(), Kind::Float, "{name}");
    }
    // The rows are scored here without autocast.
    let experiment = place.experiment(&[]);
    let dataset =
        Dataset::prepare(&experiment.data, &experiment.check().unwrap(), &mut |_| ControlFlow::Continue(())).unwrap();
    let plan = EvaluationPlan {
        model: trained.model.as_ref(),
        device: Device::Cpu,
        split: dataset.validation(),
        batch_size: experiment.training.evaluation_batch_size,
        order: Order::Sequential,
        limit: u64::MAX,
    };
    let (again, _) = evaluate_split(&plan, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(again, trained.report.validation);
}

#[test]
fn the_same_experiment_gives_the_same_bytes_and_goes_on_to_them() {
    let _turn = turn();
    let place = Place::new();
    for (name, model) in [("din", DIN), ("dien", DIEN)] {
        let settings = [model, BFLOAT16];
        let whole = place.train(&format!("{name}-whole"), &settings, false, &mut never).unwrap();
        let again = place.train(&format!("{name}-again"), &settings, false, &mut never).unwrap();
        assert_eq!(weights(&whole), weights(&again), "{name}");
        let stopped = format!("{name}-stopped");
        let stop = &mut |progress: &Progress<'_>| matches!(progress, Progress::Step { step: 11, .. });
        place.train(&stopped, &settings, false, stop).unwrap_err();
        let resumed = place.train(&stopped, &settings, true, &mut never).unwrap();
        assert_eq!(weights(&resumed), weights(&whole), "{name}");
    }
}

#[test]
fn a_precision_is_one_of_two_words() {
    let place = Place::new();
    let of = |settings: &[&str]| place.experiment(settings).training.precision;
    assert_eq!(of(&[]), Precision::Float32);
    assert_eq!(of(&["training.precision=float32"]), Precision::Float32);
    let experiment = place.experiment(&[BFLOAT16]);
    assert_eq!(experiment.training.precision, Precision::BFloat16);
    let text = experiment.to_toml().unwrap();
    assert!(text.contains("precision = \"bfloat16\"\n"), "{text}");
    assert_eq!(Experiment::parse(&text, "test.toml", &[]).unwrap(), experiment);
}
