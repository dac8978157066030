//! A long short-term memory that reads histories in both directions.

use fain_autograd::{Precision, autocast, widened};
use serde::{Deserialize, Serialize};
use tch::{Tensor, nn};

use super::config::check_width;
use super::unroll::empty_states;
use crate::error::check_shape;
use crate::{Jagged, LayerError};

/// How the two directions become one output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Directions {
    /// `[forward, backward]`, of width `2H`.
    Concatenation,
    /// `forward + backward`, of width `H`, as between the sessions of Deep Session Interest Network,
    /// <https://arxiv.org/abs/1905.06482>.
    #[default]
    Sum,
}

/// The settings of a [`BiLstm`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BiLstmConfig {
    /// `H`, the width of one direction, at least 1.
    pub hidden: i64,
    /// How the directions are combined.
    pub directions: Directions,
}

impl Default for BiLstmConfig {
    fn default() -> Self {
        Self { hidden: 16, directions: Directions::default() }
    }
}

impl BiLstmConfig {
    /// # Errors
    /// [`LayerError::Config`] when `hidden` is not positive.
    pub fn check(&self) -> Result<(), LayerError> {
        check_width("hidden", self.hidden)
    }
}

/// A bidirectional LSTM over histories, as PyTorch's `LSTM` with one layer; both directions start from zeros.
///
/// `i, f, o = σ(W x + b + U h + c)` and `g = tanh(W x + b + U h + c)` with their own rows of the parameters,
/// `m' = f ∘ m + i ∘ g`, `h' = o ∘ tanh(m')`.
///
/// Parameters: `weight_ih_l0` `[4H, D]`, `weight_hh_l0` `[4H, H]`, `bias_ih_l0` `[4H]`, `bias_hh_l0` `[4H]`, each the
/// stack (i|f|g|o), drawn uniform in `±1/√H`; and the same with `_reverse` at the end.
#[derive(Debug)]
pub struct BiLstm {
    /// Weights and biases, forward ones first.
    parameters: Vec<Tensor>,
    inputs: i64,
    config: BiLstmConfig,
}

impl BiLstm {
    /// Registers the parameters for events of width `inputs`.
    ///
    /// # Errors
    /// [`LayerError::Config`] when a width is not positive; no variable is registered then.
    pub fn new(variables: &nn::Path<'_>, inputs: i64, config: BiLstmConfig) -> Result<Self, LayerError> {
        config.check()?;
        check_width("inputs", inputs)?;
        let hidden = config.hidden;
        let bound = 1.0 / (hidden as f64).sqrt();
        let init = nn::Init::Uniform { lo: -bound, up: bound };
        let mut parameters = Vec::with_capacity(8);
        for direction in ["", "_reverse"] {
            let mut register = |name: &str, size: &[i64]| -> Result<(), LayerError> {
                parameters.push(variables.f_var(&format!("{name}_l0{direction}"), size, init)?);
                Ok(())
            };
            register("weight_ih", &[4 * hidden, inputs])?;
            register("weight_hh", &[4 * hidden, hidden])?;
            register("bias_ih", &[4 * hidden])?;
            register("bias_hh", &[4 * hidden])?;
        }
        Ok(Self { parameters, inputs, config })
    }

    /// The width of the output: `H` or `2H`.
    pub fn outputs(&self) -> i64 {
        match self.config.directions {
            Directions::Concatenation => 2 * self.config.hidden,
            Directions::Sum => self.config.hidden,
        }
    }

    /// What the two directions have read at each event.
    ///
    /// # Shapes
    /// - `inputs` jagged `[N, D]` → jagged `[N, H]` or `[N, 2H]`
    ///
    /// # Errors
    /// [`LayerError::Shape`] when the width differs.
    pub fn forward(&self, inputs: &Jagged) -> Result<Jagged, LayerError> {
        let layout = inputs.layout();
        check_shape("inputs", inputs.values(), &[Some(layout.events()), Some(self.inputs)], "[N, D]")?;
        if layout.events() == 0 {
            let operands: Vec<&Tensor> = self.parameters.iter().chain([inputs.values()]).collect();
            return empty_states(inputs, self.outputs(), &operands);
        }
        // libtorch's autocast knows the LSTM in float16 alone, on CUDA; and a state is summed over many steps.
        let inputs = Jagged::new(widened(inputs.values())?, layout.clone())?;
        autocast(inputs.values().device(), Precision::Float32, || self.states(&inputs))?
    }

    /// There is at least one event.
    fn states(&self, inputs: &Jagged) -> Result<Jagged, LayerError> {
        let layout = inputs.layout();
        let packing = layout.packing()?;
        let samples = packing.samples().size()[0];
        let options = (inputs.kind(), inputs.values().device());
        let zeros = Tensor::f_zeros([2, samples, self.config.hidden], options)?;
        // libtorch wants the sizes on the host, whatever the device of the rest.
        let batch_sizes = Tensor::f_from_slice(packing.batch_sizes())?;
        let (both, _, _) = Tensor::f_lstm_data(
            &packing.pack(inputs.values())?,
            &batch_sizes,
            &[zeros.shallow_clone(), zeros],
            &self.parameters,
            true,
            1,
            0.0,
            false,
            true,
        )?;
        let both = packing.unpack(&both)?;
        let output = match self.config.directions {
            Directions::Concatenation => both,
            Directions::Sum => {
                let direction = |index: i64| both.f_narrow(1, index * self.config.hidden, self.config.hidden);
                direction(0)?.f_add(&direction(1)?)?
            }
        };
        Jagged::new(output, layout.clone())
    }
}
