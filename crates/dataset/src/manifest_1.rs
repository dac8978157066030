//! Manifests of version 1: rows inline, one file for each split's source.

use fain_features::{CsvConfig, SchemaConfig};
use serde::Deserialize;

use crate::config::ValidationConfig;
use crate::manifest::{BySplit, Content, InlineInfo, Manifest, SourceInfo, SplitInfo};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Version1 {
    format: String,
    version: u32,
    schema: SchemaConfig,
    encoders: String,
    csv: CsvConfig,
    validation: ValidationConfig,
    sources: BySplit<SourceInfo, Option<SourceInfo>>,
    splits: BySplit<SplitInfo, SplitInfo>,
}

/// Reads a manifest of version 1.
pub(crate) fn read(text: &str) -> Result<Manifest, serde_json::Error> {
    let Version1 { format, version, schema, encoders, csv, validation, sources, splits } = serde_json::from_str(text)?;
    let sources = BySplit {
        train: vec![sources.train],
        validation: sources.validation.map(|source| vec![source]),
        test: sources.test.map(|source| vec![source]),
    };
    let content = Content::Inline(Box::new(InlineInfo { csv, validation, sources }));
    Ok(Manifest { format, version, schema, encoders, content, splits })
}
