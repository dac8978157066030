//! Builds a dataset in an empty folder: fits the encoders, encodes every source, writes all files.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use fain_features::{Encoders, Schema};
use fain_samples::SamplesFolder;

use crate::config::DataConfig;
use crate::encoders::EncodersSource;
use crate::error::DatasetError;
use crate::inline::InlineJob;
use crate::manifest::{BySplit, Content, ENCODERS, FORMAT, MANIFEST, Manifest, SplitInfo, VERSION};
use crate::source::Sources;
use crate::table::Reporter;
use crate::views::ViewsJob;

/// What a dataset is built from.
pub(crate) struct Job<'a> {
    pub(crate) config: &'a DataConfig,
    pub(crate) schema: &'a Schema,
    pub(crate) sources: &'a Sources,
    pub(crate) encoders: &'a EncodersSource,
}

/// What is known of a dataset when its rows are written.
pub(crate) struct Built {
    pub(crate) encoders: Encoders,
    pub(crate) content: Content,
    pub(crate) splits: BySplit<SplitInfo, SplitInfo>,
}

/// A job whose sources are open, and have the schema's columns.
pub(crate) enum Checked<'a> {
    Inline(InlineJob<'a>),
    Views(Box<ViewsJob<'a>>),
}

impl<'a> Job<'a> {
    /// Opens the sources and looks for missing columns in every one, before the long work.
    pub(crate) fn check(&self) -> Result<Checked<'a>, DatasetError> {
        let &Self { config, schema, sources, encoders } = self;
        Ok(match sources {
            Sources::Files(sources) => {
                let job = InlineJob { config, schema, sources, encoders };
                job.check_headers()?;
                Checked::Inline(job)
            }
            Sources::Samples(found) => {
                let job = ViewsJob { samples: SamplesFolder::open(&found.folder)?, found, schema, encoders };
                job.check()?;
                Checked::Views(Box::new(job))
            }
        })
    }
}

impl Checked<'_> {
    /// Writes all files of the dataset and waits until the disk has them.
    pub(crate) fn run(&self, folder: &Path, reporter: &mut Reporter<'_>) -> Result<(), DatasetError> {
        let Built { encoders, content, splits } = match self {
            Self::Inline(job) => job.run(folder, reporter)?,
            Self::Views(job) => job.run(folder, reporter)?,
        };
        let path = folder.join(ENCODERS);
        let json = encoders.to_json().map_err(|cause| DatasetError::Encoders { file: path.clone(), cause })?;
        write_text(&path, &json)?;
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            version: VERSION,
            schema: encoders.schema().config().clone(),
            encoders: encoders.digest(),
            content,
            splits,
        };
        let path = folder.join(MANIFEST);
        let json = manifest.to_json().map_err(|cause| DatasetError::io("write", &path, cause.into()))?;
        write_text(&path, &json)
    }
}

/// Writes a text file and waits until the disk has it.
fn write_text(path: &Path, text: &str) -> Result<(), DatasetError> {
    let failed = |cause| DatasetError::io("write", path, cause);
    let mut file = File::create_new(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)
}
