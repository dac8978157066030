//! A stack of hidden layers.

mod chain;
mod function;
mod places;
mod statistics;

use chain::Start;
use fain_autograd::widened;
use serde::{Deserialize, Serialize};
use tch::{Tensor, nn};

use crate::dropout::check_share;
use crate::error::check_shape;
use crate::{Activation, ActivationConfig, BatchNorm, BatchNormConfig, Execution, LayerError, Linear, Mode, dropout};

/// Up to as many weights the first dense map is one function with what follows it: they stay in a core's second cache.
/// The products of larger ones are libtorch's.
const MOST_WEIGHTS: usize = 1 << 17;

/// How an [`Mlp`] normalises its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputNorm {
    /// Not at all.
    #[default]
    None,
    /// Batch normalisation by PyTorch's rules, [`BatchNormConfig::default`].
    BatchNorm,
    /// Batch normalisation by Keras' rules, [`BatchNormConfig::keras`]. It stands where the authors' code has `bn1`,
    /// which never learns of training there and so scales and shifts by what it has learned, without statistics.
    Keras,
}

impl InputNorm {
    fn config(self) -> Option<BatchNormConfig> {
        match self {
            Self::None => None,
            Self::BatchNorm => Some(BatchNormConfig::default()),
            Self::Keras => Some(BatchNormConfig::keras()),
        }
    }
}

/// The hidden layers of an [`Mlp`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MlpConfig {
    /// What happens to the input before the first layer.
    pub input_norm: InputNorm,
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
        Self {
            input_norm: InputNorm::None,
            hidden: vec![200, 80],
            activation: ActivationConfig::Dice,
            batch_norm: false,
            dropout: 0.0,
        }
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

/// Hidden layers: dense, batch normalisation (if asked for), activation, dropout; once per width. The input is
/// normalised before them if asked for.
///
/// Parameters: `input_norm`, `dense{i}`, `batchnorm{i}`, `activation{i}`.
#[derive(Debug)]
pub struct Mlp {
    input_norm: Option<BatchNorm>,
    layers: Vec<Layer>,
    dropout: f64,
    outputs: i64,
    execution: Execution,
}

impl Mlp {
    /// Registers the layers for inputs of width `inputs`.
    ///
    /// # Errors
    /// Those of [`MlpConfig::check`]; no variable is registered then.
    pub fn new(variables: &nn::Path<'_>, inputs: i64, config: &MlpConfig) -> Result<Self, LayerError> {
        config.check()?;
        if inputs < 1 {
            return Err(LayerError::Config { field: "inputs", value: inputs.to_string(), allowed: "at least 1" });
        }
        let input_norm = config
            .input_norm
            .config()
            .map(|norm| BatchNorm::new(&(variables / "input_norm"), inputs, norm))
            .transpose()?;
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
        Ok(Self { input_norm, layers, dropout: config.dropout, outputs: width, execution: Execution::default() })
    }

    /// Chooses how the layers are computed.
    #[must_use]
    pub fn with_execution(mut self, execution: Execution) -> Self {
        let norm = |norm: Option<BatchNorm>| norm.map(|norm| norm.with_execution(execution));
        self.execution = execution;
        self.input_norm = norm(self.input_norm);
        self.layers = self
            .layers
            .into_iter()
            .map(|layer| Layer {
                dense: layer.dense,
                norm: norm(layer.norm),
                activation: layer.activation.with_execution(execution),
            })
            .collect();
        self
    }

    /// Width of the last hidden layer.
    pub fn outputs(&self) -> i64 {
        self.outputs
    }

    /// The dense map of the first layer.
    pub fn first(&self) -> &Linear {
        &self.layers[0].dense
    }

    /// The dense maps, where the logistic function follows each of them and there is nothing else.
    pub(crate) fn logistic_layers(&self) -> Option<Vec<&Linear>> {
        let logistic = |layer: &Layer| layer.norm.is_none() && matches!(layer.activation, Activation::Sigmoid);
        let alone = self.input_norm.is_none() && self.dropout == 0.0 && self.layers.iter().all(logistic);
        alone.then(|| self.layers.iter().map(|layer| &layer.dense).collect())
    }

    /// Whether a batch of `rows` rows has statistics for all layers. A model asks before it runs layers that move their
    /// running statistics, so that a batch that is refused changes nothing.
    ///
    /// # Errors
    /// [`LayerError::TooFewRows`], as [`Mlp::forward`].
    pub fn check_rows(&self, rows: i64, mode: Mode) -> Result<(), LayerError> {
        self.input_norm.as_ref().map_or(Ok(()), |norm| norm.check_rows(rows, mode))?;
        self.check_layers(rows, mode)
    }

    fn check_layers(&self, rows: i64, mode: Mode) -> Result<(), LayerError> {
        for norm in self.layers.iter().filter_map(|layer| layer.norm.as_ref()) {
            norm.check_rows(rows, mode)?;
        }
        self.layers.iter().try_for_each(|layer| layer.activation.check_rows(rows, mode))
    }

    /// # Shapes
    /// - `input` `[B, inputs]` → `[B, outputs]`
    ///
    /// # Errors
    /// [`LayerError::Shape`] when the width differs; [`LayerError::TooFewRows`] where batch statistics need more rows.
    pub fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor, LayerError> {
        self.run_from_input(input, None, mode)
    }

    /// [`Mlp::forward`] and a dense map of it, in one function where that is faster.
    ///
    /// # Shapes
    /// - `input` `[B, inputs]` → `[B, outputs of the map]`
    ///
    /// # Errors
    /// As [`Mlp::forward`] and [`Linear::forward`].
    pub fn forward_to(&self, input: &Tensor, output: &Linear, mode: Mode) -> Result<Tensor, LayerError> {
        self.run_from_input(input, Some(output), mode)
    }

    /// Goes on from the first dense map's result, for callers that compute it in their own way. They would pass over a
    /// normalisation of the input, so there must be none.
    ///
    /// # Shapes
    /// - `first` `[B, hidden[0]]` → `[B, outputs]`
    ///
    /// # Errors
    /// As [`Mlp::forward`], and [`LayerError::Config`] when the input is to be normalised.
    pub fn forward_from_first(&self, first: Tensor, mode: Mode) -> Result<Tensor, LayerError> {
        self.refuse_input_norm()?;
        self.run_after_first(first, None, mode)
    }

    /// [`Mlp::forward_from_first`] and a dense map of it.
    pub(crate) fn forward_from_first_to(
        &self,
        first: Tensor,
        output: &Linear,
        mode: Mode,
    ) -> Result<Tensor, LayerError> {
        self.refuse_input_norm()?;
        self.run_after_first(first, Some(output), mode)
    }

    fn refuse_input_norm(&self) -> Result<(), LayerError> {
        if self.input_norm.is_some() {
            let allowed = "`none` where the caller computes the first layer";
            return Err(LayerError::Config { field: "input_norm", value: "set".to_owned(), allowed });
        }
        Ok(())
    }

    fn run_from_input(&self, input: &Tensor, output: Option<&Linear>, mode: Mode) -> Result<Tensor, LayerError> {
        let weight = self.first().weight();
        check_shape("input", input, &[None, Some(weight.size()[1])], "[B, inputs]")?;
        let normed = self.input_norm.as_ref().map(|norm| norm.forward(input, mode)).transpose()?;
        let input = normed.as_ref().unwrap_or(input);
        if weight.numel() <= MOST_WEIGHTS
            && let Some(result) = self.chained(&Start::Input(input), output, mode)?
        {
            return Ok(result);
        }
        self.run_after_first(self.first().forward(input)?, output, mode)
    }

    fn run_after_first(&self, first: Tensor, output: Option<&Linear>, mode: Mode) -> Result<Tensor, LayerError> {
        check_shape("input", &first, &[None, Some(self.first().weight().size()[0])], "[B, H]")?;
        if let Some(result) = self.chained(&Start::First(&first), output, mode)? {
            return Ok(result);
        }
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
        Ok(widened(&output.map_or(Ok(hidden.shallow_clone()), |output| output.forward(&hidden))?)?)
    }

    /// All layers as one function; `None` where they cannot be one.
    fn chained(&self, start: &Start<'_>, output: Option<&Linear>, mode: Mode) -> Result<Option<Tensor>, LayerError> {
        let random = self.dropout > 0.0 && mode.is_training();
        let fits = output.is_none_or(|output| output.weight().size()[1] == self.outputs);
        if self.execution != Execution::Auto || random || !fits {
            return Ok(None);
        }
        let (Start::Input(rows) | Start::First(rows)) = start;
        self.check_layers(rows.size()[0], mode)?;
        chain::forward(start, &self.layers, output, mode)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use tch::{Device, Kind};

    use super::*;

    fn numbers(tensor: &Tensor) -> Vec<f64> {
        Vec::<f64>::try_from(tensor.detach().to_kind(Kind::Double).reshape([-1])).unwrap()
    }

    /// One linear unit that adds its two inputs.
    fn sum_of_two(input_norm: InputNorm) -> (nn::VarStore, Mlp) {
        let mut store = nn::VarStore::new(Device::Cpu);
        let config =
            MlpConfig { input_norm, hidden: vec![1], activation: ActivationConfig::Linear, ..MlpConfig::default() };
        let mlp = Mlp::new(&store.root(), 2, &config).unwrap();
        store.double();
        let _ = tch::no_grad(|| store.variables()["dense0.weight"].shallow_clone().fill_(1.0));
        let _ = tch::no_grad(|| store.variables()["dense0.bias"].shallow_clone().zero_());
        (store, mlp)
    }

    #[test]
    fn the_input_is_normalised_before_the_first_layer() {
        let input = Tensor::from_slice(&[1.0, 20.0, 3.0, 60.0]).reshape([2, 2]);
        // Means 2 and 40, biased variances 1 and 400, unbiased ones 2 and 800.
        for (input_norm, epsilon, momentum, variances) in
            [(InputNorm::BatchNorm, 1e-5, 0.1, [2.0, 800.0]), (InputNorm::Keras, 1e-3, 0.01, [1.0, 400.0])]
        {
            let (store, mlp) = sum_of_two(input_norm);
            let output = numbers(&mlp.forward(&input, Mode::Training).unwrap());
            let expected = 1.0 / (1.0f64 + epsilon).sqrt() + 20.0 / (400.0f64 + epsilon).sqrt();
            assert!((output[0] + expected).abs() < 1e-12 && (output[1] - expected).abs() < 1e-12, "{output:?}");
            let running = numbers(&store.variables()["input_norm.running_var"]);
            for (running, variance) in running.iter().zip(variances) {
                assert!((running - (1.0 - momentum) - momentum * variance).abs() < 1e-9, "{running}");
            }
        }
        let (store, mlp) = sum_of_two(InputNorm::None);
        assert_eq!(numbers(&mlp.forward(&input, Mode::Training).unwrap()), [21.0, 63.0]);
        assert_eq!(store.len(), 2);
    }

    #[test]
    fn a_caller_of_the_first_layer_cannot_pass_over_the_norm() {
        let first = Tensor::from_slice(&[1.0]).reshape([1, 1]);
        let (_store, mlp) = sum_of_two(InputNorm::None);
        assert_eq!(numbers(&mlp.forward_from_first(first.shallow_clone(), Mode::Training).unwrap()), [1.0]);
        let (_store, mlp) = sum_of_two(InputNorm::Keras);
        let error = mlp.forward_from_first(first, Mode::Training).unwrap_err().to_string();
        assert!(error.starts_with("input_norm = set is not allowed"), "{error}");
    }

    #[test]
    fn widths_are_checked_before_anything_is_registered() {
        let store = nn::VarStore::new(Device::Cpu);
        let config = MlpConfig { input_norm: InputNorm::BatchNorm, ..MlpConfig::default() };
        let error = Mlp::new(&store.root(), 0, &config).unwrap_err().to_string();
        assert_eq!(error, "inputs = 0 is not allowed: at least 1");
        assert!(store.is_empty());
    }

    #[test]
    fn rows_are_refused_beforehand_as_they_are_later() {
        for (input_norm, batch_norm, activation, needed) in [
            (InputNorm::None, false, ActivationConfig::Relu, 0),
            (InputNorm::None, false, ActivationConfig::DicePerSample, 0),
            (InputNorm::None, false, ActivationConfig::Dice, 2),
            (InputNorm::None, true, ActivationConfig::Relu, 2),
            (InputNorm::BatchNorm, false, ActivationConfig::Relu, 2),
            (InputNorm::Keras, false, ActivationConfig::Relu, 1),
        ] {
            let store = nn::VarStore::new(Device::Cpu);
            let config = MlpConfig { input_norm, hidden: vec![3], activation, batch_norm, dropout: 0.0 };
            let mlp = Mlp::new(&store.root(), 2, &config).unwrap();
            for rows in 0..3 {
                let input = Tensor::zeros([rows, 2], (Kind::Float, Device::Cpu));
                let later = mlp.forward(&input, Mode::Training).map(|_| ()).map_err(|error| error.to_string());
                let beforehand = mlp.check_rows(rows, Mode::Training).map_err(|error| error.to_string());
                assert_eq!(beforehand, later, "{config:?} {rows}");
                assert_eq!(beforehand.is_ok(), rows >= needed, "{config:?} {rows}");
                assert!(mlp.check_rows(rows, Mode::Evaluation).is_ok());
            }
        }
    }
}
