//! The manifest: what a dataset folder holds, and what it was made from.

use std::path::Path;

use fain_features::{CsvConfig, SchemaConfig};
use fain_samples::Negatives;
use fain_storage::{FileInfo, StorageError};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::config::ValidationConfig;
use crate::error::DatasetError;
use crate::manifest_1;

/// The name of the format, the first field of every manifest.
pub(crate) const FORMAT: &str = "fain-dataset";
/// The version of the format that this crate writes. It reads version 1, too.
pub(crate) const VERSION: u32 = 2;
/// The manifest's file.
pub(crate) const MANIFEST: &str = "manifest.json";
/// The encoders' file.
pub(crate) const ENCODERS: &str = "encoders.json";

/// What a dataset folder holds. It is the same, byte for byte, wherever the dataset is built from the same sources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `fain-dataset`.
    pub format: String,
    /// Version of the format in the folder.
    pub version: u32,
    /// The schema the rows were encoded with.
    pub schema: SchemaConfig,
    /// The digest of the encoders.
    pub encoders: String,
    /// How rows are kept, and what they came from.
    pub content: Content,
    /// The encoded rows.
    pub splits: BySplit<SplitInfo, SplitInfo>,
}

/// How the rows of a dataset are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Every row holds all its columns, as its source did.
    Inline(Box<InlineInfo>),
    /// A row refers to a user, an item and a place in the user's events, which are kept once.
    Views(Box<ViewsInfo>),
}

/// What rows came from that hold all their columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InlineInfo {
    /// How the sources were written.
    pub csv: CsvConfig,
    /// Where the validation rows came from. Files are given by their names without their folders.
    pub validation: ValidationConfig,
    /// The files that the rows came from, in the order they were read.
    pub sources: BySplit<Vec<SourceInfo>, Option<Vec<SourceInfo>>>,
}

/// What rows came from that refer to tables, and these tables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewsInfo {
    /// The manifest of the samples folder. It holds the checksums of all files there.
    pub samples: SourceInfo,
    /// The name of the user key.
    pub user: String,
    /// The name of the item key.
    pub item: String,
    /// Most events of a history.
    pub max_length: u32,
    /// How negatives are drawn.
    pub negatives: Negatives,
    /// What each feature reads, in the order of the schema.
    pub features: IndexMap<String, Reading>,
    /// The table that holds the groups, where the schema names a column for them.
    pub group: Option<Reading>,
    /// One row per user.
    pub users: FileInfo,
    /// One row per item.
    pub items: FileInfo,
    /// One row per event.
    pub events: FileInfo,
}

/// From where the value of a row is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// From the row itself.
    Row,
    /// From its user.
    User,
    /// From its item: the candidate.
    Item,
    /// From the events of its history.
    History,
    /// From drawn items, one for each event of its history.
    Negative,
}

/// One thing for each split: training, validation, and test where there is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BySplit<T, V> {
    /// Of the training split.
    pub train: T,
    /// Of the validation split. No source where its rows are a fraction of the training rows.
    pub validation: V,
    /// Of the test split.
    pub test: Option<T>,
}

/// A file that rows came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceInfo {
    /// Its name, without its folder.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// xxh3-128 of its bytes as they lie on disk, 32 hexadecimal digits.
    pub checksum: String,
    /// Its rows; `None` where the dataset was built by an earlier version, or where the file holds no rows itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
}

/// A file of encoded rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitInfo {
    /// Its name in the dataset folder.
    pub file: String,
    /// Its rows. Drawn candidates, which are in no file, do not count.
    pub rows: u64,
    /// Its rows with label 1.
    pub positives: u64,
    /// Its size.
    pub bytes: u64,
    /// xxh3-128 of its bytes, 32 hexadecimal digits.
    pub checksum: String,
}

impl SplitInfo {
    pub(crate) fn new(info: FileInfo, positives: u64) -> Self {
        let FileInfo { file, rows, bytes, checksum } = info;
        Self { file, rows, positives, bytes, checksum }
    }

    pub(crate) fn info(&self) -> FileInfo {
        FileInfo { file: self.file.clone(), rows: self.rows, bytes: self.bytes, checksum: self.checksum.clone() }
    }
}

/// What is read first: a later version may have other fields, and must be refused for its version.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
}

impl Manifest {
    /// Reads a manifest and checks that it is of the format and of a version that this crate reads.
    pub(crate) fn read(path: &Path) -> Result<Self, DatasetError> {
        let text = read_text(path)?;
        let wrong = |cause: serde_json::Error| {
            let found = format!("not readable: {cause}");
            DatasetError::damaged(path, "the manifest", found, "a manifest of version 1 or 2")
        };
        let head: Head = serde_json::from_str(&text).map_err(wrong)?;
        if head.format != FORMAT {
            let found = format!("`{}`", head.format);
            return Err(DatasetError::damaged(path, "the format", found, format!("`{FORMAT}`")));
        }
        match head.version {
            1 => manifest_1::read(&text).map_err(wrong),
            VERSION => serde_json::from_str(&text).map_err(wrong),
            other => Err(DatasetError::damaged(path, "the version", other, "1 or 2")),
        }
    }

    /// The manifest as it stands in its file.
    pub(crate) fn to_json(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }
}

/// Reads a text file of a dataset.
pub(crate) fn read_text(path: &Path) -> Result<String, DatasetError> {
    std::fs::read_to_string(path).map_err(|cause| StorageError::unreadable(path, cause).into())
}
