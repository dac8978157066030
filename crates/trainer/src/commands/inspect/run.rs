//! The folder of a run.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context;
use fain_training::{EvaluationEvent, Experiment, Report, RunFolder};
use serde::Serialize;

use super::bundle::BundleView;
use super::{ModelParts, View};
use crate::text::{Align, count, metric, table};
use crate::{metrics_text, resume};

/// A run, done or not.
#[derive(Debug, Serialize)]
pub(super) struct RunView {
    kind: &'static str,
    folder: String,
    /// The command that goes on with a run that is not done.
    #[serde(skip)]
    resume: String,
    config: Experiment,
    evaluations: Vec<EvaluationEvent>,
    /// `null` while the run is not done.
    report: Option<Report>,
    /// `null` while the run is not done.
    bundle: Option<BundleView>,
    /// The model of a run that is not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    unfinished: Option<ModelParts>,
}

impl RunView {
    pub(super) fn open(folder: &RunFolder) -> anyhow::Result<Self> {
        let there = |path: &Path| path.exists();
        let config = folder.read_config()?;
        let done = there(&folder.bundle());
        Ok(Self {
            kind: "run",
            folder: folder.path().display().to_string(),
            resume: resume::command(folder),
            evaluations: evaluations(&folder.events())?,
            report: there(&folder.report()).then(|| folder.read_report()).transpose()?,
            bundle: done.then(|| BundleView::open(&folder.bundle())).transpose()?,
            unfinished: (!done).then(|| unfinished(&config)).transpose()?,
            config,
        })
    }
}

fn unfinished(config: &Experiment) -> anyhow::Result<ModelParts> {
    let (parts, _) = ModelParts::of_experiment(config, &config.check()?)?;
    Ok(parts)
}

/// A run that is interrupted early has no events yet.
fn evaluations(file: &Path) -> anyhow::Result<Vec<EvaluationEvent>> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
    };
    let line = |(index, line): (usize, &str)| {
        serde_json::from_str(line).with_context(|| format!("{}, line {}", file.display(), index + 1))
    };
    text.lines().enumerate().map(line).collect()
}

impl View for RunView {
    fn text(&self) -> anyhow::Result<String> {
        let mut text = match &self.report {
            Some(report) => metrics_text::report(report, Path::new(&self.folder)),
            None => format!("run {}: not done; go on with: {}\n", self.folder, self.resume),
        };
        if !self.evaluations.is_empty() {
            text.push_str("\nevaluations on the validation rows\n");
            text.push_str(&events(&self.evaluations));
        }
        if let Some(bundle) = &self.bundle {
            text.push('\n');
            text.push_str(&bundle.text()?);
        }
        if let Some(parts) = &self.unfinished {
            text.push('\n');
            text.push_str(&parts.text());
        }
        text.push_str("\nconfiguration\n");
        text.push_str(&self.config.to_toml()?);
        Ok(text)
    }

    fn model(&self) -> Option<(&'static str, &ModelParts)> {
        match &self.bundle {
            Some(bundle) => bundle.model(),
            None => self.unfinished.as_ref().map(|parts| (self.config.model.name(), parts)),
        }
    }
}

fn events(events: &[EvaluationEvent]) -> String {
    let heading = ["epoch", "step", "training loss", "AUC", "GAUC", "log loss", "PCOC", ""].map(str::to_owned);
    let lines = events.iter().map(|event| {
        [
            event.epoch.to_string(),
            count(event.step),
            metric(Some(event.train_loss)),
            metric(event.validation.auc),
            metric(event.validation.gauc),
            metric(event.validation.log_loss),
            metric(event.validation.pcoc),
            if event.best { "best so far".to_owned() } else { String::new() },
        ]
    });
    let rows: Vec<_> = [heading].into_iter().chain(lines).collect();
    let right = Align::Right;
    table([right, right, right, right, right, right, right, Align::Left], &rows)
}
