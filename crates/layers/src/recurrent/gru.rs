//! The gated recurrent unit.

use tch::{Tensor, nn};

use super::gated::Gated;
use super::update::Update;
use crate::{Execution, GruConfig, Jagged, LayerError};

/// A gated recurrent unit over histories: the interest extractor of DIEN.
///
/// `r = σ(W_r x + b_r + U_r h + c_r)`, `z = σ(W_z x + b_z + U_z h + c_z)`,
/// `n = tanh(W_n x + b_n + r ∘ (U_n h + c_n))`, `h' = (1 − z) ∘ n + z ∘ h`, as PyTorch's `GRU`; [`crate::ResetGate`] has
/// the other form of `n`. Deep Interest Evolution Network, eq. (2) to (5), <https://arxiv.org/abs/1809.03672>, calls
/// `1 − z` the update gate.
///
/// Parameters: `weight_ih` `[3H, D]`, `weight_hh` `[3H, H]`, and with biases `bias_ih` `[3H]`, `bias_hh` `[3H]`; each is
/// the stack (r|z|n).
#[derive(Debug)]
pub struct Gru(Gated);

impl Gru {
    /// Registers the parameters for events of width `inputs`.
    ///
    /// # Errors
    /// [`LayerError::Config`] when a width is not positive; no variable is registered then.
    pub fn new(variables: &nn::Path<'_>, inputs: i64, config: GruConfig) -> Result<Self, LayerError> {
        Ok(Self(Gated::new(variables, inputs, Update::<()>::Gru.gates(), config)?))
    }

    /// Chooses how it is computed.
    #[must_use]
    pub fn with_execution(self, execution: Execution) -> Self {
        Self(self.0.with_execution(execution))
    }

    /// `D`, the width of an event.
    pub fn inputs(&self) -> i64 {
        self.0.inputs
    }

    /// `H`, the width of the state.
    pub fn hidden(&self) -> i64 {
        self.0.hidden
    }

    /// The state after each event.
    ///
    /// # Shapes
    /// - `inputs` jagged `[N, D]`; `initial` `[B, H]`, zeros when absent
    /// - returns jagged `[N, H]`; a sample without events has no state in it
    ///
    /// # Errors
    /// [`LayerError::Shape`] when a width or a number of rows differs.
    pub fn forward(&self, inputs: &Jagged, initial: Option<&Tensor>) -> Result<Jagged, LayerError> {
        self.0.forward(inputs, Update::Gru, initial)
    }
}
