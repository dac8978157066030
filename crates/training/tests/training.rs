//! Trainings from a CSV file to a report.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

use fain_dataset::Dataset;
use fain_models::{named_tensors, serialize_tensors};
use fain_training::{
    ErrorKind, EvaluationEvent, Experiment, Override, Progress, RunFolder, TrainRequest, Trained, TrainingError, train,
};
use tch::Device;

const EXPERIMENT: &str = r#"
    [data]
    train = "train.csv"
    test = "test.csv"
    validation.fraction = 0.2
    [schema]
    label = "click"
    group = "user"
    features.item = { kind = "category" }
    features.history = { kind = "sequence", max_length = 5, vocabulary = "item" }
    [model]
    kind = "din"
    embedding = { dim = 4, std = 0.1 }
    attention.hidden = [8]
    mlp = { hidden = [8], dropout = 0.2 }
    interests = [{ candidate = ["item"], history = ["history"] }]
    [training]
    batch_size = 32
    epochs = 3
    patience = 3
    threads = 1
    learning_rate = 0.02
    evaluations_per_epoch = 2
"#;

/// Rows whose click says whether the item is in the history; a twelfth of them has no history.
fn rows(count: u64, salt: u64) -> String {
    let mut text = "click,user,item,history\n".to_owned();
    let mut state = salt;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for _ in 0..count {
        let history: Vec<u64> = (0..draw(12).min(5)).map(|_| draw(10)).collect();
        let item = draw(10);
        let click = u8::from(history.contains(&item));
        let history: Vec<String> = history.iter().map(u64::to_string).collect();
        writeln!(text, "{click},{},{item},{}", draw(20), history.join("|")).unwrap();
    }
    text
}

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("train.csv"), rows(600, 1)).unwrap();
        std::fs::write(folder.path().join("test.csv"), rows(200, 2)).unwrap();
        Self { folder }
    }

    fn experiment(&self, settings: &[&str]) -> Experiment {
        let root = format!("data.root={}", self.folder.path().display());
        let cache = format!("data.cache={}", self.folder.path().join("cache").display());
        let settings: Vec<Override> =
            [root.as_str(), cache.as_str()].iter().chain(settings).map(|text| text.parse().unwrap()).collect();
        Experiment::parse(EXPERIMENT, "test.toml", &settings).unwrap()
    }

    fn run(&self, name: &str) -> RunFolder {
        let path = self.folder.path().join(name);
        let folder = if path.exists() { RunFolder::open(&path) } else { RunFolder::create(&path) }.unwrap();
        folder.write_config(&self.experiment(&[])).unwrap();
        folder
    }

    /// Trains until done, or until `stop` says so.
    fn train(
        &self,
        name: &str,
        settings: &[&str],
        resume: bool,
        stop: &mut dyn FnMut(&Progress<'_>) -> bool,
    ) -> Result<Trained, TrainingError> {
        let experiment = self.experiment(settings);
        let schema = experiment.check()?;
        let dataset = Dataset::prepare(&experiment.data, &schema, &mut |_| ControlFlow::Continue(()))?;
        let folder = self.run(name);
        let request =
            TrainRequest { experiment: &experiment, dataset: &dataset, device: Device::Cpu, folder: &folder, resume };
        train(&request, &mut |progress| if stop(progress) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}

fn weights(trained: &Trained) -> Vec<u8> {
    serialize_tensors(&named_tensors(&trained.variables), None).unwrap()
}

fn events(path: &Path) -> Vec<EvaluationEvent> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The libtorch seed belongs to the process, so the tests that train take turns.
fn turn() -> std::sync::MutexGuard<'static, ()> {
    static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
    TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

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

#[test]
fn times_that_fall_are_named() {
    let _turn = turn();
    let place = Place::new();
    let rows = "click,user,item,history,times\n1,1,2,3|4,5|6\n0,1,2,3,9\n1,2,2,,\n0,2,3,1|2|1,7|7|6\n1,2,2,,\n";
    std::fs::write(place.folder.path().join("train.csv"), rows.replace("7|7|6", "7|7|7")).unwrap();
    std::fs::write(place.folder.path().join("valid.csv"), rows).unwrap();
    let settings = [
        "data.validation={ file = \"valid.csv\" }",
        "schema.features.times={ kind = \"times\", max_length = 5 }",
        "model={ kind = \"dsin\", embedding.dim = 4, mlp.hidden = [8], transformer.heads = 2, session_gap = \"30m\", \
         interests = [{ candidate = [\"item\"], history = [\"history\"], times = \"times\" }] }",
    ];
    let error = place.train("a", &settings, false, &mut |_| false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "valid.csv, row 4: times has 6 after 7; a history is divided by these times, so they must not fall"
    );
    assert_eq!(error.kind(), ErrorKind::Data);
}

const VECTORS: &str = "item,x,y\n1,3,4\n3,7,-8\n9,19,20\n77,0,0\n";

/// Settings of tables that start from [`VECTORS`].
fn with_vectors(place: &Place, frozen: bool) -> Vec<String> {
    std::fs::write(place.folder.path().join("vectors.csv"), VECTORS).unwrap();
    let file = format!(r#"{{ file = "vectors.csv", key = "item", frozen = {frozen} }}"#);
    let file = format!("model.embedding.pretrained.item={file}");
    vec!["model.embedding.dim=2".to_owned(), "training.epochs=2".to_owned(), file]
}

fn strings(settings: &[String]) -> Vec<&str> {
    settings.iter().map(String::as_str).collect()
}

/// The vectors of the items 0 to 9.
fn table(place: &Place, trained: &Trained) -> Vec<[f32; 2]> {
    let experiment = place.experiment(&[]);
    let schema = experiment.check().unwrap();
    let dataset = Dataset::prepare(&experiment.data, &schema, &mut |_| ControlFlow::Continue(())).unwrap();
    let terms: Vec<&str> = dataset.encoders().vocabulary(0).terms().collect();
    let table = &trained.variables.variables()["embedding.item.weight"];
    assert_eq!(table.size(), [11, 2]);
    let row = |item: usize| {
        let id = 1 + terms.iter().position(|term| *term == item.to_string()).unwrap();
        Vec::<f32>::try_from(table.detach().get(id as i64)).unwrap().try_into().unwrap()
    };
    (0..10).map(row).collect()
}

#[test]
fn frozen_tables_stay_with_their_vectors() {
    let _turn = turn();
    let place = Place::new();
    let settings = with_vectors(&place, true);
    let mut settings = strings(&settings);
    settings.push("training.weight_decay=0.1");
    let trained = place.train("a", &settings, false, &mut |_| false).unwrap();
    let mut expected = [[0.0; 2]; 10];
    (expected[1], expected[3], expected[9]) = ([3.0, 4.0], [7.0, -8.0], [19.0, 20.0]);
    assert_eq!(table(&place, &trained), expected);
    // What is written down is all that scoring needs.
    assert!(named_tensors(&trained.variables).iter().any(|(name, _)| name == "embedding.item.weight"));
}

#[test]
fn tables_start_from_their_vectors_and_are_trained() {
    let _turn = turn();
    let place = Place::new();
    let settings = with_vectors(&place, false);
    let settings = strings(&settings);
    let trained = place.train("a", &settings, false, &mut |_| false).unwrap();
    let rows = table(&place, &trained);
    for (item, start) in [(1, [3.0f32, 4.0]), (3, [7.0, -8.0]), (9, [19.0, 20.0])] {
        let far = rows[item].iter().zip(start).map(|(end, start)| (end - start).abs()).fold(0.0, f32::max);
        assert!(far > 1e-4 && far < 1.5, "{item}: {:?}", rows[item]);
    }
    for item in [0, 2, 4, 5, 6, 7, 8] {
        assert!(rows[item].iter().all(|entry| entry.abs() < 1.5 && *entry != 0.0), "{item}: {:?}", rows[item]);
    }

    // A run that goes on needs no vectors, and ends with the same bytes.
    let mut seen = 0;
    let stopped = place.train("b", &settings, false, &mut |_| {
        seen += 1;
        seen > 4
    });
    assert!(matches!(stopped.unwrap_err(), TrainingError::Interrupted));
    assert!(place.run("b").checkpoint().is_file());
    std::fs::remove_file(place.folder.path().join("vectors.csv")).unwrap();
    let resumed = place.train("b", &settings, true, &mut |_| false).unwrap();
    assert_eq!(weights(&resumed), weights(&trained));
    let error = place.train("c", &settings, false, &mut |_| false).unwrap_err();
    assert!(error.to_string().contains("vectors.csv"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Data);
}

#[test]
fn vectors_that_do_not_fit_are_refused() {
    let _turn = turn();
    let place = Place::new();
    let settings = with_vectors(&place, false);
    let file = place.folder.path().join("vectors.csv");
    for (text, kind, expected) in [
        (
            "item,x\n1,2\n",
            ErrorKind::Request,
            "model.embedding.pretrained.item is vectors of width 1; allowed: width 2, which the table has \
             (model.embedding.dims.item sets it)",
        ),
        (
            "item,x,y\nhat,1,2\n",
            ErrorKind::Request,
            "model.embedding.pretrained.item.key is `item`, in which vectors.csv has none of the vocabulary's terms; \
             allowed: the column with the terms, written as in the data",
        ),
        ("item,x,y\n1,2,nan\n", ErrorKind::Data, "a finite number"),
        ("movie,x,y\n1,2,3\n", ErrorKind::Request, "item"),
    ] {
        std::fs::write(&file, text).unwrap();
        let error = place.train("a", &strings(&settings), false, &mut |_| false).unwrap_err();
        assert!(error.to_string().contains(expected), "{text}: {error}");
        assert_eq!(error.kind(), kind, "{error}");
    }
    // A list in one column, in a file with another separator.
    std::fs::write(&file, "id\tvector\n3\t7 -8\n").unwrap();
    let list = "model.embedding.pretrained.item={ file = \"vectors.csv\", key = \"id\", list = \"vector\", \
                separator = \" \", frozen = true, csv = { separator = \"\\t\" } }";
    let trained =
        place.train("b", &["model.embedding.dim=2", "training.epochs=1", list], false, &mut |_| false).unwrap();
    assert_eq!(table(&place, &trained)[3], [7.0, -8.0]);
}

#[test]
fn histories_of_one_interest_with_different_lengths_are_named() {
    let _turn = turn();
    let place = Place::new();
    let rows = "click,user,item,history,shop,shops\n1,1,2,3|4,5,6|7\n0,1,2,3,5,6\n1,2,2,,5,\n0,2,3,1|2,5,6\n";
    std::fs::write(place.folder.path().join("test.csv"), rows).unwrap();
    std::fs::write(place.folder.path().join("train.csv"), rows.replace("1|2,5,6", "1|2,5,6|7")).unwrap();
    std::fs::write(place.folder.path().join("valid.csv"), rows.replace("1|2,5,6", "1|2,5,6|7")).unwrap();
    let settings = [
        "data.validation={ file = \"valid.csv\" }",
        "schema.features.shop={ kind = \"category\" }",
        "schema.features.shops={ kind = \"sequence\", max_length = 5, vocabulary = \"shop\" }",
        "model.interests=[{ candidate = [\"item\", \"shop\"], history = [\"history\", \"shops\"] }]",
    ];
    let error = place.train("a", &settings, false, &mut |_| false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "test.csv, row 4: history has 2 events and shops has 1; one interest reads both, so their lengths must be equal"
    );
    assert_eq!(error.kind(), ErrorKind::Data);

    // Where rows are held out, the row is still that of the file, or said to be another.
    let mut lines: Vec<String> = (0..40).map(|row| format!("{},{row},2,3|4,5,6|{}", row % 2, row % 7)).collect();
    lines[29] = "1,9,2,3|4,5,6".to_owned();
    let train = format!("click,user,item,history,shop,shops\n{}\n", lines.join("\n"));
    std::fs::write(place.folder.path().join("train.csv"), train).unwrap();
    let message = |validation: &'static str| {
        let settings = [validation, settings[1], settings[2], settings[3]];
        place.train("b", &settings, false, &mut |_| false).unwrap_err().to_string()
    };
    let by_number = message("data.validation={ fraction = 0.3 }");
    assert!(by_number.starts_with("train.csv, row 30: history has 2 events and shops has 1; "), "{by_number}");
    let by_value = message("data.validation={ fraction = 0.3, by = \"user\" }");
    assert!(by_value.starts_with("row ") && by_value.contains(" of the encoded "), "{by_value}");
}
