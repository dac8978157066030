//! Batch normalisation.

mod fused;

use fain_autograd::{slice, slice_mut, widened};
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor, nn};

use crate::error::check_shape;
use crate::number::Number;
use crate::{Execution, LayerError, Mode};
use fused::Operands;

/// Which variance of a batch goes into the running one. The batch itself is normalised by the biased one in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunningVariance {
    /// `Σ (x − mean)² / (B − 1)`, as in PyTorch; it takes two rows.
    #[default]
    Unbiased,
    /// `Σ (x − mean)² / B`, as in Keras; of one row it is 0.
    Biased,
}

/// How a [`BatchNorm`] normalises.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchNormConfig {
    /// Added to the variance. PyTorch's default is `1e-5`; Dice uses `1e-8`.
    pub epsilon: f64,
    /// The share of the batch in the running statistics: `running = (1 − momentum) · running + momentum · batch`.
    pub momentum: f64,
    /// Whether a learned scale and shift follow.
    pub affine: bool,
    /// Which variance the running one takes.
    pub variance: RunningVariance,
}

impl Default for BatchNormConfig {
    fn default() -> Self {
        Self { epsilon: 1e-5, momentum: 0.1, affine: true, variance: RunningVariance::Unbiased }
    }
}

impl BatchNormConfig {
    /// The defaults of Keras: epsilon 1e-3, momentum 0.01 (0.99 in Keras' sense, the share that stays), and a running
    /// variance that takes the biased one.
    pub fn keras() -> Self {
        Self { epsilon: 1e-3, momentum: 0.01, affine: true, variance: RunningVariance::Biased }
    }

    /// How many rows a batch must have for its statistics.
    fn rows(self) -> i64 {
        match self.variance {
            RunningVariance::Unbiased => 2,
            RunningVariance::Biased => 1,
        }
    }
}

/// Normalises each channel by the statistics of the batch (training) or by the running ones (evaluation).
///
/// The batch is normalised by its biased variance; which one the running variance takes, [`RunningVariance`] says.
/// Batch Normalization, algorithm 1, <https://arxiv.org/abs/1502.03167>.
/// Parameters: `weight`, `bias` (when affine); buffers: `running_mean`, `running_var`, all `[H]`.
#[derive(Debug)]
pub struct BatchNorm {
    weight: Option<Tensor>,
    bias: Option<Tensor>,
    running_mean: Tensor,
    running_var: Tensor,
    config: BatchNormConfig,
    execution: Execution,
}

impl BatchNorm {
    /// Registers parameters and buffers for `channels` channels.
    ///
    /// # Errors
    /// [`LayerError::Config`] when `channels` is not positive, `epsilon` is negative or `momentum` is outside 0 to 1.
    pub fn new(variables: &nn::Path<'_>, channels: i64, config: BatchNormConfig) -> Result<Self, LayerError> {
        let refuse = |field, value: String, allowed| Err(LayerError::Config { field, value, allowed });
        if channels < 1 {
            return refuse("channels", channels.to_string(), "at least 1");
        }
        if !(config.epsilon >= 0.0 && config.epsilon.is_finite()) {
            return refuse("epsilon", config.epsilon.to_string(), "at least 0");
        }
        if !(0.0..=1.0).contains(&config.momentum) {
            return refuse("momentum", config.momentum.to_string(), "0 to 1");
        }
        let size = [channels];
        let affine = config.affine;
        Ok(Self {
            weight: affine.then(|| variables.f_var("weight", &size, nn::Init::Const(1.0))).transpose()?,
            bias: affine.then(|| variables.f_var("bias", &size, nn::Init::Const(0.0))).transpose()?,
            running_mean: variables.f_zeros_no_train("running_mean", &size)?,
            running_var: variables.f_ones_no_train("running_var", &size)?,
            config,
            execution: Execution::default(),
        })
    }

    /// Chooses how it is computed.
    #[must_use]
    pub fn with_execution(mut self, execution: Execution) -> Self {
        self.execution = execution;
        self
    }

    /// Whether a batch of `rows` rows has statistics, for callers that compute something else before.
    ///
    /// # Errors
    /// [`LayerError::TooFewRows`], as [`BatchNorm::forward`].
    pub fn check_rows(&self, rows: i64, mode: Mode) -> Result<(), LayerError> {
        let needed = self.config.rows();
        if mode.is_training() && rows < needed {
            return Err(LayerError::TooFewRows { layer: "batch normalisation", rows, needed });
        }
        Ok(())
    }

    /// Under autocast, statistics and result are float32.
    ///
    /// # Shapes
    /// - `input` `[B, H]` → `[B, H]`
    ///
    /// # Errors
    /// [`LayerError::TooFewRows`] in training, for fewer than two rows with [`RunningVariance::Unbiased`], for none with
    /// [`RunningVariance::Biased`]; [`LayerError::Shape`] when the width differs.
    pub fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor, LayerError> {
        let input = &widened(input)?;
        match self.fused(input, None, mode)? {
            Some(output) => Ok(output),
            None => self.plain(input, mode),
        }
    }

    /// The normalised input, or [`crate::Dice`] of it with this `α`, in one function; `None` where it does not apply.
    pub(crate) fn fused(
        &self,
        input: &Tensor,
        alpha: Option<&Tensor>,
        mode: Mode,
    ) -> Result<Option<Tensor>, LayerError> {
        check_shape("input", input, &[None, Some(self.running_mean.size()[0])], "[B, H]")?;
        self.check_rows(input.size()[0], mode)?;
        let operands = Operands {
            statistics: (!mode.is_training()).then_some((&self.running_mean, &self.running_var)),
            scale: self.weight.as_ref(),
            shift: self.bias.as_ref(),
            alpha,
        };
        if self.execution == Execution::Plain || !fused::applies(input, operands) {
            return Ok(None);
        }
        let normalized = fused::forward(input, self.config.epsilon, operands)?;
        if let Some((mean, variance)) = normalized.statistics {
            self.move_towards(&mean, &variance, input.size()[0])?;
        }
        Ok(Some(normalized.output))
    }

    /// Moves the running statistics towards those of a batch: its means and biased variances, `[H]`, which a kernel has
    /// taken.
    pub(crate) fn move_towards(&self, mean: &Tensor, variance: &Tensor, rows: i64) -> Result<(), LayerError> {
        let share = match self.config.variance {
            RunningVariance::Biased => 1.0,
            RunningVariance::Unbiased => rows as f64 / (rows as f64 - 1.0),
        };
        let momentum = self.config.momentum;
        for (running, batch, share) in [(&self.running_mean, mean, 1.0), (&self.running_var, variance, share)] {
            match running.f_kind()? {
                Kind::Float => move_numbers::<f32>(running, batch, share, momentum)?,
                _ => move_numbers::<f64>(running, batch, share, momentum)?,
            }
        }
        Ok(())
    }

    /// Learned scale and shift, `[H]`.
    pub(crate) fn affine(&self) -> (Option<&Tensor>, Option<&Tensor>) {
        (self.weight.as_ref(), self.bias.as_ref())
    }

    /// Running mean and variance, `[H]`.
    pub(crate) fn running(&self) -> (&Tensor, &Tensor) {
        (&self.running_mean, &self.running_var)
    }

    pub(crate) fn epsilon(&self) -> f64 {
        self.config.epsilon
    }

    /// As libtorch has it; shape and rows are checked.
    fn plain(&self, input: &Tensor, mode: Mode) -> Result<Tensor, LayerError> {
        if mode.is_training() && self.config.variance == RunningVariance::Biased {
            // libtorch knows the unbiased variance only, so that it normalises and the statistics are taken here.
            let output = Tensor::f_batch_norm(
                input,
                self.weight.as_ref(),
                self.bias.as_ref(),
                None,
                None,
                true,
                0.0,
                self.config.epsilon,
                false,
            )?;
            tch::no_grad(|| {
                let (variance, mean) = input.f_var_mean_correction([0i64].as_slice(), 0, false)?;
                for (running, batch) in [(&self.running_mean, mean), (&self.running_var, variance)] {
                    let _moved = running.shallow_clone().f_lerp_(&batch, self.config.momentum)?;
                }
                Ok::<_, LayerError>(())
            })?;
            return Ok(output);
        }
        Ok(Tensor::f_batch_norm(
            input,
            self.weight.as_ref(),
            self.bias.as_ref(),
            Some(&self.running_mean),
            Some(&self.running_var),
            mode.is_training(),
            self.config.momentum,
            self.config.epsilon,
            false,
        )?)
    }
}

/// `running += momentum · (share · batch − running)`.
fn move_numbers<T: Number>(running: &Tensor, batch: &Tensor, share: f64, momentum: f64) -> Result<(), LayerError> {
    let (share, momentum) = (T::of(share), T::of(momentum));
    let mut running = running.shallow_clone();
    for (running, &batch) in slice_mut::<T>(&mut running)?.iter_mut().zip(slice::<T>(batch)?) {
        *running += momentum * (share * batch - *running);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use tch::{Device, Kind};

    use super::*;

    fn numbers(tensor: &Tensor) -> Vec<f64> {
        Vec::<f64>::try_from(tensor.detach().to_kind(Kind::Double).reshape([-1])).unwrap()
    }

    fn near(got: &Tensor, expected: &[f64]) {
        let got = numbers(got);
        assert_eq!(got.len(), expected.len());
        for (got, expected) in got.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-12, "{got} {expected}");
        }
    }

    /// A layer in float64 for two channels.
    fn layer(config: BatchNormConfig) -> (nn::VarStore, BatchNorm) {
        let mut store = nn::VarStore::new(Device::Cpu);
        let norm = BatchNorm::new(&store.root(), 2, config).unwrap();
        store.double();
        (store, norm)
    }

    #[test]
    fn the_running_variance_takes_the_variance_that_is_asked_for() {
        // Channel means 2 and 6, biased variances 2/3 and 32/3, unbiased ones 1 and 16.
        let input = Tensor::from_slice(&[1.0, 2.0, 2.0, 6.0, 3.0, 10.0]).reshape([3, 2]);
        for (variance, expected) in [
            (RunningVariance::Unbiased, [0.75 + 0.25, 0.75 + 0.25 * 16.0]),
            (RunningVariance::Biased, [0.75 + 0.25 * 2.0 / 3.0, 0.75 + 0.25 * 32.0 / 3.0]),
        ] {
            let (_store, norm) = layer(BatchNormConfig { epsilon: 0.0, momentum: 0.25, affine: true, variance });
            let output = norm.forward(&input, Mode::Training).unwrap();
            let (small, large) = (1.5f64.sqrt(), 4.0 / (32.0f64 / 3.0).sqrt());
            near(&output, &[-small, -large, 0.0, 0.0, small, large]);
            near(&norm.running_mean, &[0.5, 1.5]);
            near(&norm.running_var, &expected);
            let evaluated = norm.forward(&input, Mode::Evaluation).unwrap();
            let first = [(1.0 - 0.5) / expected[0].sqrt(), (2.0 - 1.5) / expected[1].sqrt()];
            near(&evaluated.get(0), &first);
            near(&norm.running_mean, &[0.5, 1.5]);
        }
    }

    #[test]
    fn the_two_variances_normalise_a_batch_alike_forward_and_backward() {
        let results: Vec<(Vec<f64>, Vec<f64>, Vec<f64>)> = [RunningVariance::Unbiased, RunningVariance::Biased]
            .into_iter()
            .map(|variance| {
                let (store, norm) = layer(BatchNormConfig { variance, ..BatchNormConfig::keras() });
                let input = Tensor::from_slice(&[1.0, -2.0, 0.5, 4.0, 3.0, 1.0]).reshape([3, 2]);
                let input = input.set_requires_grad(true);
                let output = norm.forward(&input, Mode::Training).unwrap();
                output.pow_tensor_scalar(3).sum(Kind::Double).backward();
                (numbers(&output), numbers(&input.grad()), numbers(&store.variables()["weight"].grad()))
            })
            .collect();
        assert_eq!(results[0], results[1]);
        assert!(results[0].1.iter().all(|slope| slope.abs() > 1e-6), "{:?}", results[0].1);
    }

    #[test]
    fn one_row_has_a_biased_variance_of_zero() {
        let (_store, norm) = layer(BatchNormConfig::keras());
        let input = Tensor::from_slice(&[3.0, -5.0]).reshape([1, 2]);
        near(&norm.forward(&input, Mode::Training).unwrap(), &[0.0, 0.0]);
        near(&norm.running_mean, &[0.03, -0.05]);
        near(&norm.running_var, &[0.99, 0.99]);
        let none = Tensor::zeros([0, 2], (Kind::Double, Device::Cpu));
        let error = norm.forward(&none, Mode::Training).unwrap_err();
        assert!(matches!(error, LayerError::TooFewRows { rows: 0, needed: 1, .. }), "{error}");
        assert_eq!(norm.forward(&none, Mode::Evaluation).unwrap().size(), [0, 2]);
    }
}
