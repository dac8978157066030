//! From events to interests.

use tch::Tensor;

use crate::{AuxiliaryLoss, Gru, Jagged, LayerError, Mode};

/// What an [`InterestExtractor`] gives.
#[derive(Debug)]
pub struct ExtractedInterest {
    /// Jagged `[N, H]`: the interest after each event.
    pub states: Jagged,
    /// The auxiliary loss multiplied by its weight, a scalar; where the extractor has one and was given negatives.
    pub auxiliary: Option<Tensor>,
}

/// Reads the events of a history one after another: the state after an event is the interest of that moment.
///
/// Deep Interest Evolution Network, interest extractor layer, <https://arxiv.org/abs/1809.03672>. The auxiliary loss
/// supervises each state by the event that follows.
#[derive(Debug)]
pub struct InterestExtractor {
    gru: Gru,
    auxiliary: Option<AuxiliaryLoss>,
}

impl InterestExtractor {
    /// Joins built parts.
    pub fn new(gru: Gru, auxiliary: Option<AuxiliaryLoss>) -> Self {
        Self { gru, auxiliary }
    }

    /// The recurrence over the events.
    pub fn gru(&self) -> &Gru {
        &self.gru
    }

    /// The loss that supervises the states.
    pub fn auxiliary(&self) -> Option<&AuxiliaryLoss> {
        self.auxiliary.as_ref()
    }

    /// # Shapes
    /// - `history` jagged `[N, D]`, the events; `negative` jagged `[N, D]` of the same lengths, for each event one that
    ///   did not happen → jagged `[N, H]` and a scalar
    ///
    /// # Errors
    /// [`LayerError::Shape`] when a width or the number of samples differs, [`LayerError::Lengths`] when the lengths of
    /// `negative` do.
    pub fn forward(
        &self,
        history: &Jagged,
        negative: Option<&Jagged>,
        mode: Mode,
    ) -> Result<ExtractedInterest, LayerError> {
        let states = self.gru.forward(history, None)?;
        let auxiliary = match (&self.auxiliary, negative) {
            (Some(loss), Some(negative)) => Some(loss.weighted(&states, history, negative, mode)?),
            _ => None,
        };
        Ok(ExtractedInterest { states, auxiliary })
    }
}
