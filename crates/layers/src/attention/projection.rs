//! What the candidate goes through before the events are scored.

use fain_autograd::widened;
use tch::{Tensor, nn};

use crate::{Activation, ActivationConfig, LayerError, Linear, Mode};

/// A dense layer and a PReLU with one slope per unit.
#[derive(Debug)]
pub(super) struct Projection {
    dense: Linear,
    activation: Activation,
}

impl Projection {
    pub(super) fn new(variables: &nn::Path<'_>, inputs: i64, outputs: i64) -> Result<Self, LayerError> {
        let dense = Linear::new(&(variables / "dense"), inputs, outputs)?;
        let activation = Activation::new(&(variables / "activation"), outputs, ActivationConfig::PreluPerUnit)?;
        Ok(Self { dense, activation })
    }

    /// `[B, inputs]` → `[B, outputs]`.
    pub(super) fn forward(&self, candidate: &Tensor, mode: Mode) -> Result<Tensor, LayerError> {
        Ok(widened(&self.activation.forward(self.dense.forward(candidate)?, mode)?)?)
    }
}
