//! The manifest: what a samples folder holds, and what it was made from.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use fain_storage::{FileInfo, StorageError, checksum};
use serde::{Deserialize, Serialize};

use crate::error::SamplesError;
use crate::layout::Layout;
use crate::negatives::Negatives;
use crate::part::ByPart;

/// The name of the format, the first field of every manifest.
pub(crate) const FORMAT: &str = "fain-samples";
/// The version of the format that this crate writes and reads.
pub(crate) const VERSION: u32 = 1;
/// The manifest's file.
pub(crate) const MANIFEST: &str = "manifest.json";

/// What a samples folder holds. It is the same, byte for byte, wherever the samples are made from the same sources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `fain-samples`.
    pub format: String,
    /// Version of the format.
    pub version: u32,
    /// xxh3-128 of the manifest's file with zeros in the place of these 32 hexadecimal digits. As the checksums of all
    /// other files stand in the manifest, it names the content of the whole folder.
    pub checksum: String,
    /// The rules that made the samples, as whoever made them wrote them. Not read again.
    pub rule: serde_json::Value,
    /// The files that the samples came from, in the order they were read.
    pub sources: Vec<SourceInfo>,
    /// The columns.
    pub layout: Layout,
    /// The negatives that whoever reads the samples draws.
    pub negatives: Negatives,
    /// The samples.
    pub splits: ByPart<SplitInfo>,
    /// `events.arrow`.
    pub events: FileInfo,
    /// `users.arrow`.
    pub users: FileInfo,
    /// `items.arrow`.
    pub items: FileInfo,
    /// `terms/N.arrow`, in the order of [`Layout::term_tables`].
    pub terms: Vec<TermsInfo>,
}

/// A file of samples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitInfo {
    /// Its rows with label 1.
    pub positives: u64,
    /// The file.
    pub file: FileInfo,
}

/// A file of terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermsInfo {
    /// Whose codes point into it: `user` and `item` for the keys, else the column as its Arrow file names it, such as
    /// `item:genres`.
    pub column: String,
    /// The file.
    pub file: FileInfo,
}

/// A file that the samples came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceInfo {
    /// Which table it is part of.
    pub table: SourceTable,
    /// Its name, without its folder.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// xxh3-128 of its bytes as they lie on disk, 32 hexadecimal digits.
    pub checksum: String,
    /// Its rows, without header and blank lines.
    pub rows: u64,
}

/// A table that samples are made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceTable {
    /// The interactions.
    Log,
    /// The users.
    Users,
    /// The items.
    Items,
}

/// What is read first: a later version may have other fields, and must be refused for its version.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
}

/// Stands in the place of the checksum where it is computed.
const UNSEALED: &str = "00000000000000000000000000000000";

impl Manifest {
    /// Reads a manifest and checks that it is of the format and version this crate reads.
    pub(crate) fn read(path: &Path) -> Result<Self, SamplesError> {
        let text = std::fs::read_to_string(path).map_err(|cause| StorageError::unreadable(path, cause))?;
        let wrong = |cause: serde_json::Error| {
            let found = format!("not readable: {cause}");
            StorageError::damaged(path, "the manifest", found, "a manifest of version 1")
        };
        let head: Head = serde_json::from_str(&text).map_err(wrong)?;
        if head.format != FORMAT {
            let found = format!("`{}`", head.format);
            return Err(StorageError::damaged(path, "the format", found, format!("`{FORMAT}`")).into());
        }
        if head.version != VERSION {
            return Err(StorageError::damaged(path, "the version", head.version, VERSION).into());
        }
        let manifest: Self = serde_json::from_str(&text).map_err(wrong)?;
        let found = checksum(text.replacen(&manifest.checksum, UNSEALED, 1).as_bytes());
        if found != manifest.checksum {
            return Err(StorageError::damaged(path, "the checksum", found, &manifest.checksum).into());
        }
        Ok(manifest)
    }

    /// Writes the manifest, and its checksum into it, and waits until the disk has it.
    pub(crate) fn write(&mut self, path: &Path) -> Result<(), SamplesError> {
        let io = |cause| StorageError::io("write", path, cause);
        UNSEALED.clone_into(&mut self.checksum);
        let mut text = serde_json::to_string_pretty(self).map_err(|cause| io(cause.into()))?;
        text.push('\n');
        self.checksum = checksum(text.as_bytes());
        // The field is the third: no other text of the file stands before it.
        let text = text.replacen(UNSEALED, &self.checksum, 1);
        let mut file = File::create_new(path).map_err(|cause| StorageError::io("create", path, cause))?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
        Ok(())
    }
}
