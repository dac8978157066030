//! Embeddings of an event's place in its history.

use serde::{Deserialize, Serialize};
use tch::{Tensor, nn};

use crate::error::check_shape;
use crate::places::distances_from_last;
use crate::{Embedding, EmbeddingConfig, Jagged, LayerError};

/// How an embedded position joins its event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PositionCombination {
    /// Added to the event: Attention Is All You Need, section 3.5.
    Add,
    /// Concatenated after the event: BST, section 2.1.
    Concatenate {
        /// Width of an embedded position, at least 1.
        width: i64,
    },
}

/// How many positions there are and how they join the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PositionalEmbeddingConfig {
    /// The largest position that has a row of its own, at least 1; older events share it.
    pub max_length: i64,
    /// How positions join the events.
    pub combination: PositionCombination,
}

/// What the last entry of a sequence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SequenceEnd {
    /// The candidate, position 0; the event before it has position 1.
    Candidate,
    /// The most recent event, position 1.
    Event,
}

/// A learned vector for how far an event lies back: the candidate has position 0, the most recent event 1, the one
/// before 2.
///
/// Behavior Sequence Transformer, section 2.1, <https://arxiv.org/abs/1905.06874>. The paper measures how far in time,
/// this layer in events, which every log has. Counted from the candidate, a position means the same in histories of all
/// lengths. Events further back than `max_length` share the last row.
/// Parameter: `weight` `[max_length + 1, P]`, drawn as an [`Embedding`]'s rows.
#[derive(Debug)]
pub struct PositionalEmbedding {
    table: Embedding,
    width: i64,
    config: PositionalEmbeddingConfig,
}

impl PositionalEmbeddingConfig {
    /// # Errors
    /// [`LayerError::Config`] when `max_length` or the width of a concatenated position is not positive.
    pub fn check(&self) -> Result<(), LayerError> {
        let refuse =
            |field, value: i64| Err(LayerError::Config { field, value: value.to_string(), allowed: "at least 1" });
        if self.max_length < 1 {
            return refuse("max_length", self.max_length);
        }
        match self.combination {
            PositionCombination::Concatenate { width } if width < 1 => refuse("concatenate.width", width),
            PositionCombination::Add | PositionCombination::Concatenate { .. } => Ok(()),
        }
    }

    /// Width of an event of width `width` with its position.
    pub fn outputs(&self, width: i64) -> i64 {
        match self.combination {
            PositionCombination::Add => width,
            PositionCombination::Concatenate { width: position } => width + position,
        }
    }
}

impl PositionalEmbedding {
    /// Registers the table for events of width `width`.
    ///
    /// # Errors
    /// Those of [`PositionalEmbeddingConfig::check`], and [`LayerError::Config`] when `width` is not positive; no
    /// variable is registered then.
    pub fn new(variables: &nn::Path<'_>, width: i64, config: PositionalEmbeddingConfig) -> Result<Self, LayerError> {
        config.check()?;
        if width < 1 {
            return Err(LayerError::Config { field: "width", value: width.to_string(), allowed: "at least 1" });
        }
        let dim = match config.combination {
            PositionCombination::Add => width,
            PositionCombination::Concatenate { width } => width,
        };
        let table = EmbeddingConfig { dim, ..EmbeddingConfig::default() };
        Ok(Self { table: Embedding::new(variables, config.max_length + 1, table)?, width, config })
    }

    /// Width of an event with its position.
    pub fn outputs(&self) -> i64 {
        self.config.outputs(self.width)
    }

    /// Width of an event without its position.
    pub fn inputs(&self) -> i64 {
        self.width
    }

    /// The largest position that has a row of its own.
    pub fn max_length(&self) -> i64 {
        self.config.max_length
    }

    /// # Shapes
    /// - `sequence` jagged `[N, D]`, oldest entry first → jagged `[N, outputs]`
    ///
    /// # Errors
    /// [`LayerError::Shape`] when the width differs.
    pub fn forward(&self, sequence: &Jagged, end: SequenceEnd) -> Result<Jagged, LayerError> {
        let layout = sequence.layout();
        check_shape("sequence", sequence.values(), &[Some(layout.events()), Some(self.width)], "[N, D]")?;
        let first = i64::from(end == SequenceEnd::Event);
        let places = distances_from_last(layout)?.f_add_scalar(first)?.f_clamp_max(self.config.max_length)?;
        let positions = self.table.forward(&places)?;
        let values = match self.config.combination {
            PositionCombination::Add => sequence.values().f_add(&positions)?,
            PositionCombination::Concatenate { .. } => Tensor::f_cat(&[sequence.values(), &positions], 1)?,
        };
        Jagged::new(values, layout.clone())
    }
}
