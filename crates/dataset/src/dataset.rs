//! A dataset: encoded rows, the encoders that made them, and the manifest.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fain_features::{DataError, Encoders, Schema, TableError};
use fain_samples::Part;
use fain_storage::{StorageError, Workshop};

use crate::build::Job;
use crate::cache;
use crate::config::DataConfig;
use crate::encoders::{self, EncodersSource};
use crate::error::DatasetError;
use crate::layout::{TEST, TRAIN, VALIDATION};
use crate::manifest::{BySplit, Content, ENCODERS, MANIFEST, Manifest, SplitInfo};
use crate::progress::Progress;
use crate::source::Sources;
use crate::split::Split;
use crate::table::Reporter;
use crate::views::Tables;

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
    /// Building reads the training rows twice, first to fit the encoders on them, then to encode; memory does not grow with
    /// the number of rows. `progress` is called every few thousand rows, and stops the work by answering
    /// [`ControlFlow::Break`]. Whatever goes wrong, no unfinished dataset is left in the cache.
    ///
    /// # Errors
    /// [`DatasetError`]; its kind says whether configuration, data or work is at fault.
    pub fn prepare(
        config: &DataConfig,
        schema: &Schema,
        progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Self, DatasetError> {
        config.check()?;
        let sources = Sources::examine(config)?;
        let encoders = EncodersSource::open(config.encoders.as_ref(), schema)?;
        let folder = cache::folder(config, schema, &sources, &encoders)?;
        if !folder.is_dir() {
            let job = Job { config, schema, sources: &sources, encoders: &encoders }.check()?;
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
        let sources = match Sources::examine(config) {
            Err(DatasetError::Data(DataError::Table(TableError::Open { .. } | TableError::NoFile { .. }))) => {
                return Ok(None);
            }
            Err(DatasetError::Storage(StorageError::Damaged { .. })) if config.samples.is_some() => return Ok(None),
            sources => sources?,
        };
        let encoders = EncodersSource::open(config.encoders.as_ref(), schema)?;
        let folder = cache::folder(config, schema, &sources, &encoders)?;
        if !folder.is_dir() {
            return Ok(None);
        }
        let manifest = Manifest::read(&folder.join(MANIFEST))?;
        open_encoders(&folder.join(ENCODERS), &manifest).map(Some)
    }

    /// Opens a dataset folder and checks every file against the manifest.
    ///
    /// # Errors
    /// [`DatasetError::Storage`] names the file, what was found and what is needed; [`DatasetError::Encoders`] if the
    /// encoders cannot be read.
    pub fn open(folder: &Path) -> Result<Self, DatasetError> {
        let manifest = Manifest::read(&folder.join(MANIFEST))?;
        let encoders = open_encoders(&folder.join(ENCODERS), &manifest)?;
        let tables = match &manifest.content {
            Content::Views(info) => Some(Arc::new(Tables::open(folder, info, &encoders)?)),
            Content::Inline(_) => None,
        };
        let open = |part: Part, name: &str, info: &SplitInfo| {
            if info.file != name {
                let file = folder.join(MANIFEST);
                return Err(DatasetError::damaged(&file, "the name of a split's file", &info.file, name));
            }
            let path = folder.join(name);
            match &tables {
                Some(tables) => Split::open_views(&path, info, &encoders, (part, Arc::clone(tables))),
                None => Split::open(&path, info, &encoders),
            }
        };
        let infos = &manifest.splits;
        let splits = BySplit {
            train: open(Part::Train, TRAIN, &infos.train)?,
            validation: open(Part::Validation, VALIDATION, &infos.validation)?,
            test: infos.test.as_ref().map(|info| open(Part::Test, TEST, info)).transpose()?,
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
    let encoders = encoders::read(file)?;
    let digest = encoders.digest();
    if digest != manifest.encoders {
        return Err(DatasetError::damaged(file, "the digest", digest, &manifest.encoders));
    }
    if *encoders.schema().config() != manifest.schema {
        return Err(DatasetError::damaged(file, "the schema", "another one", "the manifest's"));
    }
    Ok(encoders)
}
