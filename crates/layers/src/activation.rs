//! The activations a hidden layer may have.

use serde::{Deserialize, Serialize};
use tch::{Tensor, nn};

use crate::{Dice, DiceVariant, Execution, LayerError, Mode};

/// The activation of a hidden layer, as written in a config.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivationConfig {
    /// `max(0, x)`.
    Relu,
    /// `max(0, x) + 0.01·min(0, x)`, as in BST.
    LeakyRelu,
    /// `max(0, x) + a·min(0, x)` with one learned slope, started at 0.25, as PyTorch's `PReLU`.
    Prelu,
    /// As [`ActivationConfig::Prelu`] with one slope for each unit, started at 0.1, as in the DIEN authors' code.
    PreluPerUnit,
    /// `1 / (1 + e^(−x))`.
    Sigmoid,
    /// [`Dice`] as in the paper.
    Dice,
    /// [`Dice`] with a learned scale and shift.
    DiceAffine,
    /// [`Dice`] by the statistics of each row, as in torch-rechub.
    DicePerSample,
    /// `x`.
    Linear,
}

/// A built activation.
#[derive(Debug)]
#[non_exhaustive]
pub enum Activation {
    /// `max(0, x)`.
    Relu,
    /// `max(0, x) + 0.01·min(0, x)`.
    LeakyRelu,
    /// The learned slope, `[1]`, or one for each unit, `[H]`; parameter `weight`.
    Prelu(Tensor),
    /// The logistic function.
    Sigmoid,
    /// Data-adaptive PReLU.
    Dice(Dice),
    /// The identity.
    Linear,
}

impl Activation {
    /// Registers what the activation learns, for `channels` channels.
    ///
    /// # Errors
    /// [`LayerError::Config`] when `channels` is not positive.
    pub fn new(variables: &nn::Path<'_>, channels: i64, config: ActivationConfig) -> Result<Self, LayerError> {
        if channels < 1 {
            return Err(LayerError::Config { field: "channels", value: channels.to_string(), allowed: "at least 1" });
        }
        Ok(match config {
            ActivationConfig::Relu => Self::Relu,
            ActivationConfig::LeakyRelu => Self::LeakyRelu,
            ActivationConfig::Prelu => Self::Prelu(variables.f_var("weight", &[1], nn::Init::Const(0.25))?),
            ActivationConfig::PreluPerUnit => {
                Self::Prelu(variables.f_var("weight", &[channels], nn::Init::Const(0.1))?)
            }
            ActivationConfig::Sigmoid => Self::Sigmoid,
            ActivationConfig::Dice => Self::Dice(Dice::new(variables, channels, DiceVariant::Paper)?),
            ActivationConfig::DiceAffine => Self::Dice(Dice::new(variables, channels, DiceVariant::Affine)?),
            ActivationConfig::DicePerSample => Self::Dice(Dice::new(variables, channels, DiceVariant::PerSample)?),
            ActivationConfig::Linear => Self::Linear,
        })
    }

    /// Chooses how it is computed.
    #[must_use]
    pub fn with_execution(self, execution: Execution) -> Self {
        match self {
            Self::Dice(dice) => Self::Dice(dice.with_execution(execution)),
            other => other,
        }
    }

    /// As [`Dice::check_rows`]; the others take batches of any size.
    ///
    /// # Errors
    /// Those of [`Dice::check_rows`].
    pub fn check_rows(&self, rows: i64, mode: Mode) -> Result<(), LayerError> {
        match self {
            Self::Dice(dice) => dice.check_rows(rows, mode),
            Self::Relu | Self::LeakyRelu | Self::Prelu(_) | Self::Sigmoid | Self::Linear => Ok(()),
        }
    }

    /// # Shapes
    /// - `input` `[B, H]` → `[B, H]`
    ///
    /// # Errors
    /// Those of [`Dice::forward`].
    pub fn forward(&self, input: Tensor, mode: Mode) -> Result<Tensor, LayerError> {
        Ok(match self {
            Self::Relu => input.f_relu()?,
            Self::LeakyRelu => input.f_leaky_relu()?,
            Self::Prelu(slope) => input.f_prelu(slope)?,
            Self::Sigmoid => input.f_sigmoid()?,
            Self::Dice(dice) => dice.forward(&input, mode)?,
            Self::Linear => input,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use tch::Device;

    use super::*;

    /// The activations without state, at −2, 0 and 3.
    #[test]
    fn values_are_those_of_the_formulas() {
        let logistic = |x: f64| 1.0 / (1.0 + (-x).exp());
        for (name, expected) in [
            ("relu", [0.0, 0.0, 3.0]),
            ("leaky_relu", [-0.02, 0.0, 3.0]),
            ("prelu", [-0.5, 0.0, 3.0]),
            ("prelu_per_unit", [-0.2, 0.0, 3.0]),
            ("sigmoid", [logistic(-2.0), 0.5, logistic(3.0)]),
            ("linear", [-2.0, 0.0, 3.0]),
        ] {
            let mut variables = nn::VarStore::new(Device::Cpu);
            let config = serde_json::from_value(name.into()).unwrap();
            let activation = Activation::new(&variables.root(), 1, config).unwrap();
            variables.double();
            let input = Tensor::from_slice(&[-2.0, 0.0, 3.0]).reshape([3, 1]);
            let output = activation.forward(input, Mode::Training).unwrap().detach();
            let output = Vec::<f64>::try_from(output.reshape([-1])).unwrap();
            assert!(
                output.iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 1e-8),
                "{name}: {output:?}"
            );
        }
    }
}
