//! Trainings with an auxiliary loss: it is learnt, told apart, resumed exactly, and the same for any run.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use fain_dataset::Dataset;
use fain_models::{named_tensors, serialize_tensors};
use fain_training::{EvaluationEvent, Experiment, Override, Progress, RunFolder, TrainRequest, TrainingError, train};
use tch::Device;

const EXPERIMENT: &str = r#"
    [data]
    train = "train.csv"
    validation.fraction = 0.2
    [schema]
    label = "click"
    features.item = { kind = "category" }
    features.history = { kind = "sequence", max_length = 5, vocabulary = "item" }
    features.others = { kind = "sequence", max_length = 5, vocabulary = "item" }
    [model]
    kind = "dien"
    embedding = { dim = 4, std = 0.3 }
    mlp = { hidden = [8] }
    auxiliary = { hidden = [8], weight = 0.5 }
    interests = [{ candidate = ["item"], history = ["history"], negative = ["others"] }]
    [training]
    batch_size = 32
    epochs = 3
    patience = 3
    learning_rate = 0.02
    evaluations_per_epoch = 2
"#;

/// A history walks up the items one by one; what did not happen is any item of the other half. A click follows when the
/// candidate is the next step.
fn rows(count: u64) -> String {
    let mut text = "click,item,history,others\n".to_owned();
    let mut state = 7u64;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let joined = |items: Vec<u64>| items.iter().map(u64::to_string).collect::<Vec<_>>().join("|");
    for _ in 0..count {
        let (start, length) = (draw(6), draw(6));
        let next = start + length;
        let click = draw(2) == 1;
        let item = if click { next } else { draw(12) };
        let history = joined((start..next).collect());
        let others = joined((0..length).map(|_| 12 + draw(6)).collect());
        writeln!(text, "{},{item},{history},{others}", u8::from(item == next)).unwrap();
    }
    text
}

/// The libtorch seed belongs to the process, so the tests that train take turns.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Weights and events of a training that `stop` may interrupt.
fn run(
    root: &Path,
    name: &str,
    settings: &[&str],
    resume: bool,
    stop: &dyn Fn(&Progress<'_>) -> bool,
) -> Result<(Vec<u8>, Vec<EvaluationEvent>), TrainingError> {
    let places = [format!("data.root={}", root.display()), format!("data.cache={}", root.join("cache").display())];
    let settings = places.iter().map(String::as_str).chain(settings.iter().copied());
    let settings: Vec<Override> = settings.map(|text| text.parse().unwrap()).collect();
    let experiment = Experiment::parse(EXPERIMENT, "test.toml", &settings).unwrap();
    let dataset = Dataset::prepare(&experiment.data, &experiment.check()?, &mut |_| ControlFlow::Continue(()))?;
    let path = root.join(name);
    let folder = if path.exists() { RunFolder::open(&path)? } else { RunFolder::create(&path)? };
    folder.write_config(&experiment)?;
    let request =
        TrainRequest { experiment: &experiment, dataset: &dataset, device: Device::Cpu, folder: &folder, resume };
    let mut observer =
        |progress: &Progress<'_>| if stop(progress) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let trained = train(&request, &mut observer)?;
    let text = std::fs::read_to_string(path.join("events.jsonl")).unwrap();
    let events = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    Ok((serialize_tensors(&named_tensors(&trained.variables), None).unwrap(), events))
}

fn place() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("train.csv"), rows(600)).unwrap();
    folder
}

fn never(_: &Progress<'_>) -> bool {
    false
}

fn without_time(events: Vec<EvaluationEvent>) -> Vec<EvaluationEvent> {
    events.into_iter().map(|event| EvaluationEvent { train_seconds: 0.0, ..event }).collect()
}

#[test]
fn it_falls_and_is_told_apart_from_the_click_loss() {
    let _turn = turn();
    let folder = place();
    // Alone, and beside the rest of the step.
    for threads in ["training.threads=1", "training.threads=2"] {
        let (_, events) = run(folder.path(), threads, &[threads], false, &never).unwrap();
        let losses: Vec<f64> = events.iter().map(|event| event.auxiliary_loss.unwrap()).collect();
        // Half the cross-entropy of a coin before anything is learnt.
        let coin = 0.5 * std::f64::consts::LN_2;
        assert!(losses[0] < coin && losses[losses.len() - 1] < losses[0] / 2.0, "{losses:?}");
        let clicks: Vec<f64> = events.iter().map(|event| event.train_loss).collect();
        assert!(clicks[clicks.len() - 1] < clicks[0], "{clicks:?}");
        assert!(events.iter().all(|event| event.validation.log_loss.is_some()));
    }

    // Half the weight is half the loss that is told before it moves anything: after one step of both.
    let first = |weight: &str, name: &str| {
        let settings = [weight, "training.threads=1", "training.epochs=1", "training.batch_size=600"];
        run(folder.path(), name, &settings, false, &never).unwrap().1[0].auxiliary_loss.unwrap()
    };
    let (whole, half) = (first("model.auxiliary.weight=1.0", "whole"), first("model.auxiliary.weight=0.5", "half"));
    assert!((whole - 2.0 * half).abs() < 1e-6, "{whole} {half}");
}

#[test]
fn the_same_training_gives_the_same_bytes_also_when_it_was_interrupted() {
    let _turn = turn();
    let folder = place();
    for threads in ["training.threads=1", "training.threads=2"] {
        let name = |part: &str| format!("{part}-{threads}");
        let (weights, events) = run(folder.path(), &name("whole"), &[threads], false, &never).unwrap();
        let (again, _) = run(folder.path(), &name("again"), &[threads], false, &never).unwrap();
        assert!(weights == again, "{threads}");
        // In the middle of an epoch, with losses that are not told yet.
        let stop = |progress: &Progress<'_>| matches!(progress, Progress::Step { step: 21, .. });
        let stopped = run(folder.path(), &name("parts"), &[threads], false, &stop);
        assert!(matches!(stopped, Err(TrainingError::Interrupted)));
        let (resumed, parts) = run(folder.path(), &name("parts"), &[threads], true, &never).unwrap();
        assert!(weights == resumed, "{threads}");
        assert_eq!(without_time(parts), without_time(events), "{threads}");
    }
}

/// A ninth of these batches has no event with a successor, and so no auxiliary loss that anything could learn from.
#[test]
fn batches_of_two_may_have_no_pairs() {
    let _turn = turn();
    let folder = place();
    let losses = |threads: u8| {
        let settings = [&format!("training.threads={threads}"), "training.batch_size=2", "training.epochs=1"];
        run(folder.path(), &threads.to_string(), &settings, false, &never).unwrap().1[0].auxiliary_loss.unwrap()
    };
    let (one, two) = (losses(1), losses(2));
    assert!(one > 0.0 && (one - two).abs() < 1e-6, "{one} {two}");
}

/// Their mean is taken in the forward pass, so that none of them may come later.
#[test]
fn losses_of_two_interests_are_averaged() {
    let _turn = turn();
    let folder = place();
    let interest = r#"{ candidate = ["item"], history = ["history"], negative = ["others"] }"#;
    let loss = |interests: &[&str], threads: u8| {
        let interests = format!("model.interests=[{}]", interests.join(", "));
        let settings =
            [&interests, &format!("training.threads={threads}"), "training.epochs=1", "training.batch_size=600"];
        let name = format!("{}-{threads}", interests.len());
        run(folder.path(), &name, &settings, false, &never).unwrap().1[0].auxiliary_loss.unwrap()
    };
    let (one, two) = (loss(&[interest], 2), loss(&[interest, interest], 2));
    // Both start near the cross-entropy of a coin, times the weight.
    assert!((one - two).abs() < 0.05, "{one} {two}");
    assert_eq!(two.to_bits(), loss(&[interest, interest], 1).to_bits());
}

#[test]
fn negatives_of_another_length_are_refused_with_their_row() {
    let _turn = turn();
    let folder = place();
    let text = rows(600).replacen("\n1,", "\n1,3,1|2,14\n1,", 1);
    std::fs::write(folder.path().join("train.csv"), text).unwrap();
    let error = run(folder.path(), "run", &[], false, &never).unwrap_err().to_string();
    assert!(error.contains("history") && error.contains("others") && error.contains("2 "), "{error}");
}
