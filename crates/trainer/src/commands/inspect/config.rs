//! A configuration file.

use std::path::Path;

use fain_features::FeatureSummary;
use fain_training::{Experiment, Override};
use serde::Serialize;

use super::layers::Numbers;
use super::{ModelParts, View, features};
use crate::text::count;

/// A configuration that was checked.
#[derive(Debug, Serialize)]
pub(super) struct ConfigView {
    kind: &'static str,
    file: String,
    model: &'static str,
    /// Numbers that are learned; `null` while the sizes of the embedding tables are not known.
    parameters: Option<u64>,
    /// Numbers that are learned besides the tables whose sizes are not known.
    parameters_besides_vocabularies: u64,
    features: Vec<FeatureSummary>,
    #[serde(flatten)]
    parts: ModelParts,
    config: Experiment,
}

impl ConfigView {
    pub(super) fn read(file: &Path, settings: &[Override]) -> anyhow::Result<Self> {
        let config = Experiment::read(file, settings)?;
        let schema = config.check()?;
        let (parts, encoders) = ModelParts::of_experiment(&config, &schema)?;
        let Numbers { fixed, .. } = parts.layers.total();
        Ok(Self {
            kind: "config",
            file: file.display().to_string(),
            model: config.model.name(),
            parameters: encoders.is_some().then_some(fixed),
            parameters_besides_vocabularies: fixed,
            features: encoders.map_or_else(|| schema.summary(), |encoders| encoders.summary()),
            parts,
            config,
        })
    }
}

impl View for ConfigView {
    fn text(&self) -> anyhow::Result<String> {
        let parameters = match self.parameters {
            Some(parameters) => format!("{} parameters, with the tables of the encoded data", count(parameters)),
            None => format!(
                "{} parameters besides the tables of V ids, which the data decides",
                count(self.parameters_besides_vocabularies)
            ),
        };
        Ok(format!(
            "configuration {}\nmodel {}: {parameters}\n\n{}\n{}",
            self.file,
            self.model,
            features::text(&self.features),
            self.parts.text()
        ))
    }

    fn model(&self) -> Option<(&'static str, &ModelParts)> {
        Some((self.model, &self.parts))
    }
}
