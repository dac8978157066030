//! From interests to the one that matters for the candidate.

use tch::Tensor;

use crate::{Attention, Gru, Jagged, LayerError, Mode, Recurrence, segment_weighted_sum};

/// What the attention steers.
#[derive(Debug)]
pub enum Evolution {
    /// A GRU reads the interests without hearing a score, and attention pools its states.
    Pooled(Gru),
    /// Attention scores the interests, a recurrence reads them in the light of the scores, and its last state counts.
    Attentional(Box<dyn Recurrence>),
}

/// Follows the interests that matter for the candidate.
///
/// Deep Interest Evolution Network, interest evolving layer, <https://arxiv.org/abs/1809.03672>.
#[derive(Debug)]
pub struct InterestEvolution {
    attention: Box<dyn Attention>,
    evolution: Evolution,
}

impl InterestEvolution {
    /// Joins built parts. With [`Evolution::Pooled`] the attention reads the states of the GRU, otherwise the interests.
    pub fn new(attention: Box<dyn Attention>, evolution: Evolution) -> Self {
        Self { attention, evolution }
    }

    /// `W`, the width of the result.
    pub fn outputs(&self) -> i64 {
        match &self.evolution {
            Evolution::Pooled(gru) => gru.hidden(),
            Evolution::Attentional(recurrence) => recurrence.hidden(),
        }
    }

    /// What the attention steers.
    pub fn evolution(&self) -> &Evolution {
        &self.evolution
    }

    /// # Shapes
    /// - `candidate` `[B, D]`; `states` jagged `[N, H]`, the interest after each event
    /// - returns `[B, W]`; a sample without events gives zeros, and its gradients are zero, never NaN
    ///
    /// # Errors
    /// [`LayerError::Shape`] when a width or the number of samples differs.
    pub fn forward(&self, candidate: &Tensor, states: &Jagged, mode: Mode) -> Result<Tensor, LayerError> {
        self.evolve(candidate, &self.read(states)?, mode)
    }

    /// The part that hears no candidate: the GRU of [`Evolution::Pooled`], otherwise nothing.
    pub(super) fn read(&self, states: &Jagged) -> Result<Jagged, LayerError> {
        match &self.evolution {
            Evolution::Pooled(gru) => gru.forward(states, None),
            Evolution::Attentional(_) => Ok(states.clone()),
        }
    }

    /// The part that does, after [`read`](Self::read).
    pub(super) fn evolve(&self, candidate: &Tensor, read: &Jagged, mode: Mode) -> Result<Tensor, LayerError> {
        let weights = self.attention.weights(candidate, read, mode)?;
        match &self.evolution {
            Evolution::Pooled(_) => segment_weighted_sum(read.values(), &weights, read.layout()),
            Evolution::Attentional(recurrence) => recurrence.last(read, &weights, None),
        }
    }
}
