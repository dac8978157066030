//! The manifest: what a dataset folder holds, and what it was made from.

use std::path::Path;

use fain_features::{CsvConfig, Encoders, SchemaConfig};
use fain_storage::{FileInfo, StorageError};
use serde::{Deserialize, Serialize};

use crate::config::{DataConfig, ValidationConfig};
use crate::error::DatasetError;
use crate::source::file_name;

/// The name of the format, the first field of every manifest.
pub(crate) const FORMAT: &str = "fain-dataset";
/// The version of the format that this crate writes and reads.
pub(crate) const VERSION: u32 = 1;
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
    /// Version of the format.
    pub version: u32,
    /// The schema the rows were encoded with.
    pub schema: SchemaConfig,
    /// The digest of the encoders.
    pub encoders: String,
    /// How the sources were written.
    pub csv: CsvConfig,
    /// Where the validation rows came from. A file is given by its name without its folder.
    pub validation: ValidationConfig,
    /// The files that the rows came from.
    pub sources: BySplit<SourceInfo, Option<SourceInfo>>,
    /// The encoded rows.
    pub splits: BySplit<SplitInfo, SplitInfo>,
}

/// One thing for each split: training, validation, and test where there is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BySplit<T, V> {
    /// Of the training split.
    pub train: T,
    /// Of the validation split. No source where its rows are a fraction of the training file.
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
}

/// A file of encoded rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitInfo {
    /// Its name in the dataset folder.
    pub file: String,
    /// Its rows.
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
    pub(crate) fn new(
        encoders: &Encoders,
        config: &DataConfig,
        sources: BySplit<SourceInfo, Option<SourceInfo>>,
        splits: BySplit<SplitInfo, SplitInfo>,
    ) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            schema: encoders.schema().config().clone(),
            encoders: encoders.digest(),
            csv: config.csv.clone(),
            validation: portable(&config.validation),
            sources,
            splits,
        }
    }

    /// Reads a manifest and checks that it is of the format and version this crate reads.
    pub(crate) fn read(path: &Path) -> Result<Self, DatasetError> {
        let text = read_text(path)?;
        let wrong = |cause: serde_json::Error| {
            let found = format!("not readable: {cause}");
            DatasetError::damaged(path, "the manifest", found, "a manifest of version 1")
        };
        let head: Head = serde_json::from_str(&text).map_err(wrong)?;
        if head.format != FORMAT {
            let found = format!("`{}`", head.format);
            return Err(DatasetError::damaged(path, "the format", found, format!("`{FORMAT}`")));
        }
        if head.version != VERSION {
            return Err(DatasetError::damaged(path, "the version", head.version, VERSION));
        }
        serde_json::from_str(&text).map_err(wrong)
    }

    /// The manifest as it stands in its file.
    pub(crate) fn to_json(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }
}

/// The validation rule as the manifest gives it: no folder names of the machine that built the dataset.
fn portable(validation: &ValidationConfig) -> ValidationConfig {
    ValidationConfig { file: validation.file.as_ref().map(|file| file_name(Path::new(file))), ..validation.clone() }
}

/// Reads a text file of a dataset.
pub(crate) fn read_text(path: &Path) -> Result<String, DatasetError> {
    std::fs::read_to_string(path).map_err(|cause| StorageError::unreadable(path, cause).into())
}
