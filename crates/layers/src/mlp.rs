//! A stack of hidden layers.

use serde::{Deserialize, Serialize};
use tch::{Tensor, nn};

use crate::dropout::check_share;
use crate::{Activation, ActivationConfig, BatchNorm, BatchNormConfig, LayerError, Linear, Mode, dropout};

/// The hidden layers of an [`Mlp`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MlpConfig {
    /// Width of each hidden layer, at least one.
    pub hidden: Vec<i64>,
    /// What follows each of them.
    pub activation: ActivationConfig,
    /// Whether batch normalisation stands before each activation.
    pub batch_norm: bool,
    /// Share of each layer's outputs that dropout sets to zero in training, at least 0 and below 1.
    pub dropout: f64,
}

impl Default for MlpConfig {
    /// 200 and 80 hidden units with Dice: the network of the DIN paper.
    fn default() -> Self {
        Self { hidden: vec![200, 80], activation: ActivationConfig::Dice, batch_norm: false, dropout: 0.0 }
    }
}

impl MlpConfig {
    /// # Errors
    /// [`LayerError::Config`] when there is no hidden layer, a width is not positive, or `dropout` is out of bounds.
    pub fn check(&self) -> Result<(), LayerError> {
        if self.hidden.is_empty() || self.hidden.iter().any(|&width| width < 1) {
            let value = format!("{:?}", self.hidden);
            return Err(LayerError::Config { field: "hidden", value, allowed: "one or more widths, each at least 1" });
        }
        check_share("dropout", self.dropout)
    }
}

#[derive(Debug)]
struct Layer {
    dense: Linear,
    norm: Option<BatchNorm>,
    activation: Activation,
}

/// Hidden layers: dense, batch normalisation (if asked for), activation, dropout; once per width.
///
/// Parameters: `dense{i}`, `batchnorm{i}`, `activation{i}`.
#[derive(Debug)]
pub struct Mlp {
    layers: Vec<Layer>,
    dropout: f64,
    outputs: i64,
}

impl Mlp {
    /// Registers the layers for inputs of width `inputs`.
    ///
    /// # Errors
    /// Those of [`MlpConfig::check`]; no variable is registered then.
    pub fn new(variables: &nn::Path<'_>, inputs: i64, config: &MlpConfig) -> Result<Self, LayerError> {
        config.check()?;
        let mut layers = Vec::with_capacity(config.hidden.len());
        let mut width = inputs;
        for (index, &next) in config.hidden.iter().enumerate() {
            let dense = Linear::new(&(variables / format!("dense{index}")), width, next)?;
            let norm = config
                .batch_norm
                .then(|| BatchNorm::new(&(variables / format!("batchnorm{index}")), next, BatchNormConfig::default()))
                .transpose()?;
            let activation = Activation::new(&(variables / format!("activation{index}")), next, config.activation)?;
            layers.push(Layer { dense, norm, activation });
            width = next;
        }
        Ok(Self { layers, dropout: config.dropout, outputs: width })
    }

    /// Width of the last hidden layer.
    pub fn outputs(&self) -> i64 {
        self.outputs
    }

    /// The dense map of the first layer.
    pub fn first(&self) -> &Linear {
        &self.layers[0].dense
    }

    /// # Shapes
    /// - `input` `[B, inputs]` → `[B, outputs]`
    ///
    /// # Errors
    /// [`LayerError::Shape`] when the width differs; [`LayerError::TooFewRows`] where batch statistics need more rows.
    pub fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor, LayerError> {
        self.forward_from_first(self.first().forward(input)?, mode)
    }

    /// Goes on from the first dense map's result, for callers that compute it in their own way.
    ///
    /// # Shapes
    /// - `first` `[B, hidden[0]]` → `[B, outputs]`
    ///
    /// # Errors
    /// As [`Mlp::forward`].
    pub fn forward_from_first(&self, first: Tensor, mode: Mode) -> Result<Tensor, LayerError> {
        let mut hidden = first;
        for (index, layer) in self.layers.iter().enumerate() {
            if index > 0 {
                hidden = layer.dense.forward(&hidden)?;
            }
            if let Some(norm) = &layer.norm {
                hidden = norm.forward(&hidden, mode)?;
            }
            hidden = dropout(layer.activation.forward(hidden, mode)?, self.dropout, mode)?;
        }
        Ok(hidden)
    }
}
