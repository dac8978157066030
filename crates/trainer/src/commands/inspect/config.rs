//! A configuration file.

use std::path::Path;

use fain_features::FeatureSummary;
use fain_training::Experiment;
use serde::Serialize;

use super::tensors::TensorLine;
use super::{View, features, tensors};
use crate::text::count;

/// A configuration that was checked.
#[derive(Debug, Serialize)]
pub(super) struct ConfigView {
    kind: &'static str,
    file: String,
    model: &'static str,
    features: Vec<FeatureSummary>,
    tensors: Vec<TensorLine>,
    /// Numbers that are learned besides the embedding tables, whose sizes the data decides.
    parameters_besides_vocabularies: u64,
    config: Experiment,
}

impl ConfigView {
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        let config = Experiment::read(file, &[])?;
        let schema = config.check()?;
        let tensors = tensors::of_config(&config.model, &schema)?;
        Ok(Self {
            kind: "config",
            file: file.display().to_string(),
            model: config.model.name(),
            features: schema.summary(),
            parameters_besides_vocabularies: tensors::parameters(&tensors),
            tensors,
            config,
        })
    }
}

impl View for ConfigView {
    fn text(&self) -> anyhow::Result<String> {
        Ok(format!(
            "configuration {}\nmodel {}: {} parameters besides the tables of V ids, which the data decides\n\n{}\n{}",
            self.file,
            self.model,
            count(self.parameters_besides_vocabularies),
            features::text(&self.features),
            tensors::text(&self.tensors)
        ))
    }
}
