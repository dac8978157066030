//! The batches of an epoch as a model reads them, made ahead of their use.

use fain_autograd::{Buffer, compute_alone, upload};
use fain_dataset::{BatchPlan, Batches, DatasetError, Split};
use fain_features::Samples;
use fain_models::ModelInput;
use tch::{Device, Tensor};

use crate::TrainingError;

/// A batch on its device.
pub(crate) struct Batch {
    pub(crate) input: ModelInput,
    /// `[B]`, float32.
    pub(crate) labels: Tensor,
    /// What it was made of.
    pub(crate) samples: Samples,
}

/// Batches that a background thread gathers, turns into tensors and sends to the device: a step finds all of it done.
pub(crate) fn batches(
    split: &Split,
    plan: BatchPlan,
    device: Device,
) -> Result<Batches<Batch, TrainingError>, DatasetError> {
    Batches::prepared(split, plan, move |samples| {
        // A second team of threads would be in the way of the one that trains.
        compute_alone();
        let input = ModelInput::new(&samples, device)?;
        let labels = samples.labels.as_deref().unwrap_or_default();
        let mut numbers = Buffer::<f32>::unspecified(&[labels.len() as i64])?;
        numbers.as_mut_slice().copy_from_slice(labels);
        Ok(Batch { labels: upload(numbers.into_tensor(), device)?, input, samples })
    })
}
