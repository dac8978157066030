//! A folder of encoded data.

use std::path::Path;

use fain_dataset::{Content, Dataset, FileInfo, Manifest, SourceInfo, SplitInfo};
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
            "dataset {}\n\n{}{}\n{}\n{}",
            self.folder,
            splits(&self.manifest),
            tables(&self.manifest),
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
    let mut rows = vec![heading];
    match &manifest.content {
        Content::Inline(info) => {
            let sources = &info.sources;
            let named = [
                ("train", Some(&sources.train)),
                ("validation", sources.validation.as_ref()),
                ("test", sources.test.as_ref()),
            ];
            for (name, sources) in named {
                rows.extend(sources.into_iter().flatten().map(|source| line(name, source)));
            }
        }
        Content::Views(info) => rows.push(line("samples", &info.samples)),
    }
    table([Align::Left, Align::Left, Align::Right, Align::Left], &rows)
}

/// The tables that rows refer to, where there are some.
fn tables(manifest: &Manifest) -> String {
    let Content::Views(info) = &manifest.content else { return String::new() };
    let heading = ["table", "rows", "bytes", "xxh3-128"].map(str::to_owned);
    let line =
        |name: &str, file: &FileInfo| [name.to_owned(), count(file.rows), count(file.bytes), file.checksum.clone()];
    let rows = vec![heading, line("users", &info.users), line("items", &info.items), line("events", &info.events)];
    let right = Align::Right;
    format!("\n{}", table([Align::Left, right, right, Align::Left], &rows))
}
