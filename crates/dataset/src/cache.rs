//! The cache: one folder for each set of sources, schema and rules, made whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use fain_features::Schema;
use serde::Serialize;
use tempfile::TempDir;
use xxhash_rust::xxh3::Xxh3Default;

use crate::checksum::hex;
use crate::config::DataConfig;
use crate::error::DatasetError;
use crate::manifest::{BySplit, VERSION};
use crate::source::Source;

/// Hexadecimal digits of a folder's name.
const DIGITS: usize = 16;

/// The folder of a dataset. Its name is a hash of everything that the encoded rows depend on; the content of a source
/// stands there by its path, size and time of change, which are known without reading it.
pub(crate) fn folder(
    config: &DataConfig,
    schema: &Schema,
    sources: &BySplit<Source, Option<Source>>,
) -> Result<PathBuf, DatasetError> {
    let mut key = Key(Xxh3Default::new());
    let failed = |cause: serde_json::Error| DatasetError::io("name a folder in", &config.cache, cause.into());
    key.bytes(&VERSION.to_le_bytes());
    key.json(schema.config()).map_err(failed)?;
    key.json(&config.csv).map_err(failed)?;
    key.json(&config.validation).map_err(failed)?;
    let sources = [Some(&sources.train), sources.validation.as_ref(), sources.test.as_ref()];
    for source in sources {
        key.bytes(&[u8::from(source.is_some())]);
        if let Some(source) = source {
            key.bytes(source.canonical.as_os_str().as_encoded_bytes());
            key.bytes(&source.bytes.to_le_bytes());
            key.bytes(&source.modified.to_le_bytes());
        }
    }
    let mut name = hex(key.0.digest128());
    name.truncate(DIGITS);
    Ok(config.cache.join(name))
}

/// A hash over parts, each with its length, so that no two lists of parts read the same.
struct Key(Xxh3Default);

impl Key {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    fn json(&mut self, value: &impl Serialize) -> Result<(), serde_json::Error> {
        self.bytes(serde_json::to_string(value)?.as_bytes());
        Ok(())
    }
}

/// A folder in the cache to build a dataset in. It is removed when dropped, unless it was published.
pub(crate) struct Workshop {
    folder: TempDir,
}

impl Workshop {
    pub(crate) fn new(cache: &Path) -> Result<Self, DatasetError> {
        fs::create_dir_all(cache).map_err(|cause| DatasetError::io("create", cache, cause))?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".building-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // A temporary folder is its owner's alone by default; a cache may be shared, as the umask says.
            builder.permissions(fs::Permissions::from_mode(0o777));
        }
        let folder = builder.tempdir_in(cache).map_err(|cause| DatasetError::io("create a folder in", cache, cause))?;
        Ok(Self { folder })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Gives the folder its name. If another process has published the same dataset meanwhile, that one stands and
    /// this one is removed.
    pub(crate) fn publish(self, name: &Path) -> Result<(), DatasetError> {
        sync_folder(self.path())?;
        match fs::rename(self.path(), name) {
            Ok(()) => {
                // Nothing lies at the old path any more: there is nothing to remove.
                let _ = self.folder.keep();
                name.parent().map_or(Ok(()), sync_folder)
            }
            Err(_) if name.is_dir() => Ok(()),
            Err(cause) => Err(DatasetError::io("rename a folder to", name, cause)),
        }
    }
}

/// Waits until the disk has the names in a folder.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> Result<(), DatasetError> {
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|cause| DatasetError::io("sync", folder, cause))
}

/// Folders cannot be synced here; the system does so in its own time.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> Result<(), DatasetError> {
    Ok(())
}
