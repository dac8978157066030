//! A dense layer over the numbers of a sample.

use fain_autograd::widened;
use fain_layers::Linear;
use serde::{Deserialize, Serialize};
use tch::{Tensor, nn};

use crate::{FeatureSpace, ModelError, SpaceKind};

/// The settings of a [`NumberProjection`]: `[model.numbers]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberConfig {
    /// Outputs of the dense layer, at least 1.
    pub width: i64,
}

/// All numbers of a sample through one dense layer and ReLU, so that a handful of numbers weighs as much as a vector.
///
/// Parameters: `weight` `[W, numbers]`, `bias` `[W]`.
#[derive(Debug)]
pub struct NumberProjection {
    dense: Linear,
}

impl NumberConfig {
    /// # Errors
    /// [`ModelError::Config`] when the width is not positive or the schema has no number.
    pub(crate) fn check(self, space: &FeatureSpace) -> Result<(), ModelError> {
        let refuse = |key: &str, value: String, allowed: &str| {
            Err(ModelError::Config { key: key.to_owned(), value, allowed: allowed.to_owned() })
        };
        if self.width < 1 {
            return refuse("model.numbers.width", self.width.to_string(), "at least 1");
        }
        if !space.features().iter().any(|feature| feature.kind == SpaceKind::Numeric) {
            return refuse("model.numbers", "set".to_owned(), "nothing, because the schema has no number");
        }
        Ok(())
    }
}

impl NumberProjection {
    /// Registers the layer for `inputs` numbers.
    ///
    /// # Errors
    /// [`ModelError::Layer`] when a width is not positive.
    pub fn new(variables: &nn::Path<'_>, inputs: i64, config: NumberConfig) -> Result<Self, ModelError> {
        Ok(Self { dense: Linear::new(variables, inputs, config.width)? })
    }

    /// Width of the block.
    pub fn outputs(&self) -> i64 {
        self.dense.weight().size()[0]
    }

    /// # Shapes
    /// - `numbers` `[B, numbers]` → `[B, W]`
    ///
    /// # Errors
    /// [`ModelError::Layer`] when the width differs.
    pub fn forward(&self, numbers: &Tensor) -> Result<Tensor, ModelError> {
        Ok(widened(&self.dense.forward(numbers)?.f_relu()?)?)
    }
}
