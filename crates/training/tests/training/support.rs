//! Rows on disk, an experiment on them, and its trainings.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

use fain_dataset::Dataset;
use fain_models::{named_tensors, serialize_tensors};
use fain_training::{
    EvaluationEvent, Experiment, Override, Progress, RunFolder, TrainRequest, Trained, TrainingError, train,
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

pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("train.csv"), rows(600, 1)).unwrap();
        std::fs::write(folder.path().join("test.csv"), rows(200, 2)).unwrap();
        Self { folder }
    }

    pub(crate) fn experiment(&self, settings: &[&str]) -> Experiment {
        let root = format!("data.root={}", self.folder.path().display());
        let cache = format!("data.cache={}", self.folder.path().join("cache").display());
        let settings: Vec<Override> =
            [root.as_str(), cache.as_str()].iter().chain(settings).map(|text| text.parse().unwrap()).collect();
        Experiment::parse(EXPERIMENT, "test.toml", &settings).unwrap()
    }

    pub(crate) fn run(&self, name: &str) -> RunFolder {
        let path = self.folder.path().join(name);
        let folder = if path.exists() { RunFolder::open(&path) } else { RunFolder::create(&path) }.unwrap();
        folder.write_config(&self.experiment(&[])).unwrap();
        folder
    }

    /// Trains until done, or until `stop` says so.
    pub(crate) fn train(
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

pub(crate) fn weights(trained: &Trained) -> Vec<u8> {
    serialize_tensors(&named_tensors(&trained.variables), None).unwrap()
}

pub(crate) fn events(path: &Path) -> Vec<EvaluationEvent> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The libtorch seed belongs to the process, so the tests that train take turns.
pub(crate) fn turn() -> std::sync::MutexGuard<'static, ()> {
    static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
    TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
