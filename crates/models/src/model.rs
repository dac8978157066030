//! What every model is.

use std::fmt::Debug;

use fain_features::Samples;
use fain_layers::Mode;
use tch::{Device, Kind, nn};

use crate::{ModelError, ModelGraph, ModelInput, Output};

/// A model: a batch in, one logit per sample out, in training with the model's auxiliary loss. It owns
/// no optimiser, no device and no files.
pub trait Model: Debug + Send {
    /// # Shapes
    /// - returns logits `[B]`; the click probability is their logistic function
    ///
    /// # Errors
    /// [`ModelError::Column`] when the batch is not of the schema the model was built for.
    fn forward(&self, input: &ModelInput, mode: Mode) -> Result<Output, ModelError>;

    /// The layers and how data goes through them, for tables and drawings.
    fn graph(&self) -> ModelGraph;
}

/// Scores samples without building a graph: one logit per row, on the host.
///
/// # Errors
/// Those of [`ModelInput::new`] and [`Model::forward`].
pub fn logits(model: &dyn Model, samples: &Samples, device: Device) -> Result<Vec<f32>, ModelError> {
    let _guard = tch::no_grad_guard();
    let Output { logits, .. } = model.forward(&ModelInput::new(samples, device)?, Mode::Evaluation)?;
    let logits = logits.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?;
    Ok(Vec::<f32>::try_from(logits)?)
}

/// How many numbers a model learns.
pub fn parameter_count(variables: &nn::VarStore) -> u64 {
    variables.trainable_variables().iter().map(|tensor| tensor.numel() as u64).sum()
}
