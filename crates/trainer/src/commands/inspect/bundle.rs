//! The folder of a bundle.

use std::path::Path;

use fain_features::FeatureSummary;
use fain_serving::{Bundle, BundleSettings};
use serde::Serialize;
use tch::Device;

use super::{ModelParts, View, features};
use crate::text::count;

/// A bundle whose files were checked.
#[derive(Debug, Serialize)]
pub(super) struct BundleView {
    kind: &'static str,
    folder: String,
    model: &'static str,
    parameters: u64,
    features: Vec<FeatureSummary>,
    #[serde(flatten)]
    parts: ModelParts,
    settings: BundleSettings,
}

impl BundleView {
    pub(super) fn open(folder: &Path) -> anyhow::Result<Self> {
        let bundle = Bundle::open(folder, Device::Cpu)?;
        let parts = ModelParts::of(bundle.graph(), bundle.variables());
        Ok(Self {
            kind: "bundle",
            folder: folder.display().to_string(),
            model: bundle.settings().model.name(),
            parameters: parts.layers.total().fixed,
            features: bundle.encoders().summary(),
            parts,
            settings: bundle.settings().clone(),
        })
    }
}

impl View for BundleView {
    fn text(&self) -> anyhow::Result<String> {
        Ok(format!(
            "bundle {}\nmodel {}: {} parameters\n\n{}\n{}",
            self.folder,
            self.model,
            count(self.parameters),
            features::text(&self.features),
            self.parts.text()
        ))
    }

    fn model(&self) -> Option<(&'static str, &ModelParts)> {
        Some((self.model, &self.parts))
    }
}
