//! Layer normalisation.

use fain_autograd::widened;
use tch::{Tensor, nn};

use crate::LayerError;
use crate::error::check_shape;

/// Added to the variance, as in PyTorch.
const EPSILON: f64 = 1e-5;

/// Normalises each row by its own mean and variance; a learned scale and shift follow.
///
/// `y = (x − mean(x)) / √(var(x) + 1e-5) · weight + bias` with the biased variance, Layer Normalization, eq. (4),
/// <https://arxiv.org/abs/1607.06450>. No row depends on another, in training as in evaluation.
/// Parameters: `weight` `[D]`, started at 1, and `bias` `[D]`, started at 0.
#[derive(Debug)]
pub struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
}

impl LayerNorm {
    /// Registers scale and shift for rows of width `width`.
    ///
    /// # Errors
    /// [`LayerError::Config`] when `width` is not positive.
    pub fn new(variables: &nn::Path<'_>, width: i64) -> Result<Self, LayerError> {
        if width < 1 {
            return Err(LayerError::Config { field: "width", value: width.to_string(), allowed: "at least 1" });
        }
        Ok(Self {
            weight: variables.f_var("weight", &[width], nn::Init::Const(1.0))?,
            bias: variables.f_var("bias", &[width], nn::Init::Const(0.0))?,
        })
    }

    /// Under autocast, statistics and result are float32.
    ///
    /// # Shapes
    /// - `input` `[N, D]` → `[N, D]`
    ///
    /// # Errors
    /// [`LayerError::Shape`] when the width differs.
    pub fn forward(&self, input: &Tensor) -> Result<Tensor, LayerError> {
        let width = self.weight.size()[0];
        check_shape("input", input, &[None, Some(width)], "[N, D]")?;
        Ok(widened(input)?.f_layer_norm(width, Some(&self.weight), Some(&self.bias), EPSILON, false)?)
    }
}
