//! Dice, the activation of the Deep Interest Network.

use serde::{Deserialize, Serialize};
use tch::{Tensor, nn};

use crate::{BatchNorm, BatchNormConfig, LayerError, Mode};

/// Which published form of [`Dice`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiceVariant {
    /// Deep Interest Network, eq. (9): normalisation without a learned scale and shift.
    #[default]
    Paper,
    /// The normalisation has a learned scale and shift, as in many PyTorch programs.
    Affine,
}

/// Data-adaptive PReLU: the point where the slope changes follows the distribution of the input.
///
/// `p(x) = σ((x − E[x]) / √(Var[x] + ε))`, `y = p·x + (1 − p)·α·x`, with `ε = 1e-8`.
/// Deep Interest Network, eq. (8) and (9), <https://arxiv.org/abs/1706.06978>.
/// In evaluation the running statistics stand in for the batch's, as the paper says.
/// Parameters: `alpha` `[H]`, started at 0; the normalisation's under `bn`.
#[derive(Debug)]
pub struct Dice {
    alpha: Tensor,
    norm: BatchNorm,
}

impl Dice {
    /// Registers parameters and buffers for `channels` channels.
    ///
    /// # Errors
    /// [`LayerError::Config`] when `channels` is not positive.
    pub fn new(variables: &nn::Path<'_>, channels: i64, variant: DiceVariant) -> Result<Self, LayerError> {
        let config = BatchNormConfig { epsilon: 1e-8, momentum: 0.1, affine: variant == DiceVariant::Affine };
        let norm = BatchNorm::new(&(variables / "bn"), channels, config)?;
        Ok(Self { alpha: variables.f_var("alpha", &[channels], nn::Init::Const(0.0))?, norm })
    }

    /// # Shapes
    /// - `input` `[B, H]` → `[B, H]`
    ///
    /// # Errors
    /// [`LayerError::TooFewRows`] for fewer than two rows in training; [`LayerError::Shape`] when the width differs.
    pub fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor, LayerError> {
        let share = self.norm.forward(input, mode)?.f_sigmoid()?;
        // p·x + (1 − p)·α·x = (α + p·(1 − α))·x: one pass fewer over the input.
        let slope = share.f_mul(&self.alpha.f_neg()?.f_add_scalar(1.0)?)?.f_add(&self.alpha)?;
        Ok(slope.f_mul(input)?)
    }
}
