//! The bundle.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fain_features::{Column, CsvConfig, Encoders, Parts, ReadPlan, SampleReader, Samples};
use fain_models::{
    Candidates, FeatureSpace, Model, ModelConfig, ModelGraph, UserState, candidate_logits, load_weights, logits,
    named_tensors, serialize_tensors, user_state,
};
use serde::{Deserialize, Serialize};
use tch::{Device, nn};
use xxhash_rust::xxh3::xxh3_128;

use crate::BundleError;
use crate::error::io;

const FORMAT: &str = "fain-bundle";
const VERSION: u32 = 1;
const SETTINGS: &str = "bundle.json";
const ENCODERS: &str = "encoders.json";
const WEIGHTS: &str = "model.safetensors";

/// How a bundle scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleSettings {
    /// The model.
    pub model: ModelConfig,
    /// How files of rows are written.
    pub csv: CsvConfig,
    /// Rows scored at once. The same size as in training's evaluation gives the same bits.
    pub batch_size: usize,
    /// Threads of libtorch in training. The same number gives the same bits.
    pub threads: usize,
}

/// `bundle.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: String,
    version: u32,
    /// Digest of the encoders.
    encoders: String,
    /// xxh3-128 of the weights file.
    weights: String,
    settings: BundleSettings,
}

/// A trained model with its encoders, ready to score.
#[derive(Debug)]
pub struct Bundle {
    encoders: Arc<Encoders>,
    settings: BundleSettings,
    space: FeatureSpace,
    /// Features that the model reads in training only.
    unread: Vec<String>,
    model: Box<dyn Model>,
    variables: nn::VarStore,
    device: Device,
}

/// A run of scored rows.
#[derive(Debug, Clone, Copy)]
pub struct ScoredRun<'a> {
    /// The rows, encoded.
    pub samples: &'a Samples,
    /// One logit per row.
    pub logits: &'a [f32],
    /// Bytes of the file that were read so far, as it lies on disk.
    pub bytes_read: u64,
}

impl Bundle {
    /// Writes a bundle: beside its place first, then renamed, so that it is whole or not there. A bundle that was there
    /// is replaced.
    ///
    /// # Errors
    /// [`BundleError`] names the file and the cause; nothing half-written is left.
    pub fn write(
        folder: &Path,
        encoders: &Encoders,
        settings: &BundleSettings,
        variables: &nn::VarStore,
    ) -> Result<(), BundleError> {
        let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let weights = serialize_tensors(&named_tensors(variables), None)?;
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            version: VERSION,
            encoders: encoders.digest(),
            weights: format!("{:032x}", xxh3_128(&weights)),
            settings: settings.clone(),
        };
        let encoders =
            encoders.to_json().map_err(|cause| BundleError::Encoders { file: folder.join(ENCODERS), cause })?;
        let manifest = serde_json::to_string_pretty(&manifest)
            .map_err(|cause| io("write", &folder.join(SETTINGS), cause.into()))?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".bundle-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let work = builder.tempdir_in(parent).map_err(|cause| io("create a folder in", parent, cause))?;
        for (name, bytes) in
            [(WEIGHTS, weights.as_slice()), (ENCODERS, encoders.as_bytes()), (SETTINGS, manifest.as_bytes())]
        {
            write_synced(&work.path().join(name), bytes).map_err(|cause| io("write", &folder.join(name), cause))?;
        }
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(|cause| io("replace", folder, cause))?;
        }
        fs::rename(work.path(), folder).map_err(|cause| io("write", folder, cause))
    }

    /// Opens a bundle on a device.
    ///
    /// # Errors
    /// [`BundleError`] names the file that is missing, of another version, or does not belong to the others.
    pub fn open(folder: &Path, device: Device) -> Result<Self, BundleError> {
        let manifest = read_manifest(&folder.join(SETTINGS))?;
        let file = folder.join(ENCODERS);
        let encoders =
            Encoders::from_json(&read(&file)?).map_err(|cause| BundleError::Encoders { file: file.clone(), cause })?;
        let foreign = |file: &PathBuf, found: String, needed: &str| BundleError::Damaged {
            file: file.clone(),
            problem: format!(
                "its digest is {found}, but {SETTINGS} names {needed}: the files are of different bundles"
            ),
        };
        if encoders.digest() != manifest.encoders {
            return Err(foreign(&file, encoders.digest(), &manifest.encoders));
        }
        let file = folder.join(WEIGHTS);
        let bytes = fs::read(&file).map_err(|cause| io("read", &file, cause))?;
        let digest = format!("{:032x}", xxh3_128(&bytes));
        if digest != manifest.weights {
            return Err(foreign(&file, digest, &manifest.weights));
        }
        drop(bytes);
        let variables = nn::VarStore::new(device);
        let space = FeatureSpace::of(&encoders);
        let model = manifest.settings.model.build(&variables.root(), &space)?;
        load_weights(&variables, &file)?;
        let unread = manifest.settings.model.training_only();
        let encoders = Arc::new(encoders);
        Ok(Self { encoders, settings: manifest.settings, space, unread, model, variables, device })
    }

    /// The fitted encoders.
    pub fn encoders(&self) -> &Encoders {
        &self.encoders
    }

    /// How the bundle scores.
    pub fn settings(&self) -> &BundleSettings {
        &self.settings
    }

    /// Parameters and buffers of the model.
    pub fn variables(&self) -> &nn::VarStore {
        &self.variables
    }

    /// The layers of the model, for tables and drawings.
    pub fn graph(&self) -> ModelGraph {
        self.model.graph()
    }

    /// One logit per row. A row's logit does not depend on the other rows but for the last bits of a matrix product.
    ///
    /// # Errors
    /// [`BundleError::Model`] when the samples are not of the bundle's schema.
    pub fn score(&self, samples: &Samples) -> Result<Vec<f32>, BundleError> {
        Ok(logits(self.model.as_ref(), samples, self.device)?)
    }

    /// Reads what depends on one user alone: the vectors and states of the history, before a candidate is known. It can
    /// be kept and scored with again.
    ///
    /// `user` has one row. What it holds for features of the candidates is not looked at, but it is there and of its
    /// kind, id 0 for example.
    ///
    /// # Errors
    /// [`BundleError::Model`] when there is not one row, or it is not of the bundle's schema.
    pub fn read_user(&self, user: &Samples) -> Result<UserState, BundleError> {
        Ok(user_state(self.model.as_ref(), user, self.device)?)
    }

    /// What a user may be shown: the features in which the candidates differ, by name, each with a value for every
    /// candidate. All other features are the user's. Ids are those of [`Bundle::encoders`].
    ///
    /// # Errors
    /// [`BundleError::Model`] as [`Candidates::new`].
    pub fn candidates(&self, columns: Vec<(&str, Column)>) -> Result<Candidates, BundleError> {
        Ok(Candidates::new(&self.space, columns, self.device)?)
    }

    /// One logit per candidate, those that [`Bundle::score`] gives for rows with the user's features beside each
    /// candidate; what depends on the user alone is not computed again.
    ///
    /// # Errors
    /// [`BundleError::Model`] when the model refuses, such as a state that another model has read.
    pub fn score_candidates(&self, user: &UserState, candidates: &Candidates) -> Result<Vec<f32>, BundleError> {
        Ok(candidate_logits(self.model.as_ref(), user, candidates)?)
    }

    /// Scores the rows of a CSV file in its order, run by run; a term that training did not know is the unknown one.
    ///
    /// Features that the model reads in training only, such as negatives, are not read: the file may have columns for
    /// them or not, and the runs have empty lists.
    ///
    /// `each` gets every run and says whether to go on.
    ///
    /// # Errors
    /// [`BundleError::Data`] names file, row, column and value; or what `each` returns.
    pub fn score_file<B, E: From<BundleError>>(
        &self,
        file: &Path,
        parts: Parts,
        each: &mut dyn FnMut(&ScoredRun<'_>) -> Result<ControlFlow<B>, E>,
    ) -> Result<ControlFlow<B>, E> {
        let plan = ReadPlan { parts, unread: &self.unread, rows_per_run: self.settings.batch_size };
        let open = SampleReader::open(file, &self.settings.csv, Arc::clone(&self.encoders), plan);
        let mut reader = open.map_err(BundleError::from)?;
        let mut samples = Samples::new(self.encoders.schema(), parts);
        while reader.read(&mut samples).map_err(BundleError::from)? {
            let logits = self.score(&samples)?;
            let run = ScoredRun { samples: &samples, logits: &logits, bytes_read: reader.bytes_read() };
            if let ControlFlow::Break(stop) = each(&run)? {
                return Ok(ControlFlow::Break(stop));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

fn read(file: &Path) -> Result<String, BundleError> {
    fs::read_to_string(file).map_err(|cause| io("read", file, cause))
}

fn read_manifest(file: &Path) -> Result<Manifest, BundleError> {
    let damaged = |problem: String| BundleError::Damaged { file: file.to_owned(), problem };
    let text = read(file)?;
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    if value["format"] != FORMAT || value["version"] != VERSION {
        let (format, version) = (&value["format"], &value["version"]);
        return Err(damaged(format!(
            "is {format} version {version}; this program reads \"{FORMAT}\" version {VERSION}"
        )));
    }
    serde_json::from_value(value).map_err(|error| damaged(error.to_string()))
}

fn write_synced(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let mut file = fs::File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
