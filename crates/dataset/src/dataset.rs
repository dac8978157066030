//! A dataset: encoded rows, the encoders that made them, and the manifest.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use fain_features::{DataError, Encoders, Schema, TableError};
use fain_storage::Workshop;

use crate::build::Job;
use crate::cache;
use crate::config::{DataConfig, same_file};
use crate::error::DatasetError;
use crate::layout::{TEST, TRAIN, VALIDATION};
use crate::manifest::{BySplit, ENCODERS, MANIFEST, Manifest, SplitInfo, read_text};
use crate::progress::Progress;
use crate::source::Source;
use crate::split::Split;
use crate::table::Reporter;

/// An encoded dataset: a training split, a validation split, and a test split where there is one.
#[derive(Debug, Clone)]
pub struct Dataset {
    folder: PathBuf,
    manifest: Manifest,
    encoders: Encoders,
    splits: BySplit<Split, Split>,
}

impl Dataset {
    /// Opens the encoded dataset if the cache has it for these sources and this schema; builds it otherwise.
    ///
    /// Building reads the training file twice, first to fit the encoders on its training rows, then to encode; memory
    /// does not grow with the number of rows. `progress` is called every few thousand rows, and stops the work by
    /// answering [`ControlFlow::Break`]. Whatever goes wrong, no unfinished dataset is left in the cache.
    ///
    /// # Errors
    /// [`DatasetError`]; its kind says whether configuration, data or work is at fault.
    pub fn prepare(
        config: &DataConfig,
        schema: &Schema,
        progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Self, DatasetError> {
        config.check()?;
        let sources = examine(config)?;
        let folder = cache::folder(config, schema, &sources)?;
        if !folder.is_dir() {
            let job = Job { config, schema, sources: &sources };
            job.check_headers()?;
            let workshop = Workshop::new(&config.cache)?;
            job.run(workshop.path(), &mut Reporter::new(progress))?;
            workshop.publish(&folder)?;
        }
        Self::open(&folder)
    }

    /// The encoders of the dataset that [`Dataset::prepare`] would open without building it. `None` if the cache does not
    /// have it, or if a source is not there, by which it is found. No row is read.
    ///
    /// # Errors
    /// [`DatasetError`] if the configuration is wrong, or the encoders in the cache are damaged.
    pub fn cached_encoders(config: &DataConfig, schema: &Schema) -> Result<Option<Encoders>, DatasetError> {
        config.check()?;
        let sources = match examine(config) {
            Err(DatasetError::Data(DataError::Table(TableError::Open { .. }))) => return Ok(None),
            sources => sources?,
        };
        let folder = cache::folder(config, schema, &sources)?;
        if !folder.is_dir() {
            return Ok(None);
        }
        let manifest = Manifest::read(&folder.join(MANIFEST))?;
        open_encoders(&folder.join(ENCODERS), &manifest).map(Some)
    }

    /// Opens a dataset folder and checks every file against the manifest.
    ///
    /// # Errors
    /// [`DatasetError::Damaged`] names the file, what was found and what is needed; [`DatasetError::Encoders`] if the
    /// encoders cannot be read; [`DatasetError::Io`] if the system refuses a file.
    pub fn open(folder: &Path) -> Result<Self, DatasetError> {
        let manifest = Manifest::read(&folder.join(MANIFEST))?;
        let encoders = open_encoders(&folder.join(ENCODERS), &manifest)?;
        let open = |name: &str, info: &SplitInfo| {
            if info.file != name {
                let file = folder.join(MANIFEST);
                return Err(DatasetError::damaged(&file, "the name of a split's file", &info.file, name));
            }
            Split::open(&folder.join(name), info, &encoders)
        };
        let infos = &manifest.splits;
        let splits = BySplit {
            train: open(TRAIN, &infos.train)?,
            validation: open(VALIDATION, &infos.validation)?,
            test: infos.test.as_ref().map(|info| open(TEST, info)).transpose()?,
        };
        Ok(Self { folder: folder.to_owned(), manifest, encoders, splits })
    }

    /// The folder that holds the dataset.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The encoders, fitted on the training split.
    pub fn encoders(&self) -> &Encoders {
        &self.encoders
    }

    /// What the folder holds, and what it was made from.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The training split.
    pub fn train(&self) -> &Split {
        &self.splits.train
    }

    /// The validation split.
    pub fn validation(&self) -> &Split {
        &self.splits.validation
    }

    /// The test split, if the data has one.
    pub fn test(&self) -> Option<&Split> {
        self.splits.test.as_ref()
    }
}

/// Reads the encoders. They must be the ones that the rows were encoded with.
fn open_encoders(file: &Path, manifest: &Manifest) -> Result<Encoders, DatasetError> {
    let encoders = Encoders::from_json(&read_text(file)?)
        .map_err(|cause| DatasetError::Encoders { file: file.to_owned(), cause })?;
    let digest = encoders.digest();
    if digest != manifest.encoders {
        return Err(DatasetError::damaged(file, "the digest", digest, &manifest.encoders));
    }
    if *encoders.schema().config() != manifest.schema {
        return Err(DatasetError::damaged(file, "the schema", "another one", "the manifest's"));
    }
    Ok(encoders)
}

/// Looks at every source from outside. No two may be the same file.
fn examine(config: &DataConfig) -> Result<BySplit<Source, Option<Source>>, DatasetError> {
    let source = |file: &String| Source::examine(&config.path(file));
    let sources = BySplit {
        train: source(&config.train)?,
        validation: config.validation.file.as_ref().map(source).transpose()?,
        test: config.test.as_ref().map(source).transpose()?,
    };
    let mut seen: Vec<(&str, &Source)> = vec![("data.train", &sources.train)];
    for (key, found) in [("data.validation.file", &sources.validation), ("data.test", &sources.test)] {
        let Some(found) = found else { continue };
        if let Some((other, _)) = seen.iter().find(|(_, source)| source.canonical == found.canonical) {
            return Err(same_file(key, &found.path.display().to_string(), other));
        }
        seen.push((key, found));
    }
    Ok(sources)
}
