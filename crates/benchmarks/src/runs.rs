//! Our side of the trainings and scorings.

use std::ops::ControlFlow;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use fain_autograd::Precision;
use fain_dataset::Order;
use fain_models::{FeatureSpace, Model};
use fain_training::{
    EvaluationPlan, Experiment, Progress, RunFolder, TrainRequest, TrainingError, evaluate_split, train,
};
use tch::{Device, nn};

use crate::rows::Encoded;

/// Steps that are not measured: memory is got and the feed fills up.
const WARM: u64 = 5;

/// Adds up the time between successive steps of an epoch; validation between epochs is left out.
#[derive(Debug, Default)]
struct Clock {
    last: Option<(u64, u64, Instant)>,
    rows: u64,
    seconds: f64,
}

impl Clock {
    fn step(&mut self, epoch: u64, epoch_rows: u64, step: u64, now: Instant) {
        if let Some((last_epoch, last_rows, last)) = self.last
            && last_epoch == epoch
            && step > WARM
        {
            self.rows += epoch_rows - last_rows;
            self.seconds += now.duration_since(last).as_secs_f64();
        }
        self.last = Some((epoch, epoch_rows, now));
    }

    /// What the seconds are if a step ends now.
    fn seconds_at(&self, now: Instant) -> f64 {
        self.seconds + self.last.map_or(0.0, |(_, _, last)| now.duration_since(last).as_secs_f64())
    }
}

/// Where and how our side trains.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) device: Device,
    pub(crate) threads: u16,
    pub(crate) precision: Precision,
}

impl Place {
    /// Waits until the device has done what it was given.
    pub(crate) fn synchronize(self) {
        if let Device::Cuda(number) = self.device {
            tch::Cuda::synchronize(number as i64);
        }
    }
}

/// Trains for so many seconds and says how many samples a second went through, from the files to the changed weights.
///
/// # Errors
/// The training fails.
pub(crate) fn training_rate(encoded: &Encoded, batch_size: usize, place: Place, seconds: f64) -> Result<f64> {
    let mut experiment = with(encoded, batch_size, place);
    experiment.training.epochs = 1_000_000;
    experiment.training.patience = 1_000_000;
    let rows = encoded.dataset.train().rows();
    let mut clock = Clock::default();
    let result = trained(encoded, &experiment, place.device, &mut |progress| {
        if let Progress::Step { epoch, epoch_rows, step } = *progress {
            // A GPU may be behind: its work counts to the end where the clock starts, stops and leaves out validation.
            if step <= WARM || epoch_rows >= rows || clock.seconds_at(Instant::now()) >= seconds {
                place.synchronize();
            }
            clock.step(epoch, epoch_rows, step, Instant::now());
        }
        if clock.seconds >= seconds { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    match result {
        Err(TrainingError::Interrupted) => Ok(clock.rows as f64 / clock.seconds),
        Err(error) => Err(error.into()),
        Ok(_) => bail!("the training ended before it was measured"),
    }
}

/// Trains for at most so many epochs, keeps the best weights by validation, and measures the test rows.
///
/// # Errors
/// The training fails, or the test rows have no AUC.
pub(crate) fn test_auc(encoded: &Encoded, batch_size: usize, place: Place, epochs: u64, seed: u64) -> Result<f64> {
    let mut experiment = with(encoded, batch_size, place);
    (experiment.training.epochs, experiment.training.seed) = (epochs, seed);
    let auc = trained(encoded, &experiment, place.device, &mut |_| ControlFlow::Continue(()))?;
    auc.context("the test rows have no AUC")
}

fn with(encoded: &Encoded, batch_size: usize, place: Place) -> Experiment {
    let mut experiment = encoded.experiment.clone();
    experiment.training.batch_size = batch_size;
    experiment.training.threads = Some(usize::from(place.threads));
    experiment.training.precision = place.precision;
    experiment
}

fn trained(
    encoded: &Encoded,
    experiment: &Experiment,
    device: Device,
    observer: &mut dyn FnMut(&Progress<'_>) -> ControlFlow<()>,
) -> Result<Option<f64>, TrainingError> {
    let place = tempfile::tempdir().map_err(|cause| TrainingError::Io {
        action: "create a folder in",
        path: std::env::temp_dir(),
        cause,
    })?;
    let folder = RunFolder::create(&place.path().join("run"))?;
    let request = TrainRequest { experiment, dataset: &encoded.dataset, device, folder: &folder, resume: false };
    Ok(train(&request, observer)?.report.test.and_then(|test| test.auc))
}

/// A model with its first weights, which scores as fast as a trained one.
///
/// # Errors
/// The model is refused.
pub(crate) fn model(encoded: &Encoded) -> Result<(Box<dyn Model>, nn::VarStore)> {
    let variables = nn::VarStore::new(Device::Cpu);
    let space = FeatureSpace::of(encoded.dataset.encoders());
    Ok((encoded.experiment.model.build(&variables.root(), &space)?, variables))
}

/// Evaluates the training rows for so many seconds, metrics included, and says how many a second.
///
/// # Errors
/// The model refuses a batch.
pub(crate) fn scoring_rate(encoded: &Encoded, model: &dyn Model, seconds: f64) -> Result<f64> {
    let split = encoded.dataset.train();
    let plan = EvaluationPlan {
        model,
        device: Device::Cpu,
        split,
        batch_size: 4096,
        order: Order::Sequential,
        limit: u64::MAX,
    };
    let start = Instant::now();
    let mut rows = 0;
    while start.elapsed().as_secs_f64() < seconds {
        evaluate_split(&plan, &mut |_| ControlFlow::Continue(()))?;
        rows += split.rows();
    }
    Ok(rows as f64 / start.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp, reason = "these numbers are exact")]
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_first_steps_and_the_time_between_epochs_do_not_count() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut clock = Clock::default();
        for step in 1..=WARM {
            clock.step(1, 10 * step, step, at(step));
        }
        assert_eq!((clock.rows, clock.seconds), (0, 0.0));
        clock.step(1, 10 * (WARM + 1), WARM + 1, at(WARM + 3));
        assert_eq!((clock.rows, clock.seconds), (10, 3.0));
        clock.step(2, 10, WARM + 2, at(100));
        assert_eq!((clock.rows, clock.seconds), (10, 3.0), "validation lay between");
        clock.step(2, 25, WARM + 3, at(102));
        assert_eq!((clock.rows, clock.seconds), (25, 5.0));
        assert_eq!(clock.seconds_at(at(106)), 9.0);
    }
}
