//! A folder of encoded data.

use std::path::Path;

use fain_dataset::{Dataset, Manifest, SourceInfo, SplitInfo};
use fain_features::FeatureSummary;
use serde::Serialize;

use super::{ModelParts, View, features};
use crate::text::{Align, count, table};

/// An encoded dataset whose files were checked.
#[derive(Debug, Serialize)]
pub(super) struct DatasetView {
    kind: &'static str,
    folder: String,
    features: Vec<FeatureSummary>,
    manifest: Manifest,
}

impl DatasetView {
    pub(super) fn open(folder: &Path) -> anyhow::Result<Self> {
        let dataset = Dataset::open(folder)?;
        Ok(Self {
            kind: "dataset",
            folder: folder.display().to_string(),
            features: dataset.encoders().summary(),
            manifest: dataset.manifest().clone(),
        })
    }
}

impl View for DatasetView {
    fn text(&self) -> anyhow::Result<String> {
        Ok(format!(
            "dataset {}\n\n{}\n{}\n{}",
            self.folder,
            splits(&self.manifest),
            sources(&self.manifest),
            features::text(&self.features)
        ))
    }

    fn model(&self) -> Option<(&'static str, &ModelParts)> {
        None
    }
}

fn splits(manifest: &Manifest) -> String {
    let heading = ["split", "rows", "clicks", "bytes", "xxh3-128"].map(str::to_owned);
    let line = |name: &str, split: &SplitInfo| {
        [name.to_owned(), count(split.rows), count(split.positives), count(split.bytes), split.checksum.clone()]
    };
    let splits = &manifest.splits;
    let mut rows = vec![heading, line("train", &splits.train), line("validation", &splits.validation)];
    rows.extend(splits.test.as_ref().map(|split| line("test", split)));
    let right = Align::Right;
    table([Align::Left, right, right, right, Align::Left], &rows)
}

fn sources(manifest: &Manifest) -> String {
    let heading = ["source", "file", "bytes", "xxh3-128"].map(str::to_owned);
    let line = |name: &str, source: &SourceInfo| {
        [name.to_owned(), source.file.clone(), count(source.bytes), source.checksum.clone()]
    };
    let sources = &manifest.sources;
    let mut rows = vec![heading, line("train", &sources.train)];
    rows.extend(sources.validation.as_ref().map(|source| line("validation", source)));
    rows.extend(sources.test.as_ref().map(|source| line("test", source)));
    table([Align::Left, Align::Left, Align::Right, Align::Left], &rows)
}
