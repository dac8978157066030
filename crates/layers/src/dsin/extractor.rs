//! One interest for each session.

use tch::nn;

use super::{BiasEncoding, SessionLimits, Sessions};
use crate::{Jagged, LayerError, Mode, Pooling, TransformerBlock, TransformerBlockConfig, pool};

/// Reads each session and gives its interest: bias encoding, self-attention within the session, the mean of its events.
///
/// The session interest extractor layer of DSIN, <https://arxiv.org/abs/1905.06482>: `I_k = Avg(FFN(MultiHead(Q + BE)))`
/// with residual connections and layer normalisation.
/// Parameters: `bias`, and those of [`TransformerBlock`].
#[derive(Debug)]
pub struct SessionInterestExtractor {
    bias: BiasEncoding,
    block: TransformerBlock,
}

impl SessionInterestExtractor {
    /// Registers the layers for events of width `width`.
    ///
    /// # Errors
    /// Those of [`SessionLimits::check`] and [`TransformerBlockConfig::check`]; no variable is registered then.
    pub fn new(
        variables: &nn::Path<'_>,
        width: i64,
        limits: SessionLimits,
        transformer: &TransformerBlockConfig,
    ) -> Result<Self, LayerError> {
        limits.check()?;
        transformer.check(width)?;
        Ok(Self {
            bias: BiasEncoding::new(&(variables / "bias"), width, limits)?,
            block: TransformerBlock::new(variables, width, transformer)?,
        })
    }

    /// Width of an event and of a session's interest.
    pub fn width(&self) -> i64 {
        self.block.width()
    }

    /// # Shapes
    /// - `history` jagged `[N, D]` of the layout that was divided → jagged `[S, D]`, the sessions of each user
    ///
    /// # Errors
    /// [`LayerError::Shape`] when the width differs; [`LayerError::Offsets`] when `sessions` are of other histories.
    pub fn forward(&self, history: &Jagged, sessions: &Sessions, mode: Mode) -> Result<Jagged, LayerError> {
        let events = self.bias.forward(&sessions.select(history)?, sessions)?;
        let interests = pool(&self.block.forward(&events, mode)?, Pooling::Mean)?;
        Jagged::new(interests, sessions.users().clone())
    }
}
