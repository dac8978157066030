//! Files of a few rows, for the tests of this crate.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::ControlFlow;

use fain_dataset::Dataset;
use tempfile::TempDir;

use crate::Experiment;

/// An experiment on files that are there as long as this lives.
pub(crate) struct SmallData {
    pub(crate) experiment: Experiment,
    pub(crate) dataset: Dataset,
    _folder: TempDir,
}

impl SmallData {
    /// Writes the files, each a name and its text, and encodes what the experiment, with some settings, reads of them.
    pub(crate) fn new(experiment: &str, files: &[(&str, &str)], settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let root = format!("data.root={}", folder.path().display());
        let cache = format!("data.cache={}", folder.path().join("cache").display());
        let settings: Vec<_> =
            [root.as_str(), &cache].iter().chain(settings).map(|setting| setting.parse().unwrap()).collect();
        let experiment = Experiment::parse(experiment, "text", &settings).unwrap();
        let schema = experiment.check().unwrap();
        let dataset = Dataset::prepare(&experiment.data, &schema, &mut |_| ControlFlow::Continue(())).unwrap();
        Self { experiment, dataset, _folder: folder }
    }
}
