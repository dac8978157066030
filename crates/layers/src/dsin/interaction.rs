//! How a user's sessions bear on each other.

use tch::nn;

use crate::{BiLstm, BiLstmConfig, Directions, Jagged, LayerError};

/// Reads a user's session interests in both directions, so that each knows those before and after it.
///
/// The session interest interacting layer of DSIN, <https://arxiv.org/abs/1905.06482>: the sum of the hidden states of
/// the two directions of a bi-LSTM.
/// Parameters: those of [`BiLstm`].
#[derive(Debug)]
pub struct SessionInterestInteraction {
    recurrence: BiLstm,
    width: i64,
}

impl SessionInterestInteraction {
    /// Registers the recurrence for session interests of width `width`; its states are as wide.
    ///
    /// # Errors
    /// [`LayerError::Config`] when `width` is not positive; no variable is registered then.
    pub fn new(variables: &nn::Path<'_>, width: i64) -> Result<Self, LayerError> {
        let config = BiLstmConfig { hidden: width, directions: Directions::Sum };
        Ok(Self { recurrence: BiLstm::new(variables, width, config)?, width })
    }

    /// Width of a session's interest, the same before and after.
    pub fn width(&self) -> i64 {
        self.width
    }

    /// # Shapes
    /// - `interests` jagged `[S, D]`, the sessions of each user → jagged `[S, D]`
    ///
    /// # Errors
    /// [`LayerError::Shape`] when the width differs.
    pub fn forward(&self, interests: &Jagged) -> Result<Jagged, LayerError> {
        self.recurrence.forward(interests)
    }
}
