//! The folder of a bundle.

use std::path::Path;

use fain_features::FeatureSummary;
use fain_serving::{Bundle, BundleSettings};
use serde::Serialize;
use tch::Device;

use super::tensors::TensorLine;
use super::{View, features, tensors};
use crate::text::count;

/// A bundle whose files were checked.
#[derive(Debug, Serialize)]
pub(super) struct BundleView {
    kind: &'static str,
    folder: String,
    model: &'static str,
    parameters: u64,
    features: Vec<FeatureSummary>,
    tensors: Vec<TensorLine>,
    settings: BundleSettings,
}

impl BundleView {
    pub(super) fn open(folder: &Path) -> anyhow::Result<Self> {
        let bundle = Bundle::open(folder, Device::Cpu)?;
        let tensors = tensors::of_variables(bundle.variables());
        Ok(Self {
            kind: "bundle",
            folder: folder.display().to_string(),
            model: bundle.settings().model.name(),
            parameters: tensors::parameters(&tensors),
            features: bundle.encoders().summary(),
            tensors,
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
            tensors::text(&self.tensors)
        ))
    }
}
