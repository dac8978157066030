//! Runs: what they learn, how they stop, and how they go on.

use std::ops::ControlFlow;

use fain_dataset::Dataset;
use fain_models::named_tensors;
use fain_training::{ErrorKind, EvaluationEvent, Progress, TrainingError};
use tch::Device;

use crate::support::{Place, events, turn, weights};

#[test]
fn training_learns_and_keeps_the_best_weights() {
    let _turn = turn();
    let place = Place::new();
    let mut seen: Vec<EvaluationEvent> = Vec::new();
    let trained = place
        .train("a", &["training.epochs=40", "training.learning_rate=0.05"], false, &mut |progress| {
            if let Progress::Evaluated(event) = progress {
                seen.push((*event).clone());
            }
            false
        })
        .unwrap();
    let report = &trained.report;
    assert!(report.test.as_ref().unwrap().auc.unwrap() > 0.9, "{report:?}");
    assert_eq!((report.test.as_ref().unwrap().samples, report.model.as_str()), (200, "din"));
    assert_eq!(events(&place.run("a").events()), seen);

    // The best evaluation is the one with the highest validation AUC, and the report is of it.
    let best = seen.iter().max_by(|a, b| a.validation.auc.partial_cmp(&b.validation.auc).unwrap()).unwrap();
    assert_eq!((report.best_epoch, report.best_step), (best.epoch, best.step));
    assert_eq!(report.validation, best.validation);
    assert!(best.step < seen[seen.len() - 1].step, "the last weights are the best: the test shows nothing");
    assert!(seen.iter().filter(|event| event.best).all(|event| event.step <= best.step));

    // The weights that were given back are the best ones, not the last ones.
    let dataset_experiment = place.experiment(&[]);
    let schema = dataset_experiment.check().unwrap();
    let dataset = Dataset::prepare(&dataset_experiment.data, &schema, &mut |_| ControlFlow::Continue(())).unwrap();
    let plan = fain_training::EvaluationPlan {
        model: trained.model.as_ref(),
        device: Device::Cpu,
        split: dataset.validation(),
        batch_size: dataset_experiment.training.evaluation_batch_size,
        order: fain_dataset::Order::Sequential,
        limit: u64::MAX,
    };
    let (again, _) = fain_training::evaluate_split(&plan, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(again, best.validation);
}

#[test]
fn the_same_experiment_gives_the_same_bytes() {
    let _turn = turn();
    let place = Place::new();
    let never = &mut |_: &Progress<'_>| false;
    let (first, second) = (place.train("a", &[], false, never).unwrap(), place.train("b", &[], false, never).unwrap());
    assert_eq!(weights(&first), weights(&second));
    assert_eq!(first.report.test, second.report.test);
    let other = place.train("c", &["training.seed=2"], false, never).unwrap();
    assert_ne!(weights(&first), weights(&other));
}

/// Trap: a resumed run that starts again, or loses the optimiser's state.
#[test]
fn an_interrupted_run_goes_on_to_the_same_bytes() {
    let _turn = turn();
    let place = Place::new();
    let whole = place.train("whole", &[], false, &mut |_| false).unwrap();
    for stop_at in [1, 7, 8, 15, 16, 30] {
        let name = format!("stopped{stop_at}");
        let stopped = place.train(
            &name,
            &[],
            false,
            &mut |progress| matches!(progress, Progress::Step { step, .. } if *step == stop_at),
        );
        assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Interrupted);
        let resumed = place.train(&name, &[], true, &mut |_| false).unwrap();
        assert_eq!(weights(&resumed), weights(&whole), "stopped at step {stop_at}");
        assert_eq!(resumed.report.test, whole.report.test);
        let untimed = |name: &str| {
            let without_time = |event| EvaluationEvent { train_seconds: 0.0, ..event };
            events(&place.run(name).events()).into_iter().map(without_time).collect::<Vec<_>>()
        };
        assert_eq!(untimed(&name), untimed("whole"));
    }
}

/// Every optimiser, with dense and with sparse gradients of the tables.
#[test]
fn every_optimizer_learns_repeats_itself_and_goes_on_to_the_same_bytes() {
    let _turn = turn();
    let place = Place::new();
    let never = &mut |_: &Progress<'_>| false;
    for kind in ["adam", "adam_w", "adagrad", "sgd"] {
        let mut results = Vec::new();
        for sparse in [false, true] {
            let (kind_setting, sparse_setting) =
                (format!("training.optimizer={{ kind = \"{kind}\" }}"), format!("model.embedding.sparse={sparse}"));
            let settings = [kind_setting.as_str(), sparse_setting.as_str(), "training.weight_decay=1e-3"];
            let name = |what: &str| format!("{kind}-{sparse}-{what}");
            let whole = place.train(&name("whole"), &settings, false, never).unwrap();
            let again = place.train(&name("again"), &settings, false, never).unwrap();
            assert_eq!(weights(&whole), weights(&again), "{kind}, sparse {sparse}");
            let stop = &mut |progress: &Progress<'_>| matches!(progress, Progress::Step { step: 11, .. });
            place.train(&name("stopped"), &settings, false, stop).unwrap_err();
            let resumed = place.train(&name("stopped"), &settings, true, never).unwrap();
            assert_eq!(weights(&resumed), weights(&whole), "{kind}, sparse {sparse}");
            let losses: Vec<f64> =
                events(&place.run(&name("whole")).events()).iter().map(|event| event.train_loss).collect();
            assert!(losses[losses.len() - 1] < losses[0], "{kind}, sparse {sparse}: {losses:?}");
            results.push(weights(&whole));
        }
        // Weight decay reaches every row in one, and the rows of the batch in the other.
        assert_ne!(results[0], results[1], "{kind}: sparse makes no difference");
    }
}

/// What is apart for embedding tables is in the checkpoint too.
#[test]
fn settings_of_tables_repeat_themselves_and_go_on_to_the_same_bytes() {
    let _turn = turn();
    let place = Place::new();
    let never = &mut |_: &Progress<'_>| false;
    let mut results = Vec::new();
    for (name, settings) in [
        ("none", &["model.embedding.sparse=true"][..]),
        ("no-lambda", &["model.embedding.sparse=true", "training.tables.mini_batch_aware=0.0"]),
        ("rows", &["model.embedding.sparse=true", "training.tables.moments=row"]),
        ("counts", &["model.embedding.sparse=true", "training.tables.bias_correction=row"]),
        ("lambda", &["model.embedding.sparse=true", "training.tables.mini_batch_aware=0.5"]),
        ("dense", &["training.tables={ moments = \"row\", mini_batch_aware = 0.5 }"]),
    ] {
        // So few rows that a batch does not touch all of the table.
        let settings = &[settings, &["training.batch_size=4"]].concat();
        let whole = place.train(name, settings, false, never).unwrap();
        let stopped = format!("{name}-stopped");
        let stop = &mut |progress: &Progress<'_>| matches!(progress, Progress::Step { step: 11, .. });
        place.train(&stopped, settings, false, stop).unwrap_err();
        let resumed = place.train(&stopped, settings, true, never).unwrap();
        assert_eq!(weights(&resumed), weights(&whole), "{name}");
        results.push(weights(&whole));
    }
    assert_eq!(results[0], results[1]);
    results.remove(1);
    for (place, one) in results.iter().enumerate() {
        assert!(!results[place + 1..].contains(one), "{place}: the setting makes no difference");
    }
    // A run cannot go on with means of another form.
    let error = place.train("rows", &["model.embedding.sparse=true"], true, never).unwrap_err().to_string();
    assert!(error.contains("square.embedding.item.weight has shape [") && error.contains(", 1]"), "{error}");
}

/// Without weight decay, plain steps are the same; the order in which a row's gradients are summed is not.
#[test]
fn sparse_and_dense_gradients_give_the_same_plain_steps() {
    let _turn = turn();
    let place = Place::new();
    let plain = "training.optimizer={ kind = \"sgd\" }";
    let train =
        |sparse| place.train(sparse, &[plain, &format!("model.embedding.sparse={sparse}")], false, &mut |_| false);
    let (dense, sparse) = (train("false").unwrap(), train("true").unwrap());
    for ((name, dense), (_, sparse)) in named_tensors(&dense.variables).iter().zip(named_tensors(&sparse.variables)) {
        let difference = f64::try_from((dense - sparse).abs().max()).unwrap();
        assert!(difference < 1e-6, "{name}: {difference}");
    }
}

/// The names that checkpoints of version 1 have.
#[test]
fn a_checkpoint_has_the_optimizers_state() {
    let _turn = turn();
    let place = Place::new();
    let stop = &mut |progress: &Progress<'_>| matches!(progress, Progress::Step { step: 3, .. });
    for (kind, expected) in [
        ("adam", &["adam.mean.interest0.output.weight", "adam.square.interest0.output.weight"][..]),
        ("adam_w", &["adam.mean.interest0.output.weight", "adam.square.interest0.output.weight"]),
        ("adagrad", &["adagrad.sum.interest0.output.weight"]),
        ("sgd", &[]),
    ] {
        place.train(kind, &[&format!("training.optimizer={{ kind = \"{kind}\" }}")], false, stop).unwrap_err();
        let bytes = std::fs::read(place.run(kind).checkpoint()).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let mut names: Vec<&str> = tensors
            .names()
            .into_iter()
            .filter(|name| name.ends_with(".interest0.output.weight") && !name.starts_with("model."))
            .collect();
        names.sort_unstable();
        assert_eq!(names, expected);
    }
    let error = place.train("sgd", &[], true, &mut |_| false).unwrap_err().to_string();
    assert!(error.contains("last.safetensors: lacks the tensor adam.mean."), "{error}");
}

#[test]
fn a_run_that_was_stopped_while_it_scored_goes_on_with_scoring() {
    let _turn = turn();
    let place = Place::new();
    let whole = place.train("whole", &[], false, &mut |_| false).unwrap();
    for split in ["validation", "train", "test"] {
        let stopped = place.train(
            split,
            &[],
            false,
            &mut |progress| matches!(progress, Progress::Scoring { split: scored, .. } if *scored == split),
        );
        assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Interrupted);
        let resumed = place.train(split, &[], true, &mut |_| false).unwrap();
        assert_eq!(weights(&resumed), weights(&whole), "{split}");
        assert_eq!(resumed.report.validation, whole.report.validation);
    }
}

#[test]
fn training_stops_when_validation_gets_no_better() {
    let _turn = turn();
    let place = Place::new();
    let settings = ["training.epochs=50", "training.patience=2", "training.learning_rate=0.2"];
    let trained = place.train("a", &settings, false, &mut |_| false).unwrap();
    let events = events(&place.run("a").events());
    assert!(trained.report.epochs < 50);
    assert!(events[events.len() - 2..].iter().all(|event| !event.best));
    assert!(events[events.len() - 3].best);
}

#[test]
fn a_diverging_loss_is_an_error() {
    let _turn = turn();
    let place = Place::new();
    let settings = ["training.learning_rate=1e30", "model.mlp.activation=relu", "model.attention.activation=relu"];
    let error = place.train("a", &settings, false, &mut |_| false).unwrap_err();
    assert!(matches!(error, TrainingError::Diverged { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Work);
}

#[test]
fn an_undefined_monitor_is_an_error() {
    let _turn = turn();
    let place = Place::new();
    std::fs::write(place.folder.path().join("valid.csv"), "click,user,item,history\n0,1,2,\n0,2,3,1|2\n").unwrap();
    let settings = ["data.validation={ file = \"valid.csv\" }"];
    let error = place.train("a", &settings, false, &mut |_| false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the auc of the 2 validation rows is undefined (0 of them are clicks); choose another training.monitor, or \
         validation rows with both classes"
    );
    assert_eq!(error.kind(), ErrorKind::Data);
    // Log loss is defined there.
    let settings = ["data.validation={ file = \"valid.csv\" }", "training.monitor=log_loss"];
    let trained = place.train("b", &settings, false, &mut |_| false).unwrap();
    assert_eq!(trained.report.validation.auc, None);
}

#[test]
fn a_last_batch_of_one_joins_the_one_before() {
    let _turn = turn();
    let place = Place::new();
    let experiment = place.experiment(&[]);
    let schema = experiment.check().unwrap();
    let rows = Dataset::prepare(&experiment.data, &schema, &mut |_| ControlFlow::Continue(())).unwrap().train().rows();
    let batch = format!("training.batch_size={}", rows - 1);
    let trained =
        place.train("a", &[&batch, "training.epochs=1", "training.evaluations_per_epoch=1"], false, &mut |_| false);
    let trained = trained.unwrap();
    let events = events(&place.run("a").events());
    assert_eq!((events[0].step, events[0].samples, trained.report.epochs), (1, rows, 1));
}

#[test]
fn a_damaged_checkpoint_is_refused() {
    let _turn = turn();
    let place = Place::new();
    let stop = &mut |progress: &Progress<'_>| matches!(progress, Progress::Step { step: 3, .. });
    place.train("a", &[], false, stop).unwrap_err();
    let checkpoint = place.run("a").checkpoint();
    let bytes = std::fs::read(&checkpoint).unwrap();
    std::fs::write(&checkpoint, &bytes[..bytes.len() / 2]).unwrap();
    let error = place.train("a", &[], true, &mut |_| false).unwrap_err().to_string();
    assert!(error.contains("last.safetensors is no valid safetensors file"), "{error}");
    std::fs::write(&checkpoint, &bytes).unwrap();
    let error = place.train("a", &["model.mlp.hidden=[9]"], true, &mut |_| false).unwrap_err().to_string();
    assert!(error.contains("but the model needs Float"), "{error}");
}
