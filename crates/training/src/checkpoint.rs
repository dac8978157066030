//! What a run goes on from: one safetensors file.
//!
//! Tensors: `model.*` (parameters and buffers), `best.*` (the same of the best weights so far, when there are some),
//! `adam.*` or `adagrad.*` (what the optimiser remembers). The rest is a JSON note in the metadata. One file, written beside and renamed,
//! so that a kill at any moment leaves either the old checkpoint or the new one.

use std::path::Path;

use fain_models::{WeightsError, named_tensors, restore_weights, serialize_tensors, tensor_from_view};
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use tch::{Tensor, nn};

use crate::folder::io;
use crate::{EvaluationEvent, Optimizer, TrainingError, write_atomically};

/// Version of the file's form.
const VERSION: u32 = 2;

/// Where a run stands, without its tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Position {
    /// Version of the checkpoint's form.
    pub(crate) version: u32,
    /// The running epoch, from 0.
    pub(crate) epoch: u64,
    /// Batches of it that are done.
    pub(crate) epoch_batches: u64,
    /// Rows of it that are done.
    pub(crate) epoch_rows: u64,
    /// Steps since the start.
    pub(crate) step: u64,
    /// Rows trained on since the start.
    pub(crate) samples: u64,
    /// The losses since the last evaluation.
    pub(crate) loss: LossSum,
    /// All evaluations so far.
    pub(crate) evaluations: Vec<EvaluationEvent>,
    /// Evaluations since the best one.
    pub(crate) without_best: u64,
    /// Seconds spent in training steps.
    pub(crate) train_seconds: f64,
    /// Seconds since the start, summed over the parts of a resumed run.
    pub(crate) seconds: f64,
}

/// Losses times their rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LossSum {
    /// Of the click loss.
    pub(crate) click: f64,
    /// Of the auxiliary loss, from models that have one.
    pub(crate) auxiliary: Option<f64>,
    /// The rows.
    pub(crate) rows: u64,
}

impl Position {
    pub(crate) fn start() -> Self {
        Self {
            version: VERSION,
            epoch: 0,
            epoch_batches: 0,
            epoch_rows: 0,
            step: 0,
            samples: 0,
            loss: LossSum::default(),
            evaluations: Vec::new(),
            without_best: 0,
            train_seconds: 0.0,
            seconds: 0.0,
        }
    }
}

/// Copies of a model's tensors.
pub(crate) type Snapshot = Vec<(String, Tensor)>;

pub(crate) fn snapshot(variables: &nn::VarStore) -> Result<Snapshot, TrainingError> {
    let copy = |(name, tensor): (String, Tensor)| Ok((name, tensor.f_detach_copy()?));
    named_tensors(variables).into_iter().map(copy).collect()
}

pub(crate) fn restore_snapshot(variables: &nn::VarStore, snapshot: &Snapshot) -> Result<(), TrainingError> {
    let _guard = tch::no_grad_guard();
    for ((_, mut target), (_, value)) in named_tensors(variables).into_iter().zip(snapshot) {
        target.f_copy_(value)?;
    }
    Ok(())
}

pub(crate) fn write(
    path: &Path,
    position: &Position,
    variables: &nn::VarStore,
    best: Option<&Snapshot>,
    optimizer: &Optimizer,
) -> Result<(), TrainingError> {
    let prefixed = |prefix: &'static str| move |(name, tensor): (String, Tensor)| (format!("{prefix}.{name}"), tensor);
    let mut tensors: Snapshot = named_tensors(variables).into_iter().map(prefixed("model")).collect();
    tensors.extend(optimizer.state().into_iter().map(prefixed(optimizer.state_family())));
    for (name, tensor) in best.into_iter().flatten() {
        tensors.push((format!("best.{name}"), tensor.shallow_clone()));
    }
    let note = serde_json::to_string(position).map_err(|cause| io("write", path, cause.into()))?;
    write_atomically(path, &serialize_tensors(&tensors, Some(note))?)
}

/// Reads a checkpoint into the model and the optimiser; gives the position and the best weights.
pub(crate) fn read(
    path: &Path,
    variables: &nn::VarStore,
    optimizer: &mut Optimizer,
) -> Result<(Position, Option<Snapshot>), TrainingError> {
    let bytes = std::fs::read(path).map_err(|cause| io("read", path, cause))?;
    let damaged = |problem: String| TrainingError::Run { folder: path.to_owned(), problem };
    let format = |cause| WeightsError::Format { file: path.display().to_string(), cause };
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(format)?;
    let note = header.metadata().as_ref().and_then(|metadata| metadata.get("fain"));
    let note = note.ok_or_else(|| damaged("is no checkpoint: it has no note of its position".to_owned()))?;
    let version: serde_json::Value = serde_json::from_str(note).map_err(|error| damaged(error.to_string()))?;
    if version["version"] != VERSION {
        let problem = format!("is a checkpoint of version {}; this program reads {VERSION}", version["version"]);
        return Err(damaged(problem));
    }
    let position: Position = serde_json::from_str(note).map_err(|error| damaged(error.to_string()))?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(format)?;
    restore_weights(variables, &tensors, "model.", path)?;
    let tensor = |name: &str| match tensors.tensor(name) {
        Ok(view) => Ok(tensor_from_view(path, name, &view)?),
        Err(_) => Err(damaged(format!("lacks the tensor {name}"))),
    };
    let family = optimizer.state_family();
    optimizer.restore(position.step, |name| tensor(&format!("{family}.{name}")))?;
    if !position.evaluations.iter().any(|event| event.best) {
        return Ok((position, None));
    }
    let best = named_tensors(variables)
        .into_iter()
        .map(|(name, _)| tensor(&format!("best.{name}")).map(|value| (name, value)))
        .collect::<Result<Snapshot, _>>()?;
    Ok((position, Some(best)))
}
