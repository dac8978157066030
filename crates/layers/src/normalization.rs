//! Batch normalisation.

use serde::{Deserialize, Serialize};
use tch::{Tensor, nn};

use crate::error::check_shape;
use crate::{LayerError, Mode};

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
}

impl Default for BatchNormConfig {
    fn default() -> Self {
        Self { epsilon: 1e-5, momentum: 0.1, affine: true }
    }
}

/// Normalises each channel by the statistics of the batch (training) or by the running ones (evaluation).
///
/// The batch is normalised by its biased variance; the running variance takes the unbiased one, as in PyTorch.
/// Batch Normalization, algorithm 1, <https://arxiv.org/abs/1502.03167>.
/// Parameters: `weight`, `bias` (when affine); buffers: `running_mean`, `running_var`, all `[H]`.
#[derive(Debug)]
pub struct BatchNorm {
    weight: Option<Tensor>,
    bias: Option<Tensor>,
    running_mean: Tensor,
    running_var: Tensor,
    config: BatchNormConfig,
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
        })
    }

    /// # Shapes
    /// - `input` `[B, H]` → `[B, H]`
    ///
    /// # Errors
    /// [`LayerError::TooFewRows`] for fewer than two rows in training; [`LayerError::Shape`] when the width differs.
    pub fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor, LayerError> {
        check_shape("input", input, &[None, Some(self.running_mean.size()[0])], "[B, H]")?;
        let rows = input.size()[0];
        if mode.is_training() && rows < 2 {
            return Err(LayerError::TooFewRows { layer: "batch normalisation", rows });
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
