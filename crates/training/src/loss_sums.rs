//! Losses summed over steps.

use fain_autograd::{slice, slice_mut, upload};
use tch::{Device, Kind, Tensor};

use crate::TrainingError;
use crate::checkpoint::LossSum;

/// A loss of a step.
#[derive(Debug, Clone, Copy)]
pub(crate) enum StepLoss {
    Click,
    Auxiliary,
}

/// Losses times rows since the last evaluation; on the device, so that a step waits for nothing.
#[derive(Debug)]
pub(crate) struct LossSums {
    /// Click loss and auxiliary loss, `[2]`.
    sums: Tensor,
}

impl LossSums {
    pub(crate) fn new(start: LossSum, device: Device) -> Result<Self, TrainingError> {
        let sums = [start.click, start.auxiliary.unwrap_or_default()];
        Ok(Self { sums: upload(Tensor::f_from_slice(&sums)?, device)? })
    }

    /// Adds a loss, a scalar that is the mean of `rows`.
    pub(crate) fn add(&mut self, which: StepLoss, loss: &Tensor, rows: usize) -> Result<(), TrainingError> {
        let place = which as usize;
        if self.sums.device() == Device::Cpu {
            let loss = match slice::<f32>(loss) {
                Ok(&[loss]) => f64::from(loss),
                _ => loss.f_double_value(&[])?,
            };
            slice_mut::<f64>(&mut self.sums)?[place] += loss * rows as f64;
            return Ok(());
        }
        let weighted = loss.f_detach()?.f_to_kind(Kind::Double)?.f_mul_scalar(rows as f64)?;
        let _ = self.sums.f_get(place as i64)?.f_add_(&weighted)?;
        Ok(())
    }

    /// Waits for the device and reads click loss and auxiliary loss.
    pub(crate) fn read(&self) -> Result<[f64; 2], TrainingError> {
        let sums = Vec::<f64>::try_from(&self.sums)?;
        Ok([sums[0], sums[1]])
    }

    pub(crate) fn clear(&mut self) -> Result<(), TrainingError> {
        let _ = self.sums.f_zero_()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test fails by panicking; the sums are exact")]
    use super::*;

    #[test]
    fn losses_of_either_kind_are_summed_by_rows() {
        let start = LossSum { click: 1.0, auxiliary: None, rows: 2 };
        let mut sums = LossSums::new(start, Device::Cpu).unwrap();
        let loss = (Tensor::from_slice(&[0.5f32]) * 1.0).squeeze_dim(0).set_requires_grad(true);
        sums.add(StepLoss::Click, &(&loss * 1.0), 4).unwrap();
        sums.add(StepLoss::Auxiliary, &Tensor::from(0.25f64), 8).unwrap();
        sums.add(StepLoss::Auxiliary, &loss, 2).unwrap();
        assert_eq!(sums.read().unwrap(), [3.0, 3.0]);
        sums.clear().unwrap();
        assert_eq!(sums.read().unwrap(), [0.0, 0.0]);
    }
}
