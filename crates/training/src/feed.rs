//! The batches of an epoch as a model reads them.

use fain_autograd::{compute_alone, upload};
use fain_dataset::{BatchPlan, Batches, DatasetError, Split};
use fain_features::Samples;
use fain_models::ModelInput;
use tch::{Device, Tensor};

use crate::TrainingError;

/// A batch on its device.
pub(crate) struct Tensors {
    pub(crate) input: ModelInput,
    /// `[B]`, float32.
    pub(crate) labels: Tensor,
}

impl Tensors {
    fn of(samples: &Samples, device: Device) -> Result<Self, TrainingError> {
        let labels = Tensor::f_from_slice(samples.labels.as_deref().unwrap_or_default())?;
        Ok(Self { input: ModelInput::new(samples, device)?, labels: upload(labels, device)? })
    }
}

/// A batch as the background thread hands it over.
pub(crate) struct Batch {
    pub(crate) samples: Samples,
    ready: Option<Tensors>,
}

impl Batch {
    /// The batch on `device`, and the samples it was made of.
    pub(crate) fn open(self, device: Device) -> Result<(Tensors, Samples), TrainingError> {
        let tensors = match self.ready {
            Some(tensors) => tensors,
            None => Tensors::of(&self.samples, device)?,
        };
        Ok((tensors, self.samples))
    }
}

/// Batches that a background thread gathers. For another device than the CPU it makes tensors of them, too, and sends
/// them there: a step finds all of it done. On the CPU this is left to the step: a third thread that works so much takes
/// its time from those that compute, and DIN on two cores was a tenth slower.
pub(crate) fn batches(
    split: &Split,
    plan: BatchPlan,
    device: Device,
) -> Result<Batches<Batch, TrainingError>, DatasetError> {
    batches_with(split, plan, (device != Device::Cpu).then_some(device))
}

/// With tensors made ahead for a device, if one is given.
fn batches_with(
    split: &Split,
    plan: BatchPlan,
    ahead: Option<Device>,
) -> Result<Batches<Batch, TrainingError>, DatasetError> {
    Batches::prepared(split, plan, move |samples| {
        let ready = ahead.map(|device| {
            // A second team of threads would be in the way of the one that trains.
            compute_alone();
            Tensors::of(&samples, device)
        });
        Ok(Batch { ready: ready.transpose()?, samples })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use fain_dataset::{Order, Tail};
    use fain_models::InputColumn;

    use super::*;
    use crate::small_data::SmallData;

    const EXPERIMENT: &str = r#"
        [data]
        train = "train.csv"
        validation.fraction = 0.2
        [schema]
        label = "click"
        group = "user"
        features.user = { kind = "category" }
        features.items = { kind = "sequence", max_length = 3 }
        [model]
        kind = "base"
    "#;

    /// Labels, users, and items of every batch.
    fn numbers(batches: Batches<Batch, TrainingError>) -> Vec<[Vec<f64>; 3]> {
        let of = |tensor: &Tensor| Vec::try_from(tensor.to_kind(tch::Kind::Double)).unwrap();
        let batch = |batch: Result<Batch, TrainingError>| {
            let (Tensors { input, labels }, samples) = batch.unwrap().open(Device::Cpu).unwrap();
            assert_eq!(input.rows, samples.rows as i64);
            let column = |column: &InputColumn| match column {
                InputColumn::Category(ids) | InputColumn::Sequence(ids, _) => of(ids),
                _ => Vec::new(),
            };
            [of(&labels), column(&input.columns[0]), column(&input.columns[1])]
        };
        batches.map(batch).collect()
    }

    #[test]
    fn batches_made_ahead_are_those_of_the_step() {
        let row = |row: usize| format!("{},u{},{}\n", row % 2, row % 7, ["a|b", "", "c", "b|c|d"][row % 4]);
        let rows: String = (0..50).map(row).collect();
        let rows = format!("click,user,items\n{rows}");
        let SmallData { dataset, .. } = &SmallData::new(EXPERIMENT, &[("train.csv", &rows)], &[]);
        let order = Order::Shuffled { seed: 1, epoch: 0 };
        let plan = BatchPlan { batch_size: 8, order, tail: Tail::MergeSingle, start: 0, prefetch: 2 };
        let by_step = numbers(batches(dataset.train(), plan, Device::Cpu).unwrap());
        let ahead = numbers(batches_with(dataset.train(), plan, Some(Device::Cpu)).unwrap());
        assert_eq!(ahead, by_step);
        let rows: usize = by_step.iter().map(|[labels, ..]| labels.len()).sum();
        assert_eq!(rows as u64, dataset.train().rows());
        assert!(by_step.iter().any(|[_, _, items]| !items.is_empty()));
    }
}
