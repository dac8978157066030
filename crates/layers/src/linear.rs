//! An affine map.

use fain_autograd::take_back_threads;
use tch::{Tensor, nn};

use crate::LayerError;
use crate::error::check_shape;

/// Before a map of as many weights two threads are taken back from an auxiliary loss: in training it takes one of them some
/// 18 microseconds a row. Networks of 512-256 on top of DIEN are faster without that, those of 2,048-1,024 as fast.
const LARGE: usize = 1 << 19;

/// `y = x Wᵀ + b`.
///
/// Weight and bias are drawn as PyTorch's `Linear` draws them: uniform in `±1/√inputs`.
/// Parameters: `weight` `[outputs, inputs]`, `bias` `[outputs]`.
#[derive(Debug)]
pub struct Linear {
    weight: Tensor,
    bias: Tensor,
}

impl Linear {
    /// Registers weight and bias under `variables`.
    ///
    /// # Errors
    /// [`LayerError::Config`] when a width is not positive.
    pub fn new(variables: &nn::Path<'_>, inputs: i64, outputs: i64) -> Result<Self, LayerError> {
        for (field, value) in [("inputs", inputs), ("outputs", outputs)] {
            if value < 1 {
                return Err(LayerError::Config { field, value: value.to_string(), allowed: "at least 1" });
            }
        }
        let bound = 1.0 / (inputs as f64).sqrt();
        let init = nn::Init::Uniform { lo: -bound, up: bound };
        Ok(Self {
            weight: variables.f_var("weight", &[outputs, inputs], init)?,
            bias: variables.f_var("bias", &[outputs], init)?,
        })
    }

    /// `[outputs, inputs]`.
    pub fn weight(&self) -> &Tensor {
        &self.weight
    }

    /// `[outputs]`.
    pub fn bias(&self) -> &Tensor {
        &self.bias
    }

    /// # Shapes
    /// - `input` `[B, inputs]` → `[B, outputs]`
    ///
    /// # Errors
    /// [`LayerError::Shape`] when the width differs.
    pub fn forward(&self, input: &Tensor) -> Result<Tensor, LayerError> {
        check_shape("input", input, &[None, Some(self.weight.size()[1])], "[B, inputs]")?;
        // The more others there are, the sooner they are done with what was left to them, and the more they would help here.
        let others = usize::try_from(tch::get_num_threads() - 1).unwrap_or(0);
        if self.weight.numel().saturating_mul(others * others) >= LARGE {
            take_back_threads();
        }
        Ok(input.f_linear(&self.weight, Some(&self.bias))?)
    }
}
