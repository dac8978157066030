//! The settings of the Behavior Sequence Transformer.

use serde::{Deserialize, Serialize};

use crate::{LayerError, PositionCombination, PositionalEmbeddingConfig, TransformerBlockConfig};

/// Which entries of the transformed sequence make the vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BstOutput {
    /// All of them one after another, the candidate first, then the most recent event; zeros where a history is shorter
    /// than `max_length`. The paper's.
    #[default]
    Flatten,
    /// The candidate's alone.
    Candidate,
}

/// The settings of a [`BstInterest`](crate::BstInterest).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BstInterestConfig {
    /// The most events of a history that are read, at least 1; the most recent are.
    pub max_length: i64,
    /// How positions join the events.
    pub positions: PositionCombination,
    /// How many transformer blocks follow each other, at least 1.
    pub blocks: i64,
    /// What each of them is made of. Its heads divide the width of an event with its position.
    pub transformer: TransformerBlockConfig,
    /// What the vector is made of.
    pub output: BstOutput,
}

impl Default for BstInterestConfig {
    /// 20 events with a position of width 8 each and one block, flattened. The paper has 20 events and one block, and
    /// does not say how wide a position is.
    fn default() -> Self {
        Self {
            max_length: 20,
            positions: PositionCombination::Concatenate { width: 8 },
            blocks: 1,
            transformer: TransformerBlockConfig::default(),
            output: BstOutput::default(),
        }
    }
}

impl BstInterestConfig {
    /// Looks for conflicts with events of width `width`.
    ///
    /// # Errors
    /// [`LayerError::Config`] names the setting, its bound and the value got.
    pub fn check(&self, width: i64) -> Result<(), LayerError> {
        self.embedding().check()?;
        if self.blocks < 1 {
            let value = self.blocks.to_string();
            return Err(LayerError::Config { field: "blocks", value, allowed: "at least 1" });
        }
        if width < 1 {
            return Err(LayerError::Config { field: "width", value: width.to_string(), allowed: "at least 1" });
        }
        self.transformer.check(self.embedding().outputs(width))
    }

    pub(super) fn embedding(&self) -> PositionalEmbeddingConfig {
        PositionalEmbeddingConfig { max_length: self.max_length, combination: self.positions }
    }
}
