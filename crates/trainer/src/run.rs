//! The way of a run: a folder, a training, a bundle, a report.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use fain_dataset::Dataset;
use fain_serving::{Bundle, BundleSettings};
use fain_training::{Experiment, Report, RunFolder, TrainRequest, TrainingError, train, write_atomically};
use tch::Device;

use crate::console::Console;
use crate::exit::Stop;
use crate::interrupt::Interrupt;
use crate::resume;
use crate::watch::TrainingWatch;

/// The folder of a run that was just made. Dropped before the first checkpoint of the run, or of a run in a folder
/// inside, it is removed: there is nothing in it to go on from.
#[derive(Debug)]
pub(crate) struct NewRun(RunFolder);

impl NewRun {
    pub(crate) fn create(path: &Path) -> Result<Self, TrainingError> {
        RunFolder::create(path).map(Self)
    }

    pub(crate) fn folder(&self) -> &RunFolder {
        &self.0
    }

    /// Whether a run in a folder inside has a checkpoint.
    fn has_run_inside(&self) -> bool {
        let inside = fs::read_dir(self.0.path()).into_iter().flatten().flatten();
        inside.filter_map(|entry| RunFolder::open(&entry.path()).ok()).any(|run| run.checkpoint().is_file())
    }
}

impl Drop for NewRun {
    fn drop(&mut self) {
        if !self.0.checkpoint().is_file() && !self.has_run_inside() {
            // The reason why the run failed is told; that its folder stays as well would only hide it.
            let _ = fs::remove_dir_all(self.0.path());
        }
    }
}

/// What a run is made of.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    /// The resolved configuration.
    pub(crate) experiment: &'a Experiment,
    pub(crate) dataset: &'a Dataset,
    pub(crate) device: Device,
    pub(crate) folder: &'a RunFolder,
    /// Whether to go on from the folder's checkpoint.
    pub(crate) resume: bool,
}

impl Run<'_> {
    /// Trains, and writes everything that a run folder has.
    pub(crate) fn go(&self, console: &mut Console, interrupt: &Interrupt) -> anyhow::Result<Report> {
        self.folder.write_config(self.experiment)?;
        self.record_dataset()?;
        let request = TrainRequest {
            experiment: self.experiment,
            dataset: self.dataset,
            device: self.device,
            folder: self.folder,
            resume: self.resume,
        };
        let mut watch = TrainingWatch::new(console, interrupt);
        let trained = train(&request, &mut |progress| watch.observe(progress));
        console.clear();
        let trained = trained.map_err(|error| self.explain(error))?;
        let settings = BundleSettings {
            model: self.experiment.model.clone(),
            csv: self.experiment.data.csv.clone(),
            batch_size: self.experiment.training.evaluation_batch_size,
            threads: self.experiment.training.resolved_threads(),
        };
        Bundle::write(&self.folder.bundle(), self.dataset.encoders(), &settings, &trained.variables)?;
        self.folder.write_report(&trained.report)?;
        Ok(trained.report)
    }

    /// Writes down which rows the run learns from. A run that goes on must find them unchanged.
    fn record_dataset(&self) -> anyhow::Result<()> {
        let file = dataset_file(self.folder);
        let manifest = serde_json::to_string_pretty(self.dataset.manifest()).context("the dataset's manifest")? + "\n";
        if self.resume && file.is_file() {
            let known = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            if known != manifest {
                let problem = "describes other rows than the data has now; the run cannot go on with changed data";
                return Err(Stop::Data(format!("{}: {problem}", file.display())).into());
            }
            return Ok(());
        }
        Ok(write_atomically(&file, manifest.as_bytes())?)
    }

    fn explain(&self, error: TrainingError) -> anyhow::Error {
        if !matches!(error, TrainingError::Interrupted) {
            return error.into();
        }
        let device = match self.device {
            Device::Cuda(number) => format!(" --device cuda:{number}"),
            _ => String::new(),
        };
        Stop::Interrupted(format!(
            "the checkpoint is {}; go on with: {}{device}",
            self.folder.checkpoint().display(),
            resume::command(self.folder)
        ))
        .into()
    }
}

/// The manifest of the dataset that a run was trained on.
fn dataset_file(folder: &RunFolder) -> PathBuf {
    folder.path().join("dataset.json")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    /// Makes what a run has once it wrote a checkpoint.
    fn begin(folder: &RunFolder) {
        fs::write(folder.config(), "").unwrap();
        fs::create_dir(folder.checkpoint().parent().unwrap()).unwrap();
        fs::write(folder.checkpoint(), "").unwrap();
    }

    #[test]
    fn a_folder_without_a_checkpoint_goes_away() {
        let root = tempfile::tempdir().unwrap();
        let outer = NewRun::create(&root.path().join("outer")).unwrap();
        let inner = NewRun::create(&root.path().join("outer/inner")).unwrap();
        fs::write(inner.folder().config(), "").unwrap();
        drop(inner);
        assert!(fs::read_dir(outer.folder().path()).unwrap().next().is_none());
        drop(outer);
        assert!(fs::read_dir(root.path()).unwrap().next().is_none());
    }

    #[test]
    fn a_checkpoint_keeps_its_folder_and_the_one_around_it() {
        let root = tempfile::tempdir().unwrap();
        let outer = NewRun::create(&root.path().join("outer")).unwrap();
        let inner = NewRun::create(&root.path().join("outer/inner")).unwrap();
        begin(inner.folder());
        let checkpoint = inner.folder().checkpoint();
        drop(inner);
        drop(outer);
        assert!(checkpoint.is_file());
        let alone = NewRun::create(&root.path().join("alone")).unwrap();
        begin(alone.folder());
        let checkpoint = alone.folder().checkpoint();
        drop(alone);
        assert!(checkpoint.is_file());
    }
}
