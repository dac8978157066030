//! The cache: one folder for each set of sources, schema and rules, made whole or not at all.

use std::path::PathBuf;

use fain_features::Schema;
use fain_storage::hex;
use serde::Serialize;
use xxhash_rust::xxh3::Xxh3Default;

use crate::config::DataConfig;
use crate::encoders::EncodersSource;
use crate::error::DatasetError;
use crate::manifest::VERSION;
use crate::source::Sources;

/// Hexadecimal digits of a folder's name.
const DIGITS: usize = 16;

/// The folder of a dataset. Its name is a hash of everything that the encoded rows depend on. The content of a source
/// stands there by its path, size and time of change, which are known without reading it; that of a samples folder by
/// its manifest, which holds the checksums of its files.
pub(crate) fn folder(
    config: &DataConfig,
    schema: &Schema,
    sources: &Sources,
    encoders: &EncodersSource,
) -> Result<PathBuf, DatasetError> {
    let mut key = Key(Xxh3Default::new());
    let failed = |cause: serde_json::Error| DatasetError::io("name a folder in", &config.cache, cause.into());
    key.bytes(&VERSION.to_le_bytes());
    key.json(schema.config()).map_err(failed)?;
    key.json(&encoders.digest()).map_err(failed)?;
    match sources {
        Sources::Samples(found) => key.json(&found.manifest).map_err(failed)?,
        Sources::Files(files) => {
            key.json(&config.csv).map_err(failed)?;
            key.json(&config.validation).map_err(failed)?;
            for sources in [Some(&files.train), files.validation.as_ref(), files.test.as_ref()] {
                let sources = sources.map_or(&[][..], Vec::as_slice);
                key.bytes(&(sources.len() as u64).to_le_bytes());
                for source in sources {
                    key.bytes(source.canonical.as_os_str().as_encoded_bytes());
                    key.bytes(&source.bytes.to_le_bytes());
                    key.bytes(&source.modified.to_le_bytes());
                }
            }
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
