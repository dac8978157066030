//! Where the encoders of a dataset come from.

use std::path::{Path, PathBuf};

use fain_features::{EncoderFitter, Encoders, Schema};

use crate::config::EncodersConfig;
use crate::error::DatasetError;
use crate::manifest::{ENCODERS, read_text};

/// The encoders of a dataset before its training rows are read.
#[derive(Debug)]
pub(crate) enum EncodersSource {
    /// They are fitted on the training rows.
    Fit,
    /// They are there.
    Given(Box<Encoders>),
    /// They are there, and gain the terms of the training rows that they lack.
    Grown(Box<Encoders>),
}

impl EncodersSource {
    /// Reads the encoders that the configuration names. They must be those of the schema.
    pub(crate) fn open(config: Option<&EncodersConfig>, schema: &Schema) -> Result<Self, DatasetError> {
        let Some(config) = config else { return Ok(Self::Fit) };
        let file = file(&config.from);
        let encoders = read(&file)?;
        if encoders.schema().config() != schema.config() {
            let value = format!("\"{}\"", config.from.display());
            let allowed = "must hold encoders of the same schema; that one has another";
            return Err(DatasetError::config("data.encoders.from", value, allowed));
        }
        let encoders = Box::new(encoders);
        Ok(if config.grow { Self::Grown(encoders) } else { Self::Given(encoders) })
    }

    /// What the name of a dataset's folder takes in of its encoders, and whether they grow: nothing where the training
    /// rows alone decide them.
    pub(crate) fn digest(&self) -> Option<(String, bool)> {
        match self {
            Self::Fit => None,
            Self::Given(encoders) => Some((encoders.digest(), false)),
            Self::Grown(encoders) => Some((encoders.digest(), true)),
        }
    }

    /// The encoders; `observe` shows the training rows to a fitter, if one is needed.
    pub(crate) fn make(
        &self,
        schema: &Schema,
        observe: impl FnOnce(&mut EncoderFitter) -> Result<(), DatasetError>,
    ) -> Result<Encoders, DatasetError> {
        let mut fitter = EncoderFitter::new(schema.clone());
        Ok(match self {
            Self::Fit => {
                observe(&mut fitter)?;
                fitter.finish()?
            }
            Self::Given(encoders) => (**encoders).clone(),
            Self::Grown(encoders) => {
                observe(&mut fitter)?;
                (**encoders).clone().grow(&fitter)?
            }
        })
    }
}

/// The file of encoders: what is named, or the one that a folder holds. A run has it in its bundle.
fn file(from: &Path) -> PathBuf {
    let bundled = from.join("bundle").join(ENCODERS);
    match from.is_dir() {
        true if bundled.is_file() => bundled,
        true => from.join(ENCODERS),
        false => from.to_owned(),
    }
}

/// Reads encoders.
pub(crate) fn read(file: &Path) -> Result<Encoders, DatasetError> {
    Encoders::from_json(&read_text(file)?).map_err(|cause| DatasetError::Encoders { file: file.to_owned(), cause })
}
