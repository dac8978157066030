//! Gated recurrent units that hear relevance scores.

use tch::{Tensor, nn};

use super::gated::Gated;
use super::recurrence::check_recurrence;
use super::update::Update;
use crate::{AttentionalGruConfig, AttentionalGruKind, Execution, Jagged, LayerError, Recurrence};

/// A gated recurrent unit that a relevance score steers at each event: the interest evolution of DIEN.
///
/// [`AttentionalGruKind`] has the equations. `r = σ(W_r x + b_r + U_r h + c_r)`, `u` likewise, and
/// `n = tanh(W_n x + b_n + r ∘ (U_n h + c_n))`; [`crate::ResetGate`] has the other form of `n`.
///
/// Parameters: `weight_ih` `[G·H, D]`, `weight_hh` `[G·H, H]`, and with biases `bias_ih` `[G·H]`, `bias_hh` `[G·H]`; each
/// is the stack (r|z|n) of AIGRU, (r|n) of AGRU, (u|r|n) of AUGRU. [`crate::GateOrder`] converts other stacks.
#[derive(Debug)]
pub struct AttentionalGru {
    gated: Gated,
    kind: AttentionalGruKind,
}

impl AttentionalGru {
    /// Registers the parameters for events of width `inputs`.
    ///
    /// # Errors
    /// [`LayerError::Config`] when a width is not positive; no variable is registered then.
    pub fn new(variables: &nn::Path<'_>, inputs: i64, config: AttentionalGruConfig) -> Result<Self, LayerError> {
        let gates = update(config.kind, ()).gates();
        Ok(Self { gated: Gated::new(variables, inputs, gates, config.gates())?, kind: config.kind })
    }

    /// Chooses how it is computed.
    #[must_use]
    pub fn with_execution(self, execution: Execution) -> Self {
        Self { gated: self.gated.with_execution(execution), ..self }
    }

    /// The inputs times their scores, where the scores do nothing else.
    fn scaled(&self, inputs: &Jagged, scores: &Tensor, initial: Option<&Tensor>) -> Result<Option<Jagged>, LayerError> {
        if self.kind != AttentionalGruKind::Aigru {
            return Ok(None);
        }
        // The product would stretch scores of another shape.
        check_recurrence(inputs, Some(scores), initial, self.gated.hidden)?;
        Jagged::new(inputs.values().f_mul(scores)?, inputs.layout().clone()).map(Some)
    }
}

impl Recurrence for AttentionalGru {
    fn hidden(&self) -> i64 {
        self.gated.hidden
    }

    fn forward(&self, inputs: &Jagged, scores: &Tensor, initial: Option<&Tensor>) -> Result<Jagged, LayerError> {
        match self.scaled(inputs, scores, initial)? {
            Some(scaled) => self.gated.forward(&scaled, Update::Gru, initial),
            None => self.gated.forward(inputs, update(self.kind, scores), initial),
        }
    }

    fn last(&self, inputs: &Jagged, scores: &Tensor, initial: Option<&Tensor>) -> Result<Tensor, LayerError> {
        match self.scaled(inputs, scores, initial)? {
            Some(scaled) => self.gated.last(&scaled, Update::Gru, initial),
            None => self.gated.last(inputs, update(self.kind, scores), initial),
        }
    }

    fn kind(&self) -> &'static str {
        match self.kind {
            AttentionalGruKind::Aigru => "AIGRU",
            AttentionalGruKind::Agru => "AGRU",
            AttentionalGruKind::Augru => "AUGRU",
            AttentionalGruKind::AugruOfficial => "AUGRU of the authors' code",
        }
    }
}

/// How a kind changes the state; AIGRU's scores are in its inputs.
fn update<S>(kind: AttentionalGruKind, scores: S) -> Update<S> {
    match kind {
        AttentionalGruKind::Aigru => Update::Gru,
        AttentionalGruKind::Agru => Update::Agru(scores),
        AttentionalGruKind::Augru => Update::Augru(scores),
        AttentionalGruKind::AugruOfficial => Update::AugruOfficial(scores),
    }
}
