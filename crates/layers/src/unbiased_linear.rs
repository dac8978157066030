//! A linear map without a bias.

use tch::{Tensor, nn};

use crate::LayerError;
use crate::error::check_shape;

/// `y = x Wᵀ`.
///
/// Drawn as PyTorch's `Linear` draws its weight: uniform in `±1/√inputs`.
/// Parameter: `weight` `[outputs, inputs]`.
#[derive(Debug)]
pub(crate) struct UnbiasedLinear {
    weight: Tensor,
}

impl UnbiasedLinear {
    /// The widths are positive: the caller checked them.
    pub(crate) fn new(variables: &nn::Path<'_>, inputs: i64, outputs: i64) -> Result<Self, LayerError> {
        let bound = 1.0 / (inputs as f64).sqrt();
        let init = nn::Init::Uniform { lo: -bound, up: bound };
        Ok(Self { weight: variables.f_var("weight", &[outputs, inputs], init)? })
    }

    /// `[B, inputs]` → `[B, outputs]`
    pub(crate) fn forward(&self, input: &Tensor) -> Result<Tensor, LayerError> {
        check_shape("input", input, &[None, Some(self.weight.size()[1])], "[B, inputs]")?;
        Ok(input.f_linear(&self.weight, None::<&Tensor>)?)
    }
}
