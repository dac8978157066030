//! A source file, seen from outside: where it is, how large, when it last changed.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use fain_features::TableError;
use fain_storage::hex;
use fain_tables::find_files;
use xxhash_rust::xxh3::Xxh3Default;

use crate::config::{DataConfig, same_file};
use crate::error::DatasetError;
use crate::files::Files;
use crate::manifest::{BySplit, SourceInfo};
use crate::views::{FoundSamples, find_samples};

/// Bytes read at once for a checksum.
const BLOCK: usize = 1 << 20;

/// What a dataset is built from.
#[derive(Debug, Clone)]
pub(crate) enum Sources {
    /// Files whose rows hold all their columns.
    Files(BySplit<Vec<Source>, Option<Vec<Source>>>),
    /// A samples folder.
    Samples(FoundSamples),
}

/// A source file, seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// As the configuration gives it; errors name it so.
    pub(crate) path: PathBuf,
    /// Absolute, without links: the same file under two names is found by it.
    pub(crate) canonical: PathBuf,
    pub(crate) bytes: u64,
    /// Nanoseconds since 1970.
    pub(crate) modified: i128,
}

impl Sources {
    /// Looks at every source from outside. No two files may be the same.
    pub(crate) fn examine(config: &DataConfig) -> Result<Self, DatasetError> {
        if let Some(samples) = &config.samples {
            return Ok(Self::Samples(find_samples(config.path(samples))?));
        }
        let mut seen: Vec<(&str, PathBuf)> = Vec::new();
        let mut examine = |key: &'static str, files: &Files| {
            let mut sources = Vec::new();
            let paths = files.names().iter().map(|name| find(&config.root, name)).collect::<Result<Vec<_>, _>>()?;
            for path in paths.concat() {
                let source = Source::examine(&path)?;
                if let Some((other, _)) = seen.iter().find(|(_, canonical)| *canonical == source.canonical) {
                    return Err(same_file(key, &source.path.display().to_string(), other));
                }
                seen.push((key, source.canonical.clone()));
                sources.push(source);
            }
            Ok(sources)
        };
        Ok(Self::Files(BySplit {
            train: config.train.as_ref().map_or(Ok(Vec::new()), |files| examine("data.train", files))?,
            validation: config
                .validation
                .file
                .as_ref()
                .map(|files| examine("data.validation.file", files))
                .transpose()?,
            test: config.test.as_ref().map(|files| examine("data.test", files)).transpose()?,
        }))
    }
}

impl Source {
    pub(crate) fn examine(path: &Path) -> Result<Self, DatasetError> {
        let failed = |source| TableError::Open { file: path.to_owned(), source };
        let data = std::fs::metadata(path).map_err(failed)?;
        let modified = data.modified().map_err(failed)?;
        let modified = match modified.duration_since(UNIX_EPOCH) {
            Ok(after) => after.as_nanos() as i128,
            Err(before) => -(before.duration().as_nanos() as i128),
        };
        Ok(Self { path: path.to_owned(), canonical: path.canonicalize().map_err(failed)?, bytes: data.len(), modified })
    }

    /// The name of the file, without its folder.
    pub(crate) fn name(&self) -> String {
        file_name(&self.path)
    }

    /// Reads the file once for its checksum. `go_on` is asked after every block, and may stop the work with an error.
    pub(crate) fn describe(
        &self,
        rows: u64,
        mut go_on: impl FnMut() -> Result<(), DatasetError>,
    ) -> Result<SourceInfo, DatasetError> {
        let failed = |cause| DatasetError::io("read", &self.path, cause);
        let mut file = File::open(&self.path).map_err(failed)?;
        let mut hasher = Xxh3Default::new();
        let mut block = vec![0; BLOCK];
        let mut bytes = 0;
        loop {
            let read = file.read(&mut block).map_err(failed)?;
            if read == 0 {
                break;
            }
            hasher.update(&block[..read]);
            bytes += read as u64;
            go_on()?;
        }
        self.check_unchanged()?;
        Ok(SourceInfo { file: self.name(), bytes, checksum: hex(hasher.digest128()), rows: Some(rows) })
    }

    /// The passes over a file must see the same rows.
    fn check_unchanged(&self) -> Result<(), DatasetError> {
        if Self::examine(&self.path)? == *self {
            Ok(())
        } else {
            Err(DatasetError::Changed { file: self.path.clone() })
        }
    }
}

/// The last part of a path, as text.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// The files that a name stands for. A name without a pattern is that of a file, whether it is there or not.
fn find(root: &Path, name: &String) -> Result<Vec<PathBuf>, TableError> {
    if name.contains(['*', '?', '[']) {
        return find_files(root, std::slice::from_ref(name));
    }
    Ok(vec![root.join(name)])
}
