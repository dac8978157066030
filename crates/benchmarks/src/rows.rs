//! The rows that are trained on: from files, or from the simulator.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use fain_dataset::{BatchPlan, Batches, Dataset, Order, Split, Tail};
use fain_features::{Column, Samples, SchemaConfig};
use fain_models::{FeatureSpace, SpaceKind};
use fain_simulator::ShopConfig;
use fain_training::Experiment;
use serde_json::json;
use tempfile::TempDir;

use crate::{console, npy, workspace};

const MOVIELENS: &str = include_str!("../experiments/movielens.toml");
const SHOP: &str = include_str!("../experiments/shop.toml");
const TRAINING: &str = include_str!("../experiments/training.toml");

/// Rows of a batch while they are exported.
const EXPORTED: usize = 8192;

/// Where the rows come from.
#[derive(Debug)]
pub(crate) struct Source {
    /// Data and schema of a configuration file; the features stand last.
    settings: &'static str,
    /// The column of the negatives.
    negatives: &'static str,
    simulated: bool,
    root: PathBuf,
    /// What the rows are, for the table.
    pub(crate) name: String,
}

impl Source {
    /// The files of a folder, or rows of the simulator, which are made once.
    ///
    /// # Errors
    /// The folder lacks a file, or the rows cannot be written.
    pub(crate) fn open(data: Option<&Path>) -> Result<Self> {
        if let Some(folder) = data {
            for file in ["train_small.csv.gz", "test.csv.gz"] {
                ensure!(folder.join(file).is_file(), "{} has no {file}; see datasets/ml1m_ctr", folder.display());
            }
            let name = "MovieLens-1M (ml1m_ctr, train_small.csv.gz)".to_owned();
            let (settings, negatives, root) = (MOVIELENS, "negHistMovieIds", folder.to_owned());
            return Ok(Self { settings, negatives, simulated: false, root, name });
        }
        let shop = ShopConfig { impressions: 120_000, history_length: 50, ..ShopConfig::default() };
        let root = workspace::work().join("shop");
        if !root.join("test.csv").is_file() {
            console::say("making rows with the simulator");
            shop.check()?.write_samples(&root, &mut |_| ControlFlow::Continue(()))?;
        }
        let name = format!("the simulator's shop, {} impressions (no --data)", shop.impressions);
        Ok(Self { settings: SHOP, negatives: "negative_categories", simulated: true, root, name })
    }

    /// The file of the training rows.
    pub(crate) fn train(&self) -> PathBuf {
        self.root.join(if self.simulated { "train.csv" } else { "train_small.csv.gz" })
    }

    /// The schema of rows that only we read; `None` where the peers know the columns.
    ///
    /// # Errors
    /// The settings are no configuration.
    pub(crate) fn schema(&self) -> Result<Option<SchemaConfig>> {
        let text = format!("{}\n[model]\nkind = \"base\"\n", self.settings);
        let schema = || Experiment::parse(&text, "the rows' settings", &[]).map(|experiment| experiment.schema);
        Ok(self.simulated.then(schema).transpose()?)
    }

    /// Encodes the rows for a model, given as the text of its part of a configuration file.
    ///
    /// # Errors
    /// Rows or model are refused.
    pub(crate) fn encode(&self, model: &str, negatives: bool) -> Result<Encoded> {
        let mut experiment = self.experiment(model, negatives)?;
        experiment.data.root.clone_from(&self.root);
        experiment.data.cache = workspace::work().join("datasets");
        let schema = experiment.check()?;
        let dataset = Dataset::prepare(&experiment.data, &schema, &mut |_| ControlFlow::Continue(()))?;
        let lengths = Lengths::of(&dataset)?;
        Ok(Encoded { experiment, dataset, lengths })
    }

    fn experiment(&self, model: &str, negatives: bool) -> Result<Experiment> {
        let mut text = self.settings.to_owned();
        if negatives {
            let column = self.negatives;
            let feature = format!("kind = \"sequence\", column = \"{column}\", max_length = 50, vocabulary = \"item\"");
            text = format!("{text}negatives = {{ {feature} }}\n");
        }
        text = format!("{text}\n{model}\n{TRAINING}");
        Ok(Experiment::parse(&text, "the benchmark's experiment", &[])?)
    }
}

/// An experiment and its encoded rows.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) experiment: Experiment,
    pub(crate) dataset: Dataset,
    pub(crate) lengths: Lengths,
}

/// How long the histories of the training rows are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Lengths {
    /// Events of a sample, on average.
    pub(crate) events: f64,
    /// Events of a sample that another follows, on average.
    pub(crate) pairs: f64,
    /// Categories of a sample, the candidate among them.
    pub(crate) categories: f64,
}

impl Lengths {
    fn of(dataset: &Dataset) -> Result<Self> {
        let space = FeatureSpace::of(dataset.encoders());
        let history = space.position("history").context("the schema has no `history`")?;
        let (mut rows, mut events, mut pairs) = (0u64, 0u64, 0u64);
        each_batch(dataset.train(), &mut |samples| {
            if let Some(Column::Sequence(lists)) = samples.columns.get(history) {
                for ends in lists.offsets.windows(2) {
                    let length = u64::from(ends[1] - ends[0]);
                    events += length;
                    pairs += length.saturating_sub(1);
                }
            }
            rows += samples.rows as u64;
        })?;
        let categories = space.features().iter().filter(|feature| matches!(feature.kind, SpaceKind::Category(_)));
        let rows = rows.max(1) as f64;
        let categories = categories.count() as f64;
        Ok(Self { events: events as f64 / rows, pairs: pairs as f64 / rows, categories })
    }
}

impl Encoded {
    /// Writes the encoded rows as `NumPy` arrays, so that Python trains on the same ids: `PART.FEATURE.npy`, for lists also
    /// `PART.FEATURE.offsets.npy`; `PART.label.npy`; and `features.json` with the rows of each feature's table.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(crate) fn export(&self) -> Result<TempDir> {
        std::fs::create_dir_all(workspace::work())?;
        let folder = tempfile::Builder::new().prefix("rows-").tempdir_in(workspace::work())?;
        let space = FeatureSpace::of(self.dataset.encoders());
        let mut features = BTreeMap::new();
        for feature in space.features() {
            let (kind, vocabulary) = match feature.kind {
                SpaceKind::Category(vocabulary) => ("category", vocabulary),
                SpaceKind::Sequence(vocabulary) => ("sequence", vocabulary),
                _ => continue,
            };
            features.insert(&feature.name, json!({ "kind": kind, "rows": space.vocabularies()[vocabulary].1 }));
        }
        std::fs::write(folder.path().join("features.json"), serde_json::to_string(&features)?)?;
        let test = self.dataset.test().context("there are no test rows")?;
        for (part, split) in
            [("train", self.dataset.train()), ("validation", self.dataset.validation()), ("test", test)]
        {
            export_split(folder.path(), part, split, &space)?;
        }
        Ok(folder)
    }
}

fn each_batch(split: &Split, each: &mut dyn FnMut(&Samples)) -> Result<()> {
    let plan = BatchPlan { batch_size: EXPORTED, order: Order::Sequential, tail: Tail::Keep, start: 0, prefetch: 1 };
    let mut batches = Batches::new(split, plan)?;
    while let Some(samples) = batches.next().transpose()? {
        each(&samples);
        batches.recycle(samples);
    }
    Ok(())
}

fn export_split(folder: &Path, part: &str, split: &Split, space: &FeatureSpace) -> Result<()> {
    let mut labels: Vec<f32> = Vec::new();
    let mut ids: Vec<Vec<u32>> = vec![Vec::new(); space.features().len()];
    let mut offsets: Vec<Vec<u64>> = vec![vec![0]; space.features().len()];
    each_batch(split, &mut |samples| {
        labels.extend(samples.labels.as_deref().unwrap_or_default());
        for (index, column) in samples.columns.iter().enumerate() {
            match column {
                Column::Category(of_rows) => ids[index].extend(of_rows),
                Column::Sequence(lists) => {
                    let before = ids[index].len() as u64;
                    ids[index].extend(&lists.values);
                    offsets[index].extend(lists.offsets.iter().skip(1).map(|&end| before + u64::from(end)));
                }
                Column::Numeric(_) | Column::Times(_) => {}
            }
        }
    })?;
    npy::write(&folder.join(format!("{part}.label.npy")), &labels)?;
    for (index, feature) in space.features().iter().enumerate() {
        npy::write(&folder.join(format!("{part}.{}.npy", feature.name)), &ids[index])?;
        if matches!(feature.kind, SpaceKind::Sequence(_)) {
            npy::write(&folder.join(format!("{part}.{}.offsets.npy", feature.name)), &offsets[index])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    const DIN: &str = include_str!("../experiments/din.toml");
    const DIEN: &str = include_str!("../experiments/dien.toml");
    const DIEN_OF_RECHUB: &str = include_str!("../experiments/dien_rechub.toml");

    fn sources() -> [Source; 2] {
        [(MOVIELENS, "negHistMovieIds", false), (SHOP, "negative_categories", true)].map(
            |(settings, negatives, simulated)| Source {
                settings,
                negatives,
                simulated,
                root: PathBuf::new(),
                name: String::new(),
            },
        )
    }

    #[test]
    fn every_model_fits_the_rows_of_every_source() {
        for source in sources() {
            for (model, negatives) in [(DIN, false), (DIEN, true), (DIEN_OF_RECHUB, true)] {
                let experiment = source.experiment(model, negatives).unwrap();
                let schema = experiment.check().unwrap();
                let named = |name: &str| schema.features().iter().any(|feature| feature.name == name);
                assert!(named("item") && named("history"), "{}", experiment.model.name());
                assert_eq!(named("negatives"), negatives, "{}", experiment.model.name());
            }
        }
    }

    #[test]
    fn only_the_simulated_rows_have_a_schema_of_their_own() {
        let [files, simulated] = sources();
        assert_eq!((files.schema().unwrap(), files.train()), (None, PathBuf::from("train_small.csv.gz")));
        assert!(simulated.schema().unwrap().unwrap().features.contains_key("history"));
        assert_eq!(simulated.train(), PathBuf::from("train.csv"));
    }

    #[test]
    fn a_folder_without_the_files_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = Source::open(Some(folder.path())).unwrap_err().to_string();
        assert!(error.contains(&folder.path().display().to_string()), "{error}");
        assert!(error.contains("train_small.csv.gz"), "{error}");
    }
}
