//! A folder of samples.

use std::path::Path;

use fain_samples::{Content, Manifest, PartSummary, SamplesFolder, SourceTable, Summary};
use serde::Serialize;

use super::{ModelParts, View};
use crate::text::{Align, count, table};

/// A samples folder whose files were checked.
#[derive(Debug, Serialize)]
pub(crate) struct SamplesView {
    kind: &'static str,
    folder: String,
    summary: Summary,
    columns: Vec<Column>,
    manifest: Manifest,
}

/// A name that a schema may use.
#[derive(Debug, Serialize)]
struct Column {
    name: String,
    content: &'static str,
}

impl SamplesView {
    pub(super) fn open(folder: &Path) -> anyhow::Result<Self> {
        Ok(Self::new(&SamplesFolder::open(folder)?))
    }

    pub(crate) fn new(samples: &SamplesFolder) -> Self {
        let columns = samples.columns().into_iter();
        Self {
            kind: "samples",
            folder: samples.folder().display().to_string(),
            summary: samples.summary(),
            columns: columns.map(|column| Column { name: column.name, content: in_words(column.content) }).collect(),
            manifest: samples.manifest().clone(),
        }
    }

    /// The samples in a few numbers.
    pub(crate) fn summary_text(&self) -> String {
        let Summary { users, items, events, bytes, inline_bytes, .. } = self.summary;
        format!(
            "samples {}\n\n{}\n{} users, {} items, {} events that histories view; {} bytes (histories written out: {})\n",
            self.folder,
            parts(&self.summary),
            count(users),
            count(items),
            count(events),
            count(bytes),
            count(inline_bytes),
        )
    }
}

impl View for SamplesView {
    fn text(&self) -> anyhow::Result<String> {
        Ok(format!("{}\n{}\n{}", self.summary_text(), columns(&self.columns), sources(&self.manifest)))
    }

    fn model(&self) -> Option<(&'static str, &ModelParts)> {
        None
    }
}

fn in_words(content: Content) -> &'static str {
    match content {
        Content::Label => "0 or 1",
        Content::Time => "seconds",
        Content::Term => "a term",
        Content::Number => "a number",
        Content::Terms => "terms",
        Content::Times => "seconds, for each event",
        Content::Numbers => "numbers, for each event",
    }
}

fn of_table(table: SourceTable) -> &'static str {
    match table {
        SourceTable::Log => "log",
        SourceTable::Users => "users",
        SourceTable::Items => "items",
    }
}

/// Whether a folder says that it is one of samples. Its manifest may be wrong otherwise; opening it tells.
pub(super) fn is_samples(path: &Path) -> bool {
    let manifest = std::fs::read_to_string(path.join("manifest.json")).unwrap_or_default();
    manifest.lines().take(2).any(|line| line.contains("\"fain-samples\""))
}

fn parts(summary: &Summary) -> String {
    let heading = ["part", "rows", "clicks", "drawn", "shortest", "median", "mean", "longest"].map(str::to_owned);
    let line = |name: &str, part: &PartSummary| {
        let length =
            |text: fn(&fain_samples::Lengths) -> String| part.lengths.as_ref().map_or_else(|| "-".to_owned(), text);
        [
            name.to_owned(),
            count(part.rows),
            count(part.positives),
            count(part.drawn),
            length(|lengths| count(lengths.minimum)),
            length(|lengths| count(lengths.median)),
            length(|lengths| format!("{:.1}", lengths.mean)),
            length(|lengths| count(lengths.maximum)),
        ]
    };
    let parts = &summary.parts;
    let rows = [heading, line("train", &parts.train), line("validation", &parts.validation), line("test", &parts.test)];
    let right = Align::Right;
    table([Align::Left, right, right, right, right, right, right, right], &rows)
}

fn columns(columns: &[Column]) -> String {
    let mut rows = vec![["column", "content"].map(str::to_owned)];
    rows.extend(columns.iter().map(|column| [column.name.clone(), column.content.to_owned()]));
    table([Align::Left, Align::Left], &rows)
}

fn sources(manifest: &Manifest) -> String {
    let mut rows = vec![["source", "file", "rows", "bytes", "xxh3-128"].map(str::to_owned)];
    rows.extend(manifest.sources.iter().map(|source| {
        [
            of_table(source.table).to_owned(),
            source.file.clone(),
            count(source.rows),
            count(source.bytes),
            source.checksum.clone(),
        ]
    }));
    table([Align::Left, Align::Left, Align::Right, Align::Right, Align::Left], &rows)
}
