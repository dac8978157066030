//! The Behavior Sequence Transformer's reading of a history.

use tch::nn;

use super::sequence::{candidates, flatten, join};
use super::{BstInterestConfig, BstOutput};
use crate::error::check_shape;
use crate::{
    Interest, InterestInput, InterestLayer, LayerError, Mode, Outline, Part, PositionalEmbedding, SequenceEnd, Source,
    TransformerBlock,
};

/// Reads a history and its candidate as one sequence, through positions and transformer blocks.
///
/// Behavior Sequence Transformer, section 2, <https://arxiv.org/abs/1905.06874>. The candidate stands last in the
/// sequence, at position 0, so a sample without events is a sequence of one. Of longer histories the most recent
/// `max_length` events are read; the others take no gradient.
/// Parameters: `position`, `block{i}`.
#[derive(Debug)]
pub struct BstInterest {
    position: PositionalEmbedding,
    blocks: Vec<TransformerBlock>,
    output: BstOutput,
}

impl BstInterest {
    /// Registers the layers for candidates and events of width `width`.
    ///
    /// # Errors
    /// Those of [`BstInterestConfig::check`]; no variable is registered then.
    pub fn new(variables: &nn::Path<'_>, width: i64, config: &BstInterestConfig) -> Result<Self, LayerError> {
        config.check(width)?;
        let position = PositionalEmbedding::new(&(variables / "position"), width, config.embedding())?;
        let block = |index: i64| {
            TransformerBlock::new(&(variables / format!("block{index}")), position.outputs(), &config.transformer)
        };
        let blocks = (0..config.blocks).map(block).collect::<Result<Vec<_>, _>>()?;
        Self::from_parts(position, blocks, config.output)
    }

    /// Joins built parts. As many events are read as `position` has positions for.
    ///
    /// # Errors
    /// [`LayerError::Config`] when there is no block, or a block's width is not that of an event with its position.
    pub fn from_parts(
        position: PositionalEmbedding,
        blocks: Vec<TransformerBlock>,
        output: BstOutput,
    ) -> Result<Self, LayerError> {
        let width = position.outputs();
        if blocks.is_empty() {
            return Err(LayerError::Config { field: "blocks", value: "0".to_owned(), allowed: "at least 1" });
        }
        if let Some(block) = blocks.iter().find(|block| block.width() != width) {
            let value = format!("{} after positions of width {width}", block.width());
            let allowed = "the width of an event with its position";
            return Err(LayerError::Config { field: "blocks.width", value, allowed });
        }
        Ok(Self { position, blocks, output })
    }

    /// Entries of the flattened sequence: the candidate and the events.
    fn length(&self) -> i64 {
        self.position.max_length() + 1
    }
}

impl InterestLayer for BstInterest {
    fn outputs(&self) -> i64 {
        match self.output {
            BstOutput::Flatten => self.length() * self.position.outputs(),
            BstOutput::Candidate => self.position.outputs(),
        }
    }

    fn forward(&self, input: &InterestInput<'_>, mode: Mode) -> Result<Interest, LayerError> {
        let (layout, width) = (input.history.layout(), Some(self.position.inputs()));
        check_shape("candidate", input.candidate, &[Some(layout.rows()), width], "[B, D]")?;
        check_shape("history", input.history.values(), &[Some(layout.events()), width], "[N, D]")?;
        let sequence = join(input.candidate, input.history, self.position.max_length())?;
        let mut sequence = self.position.forward(&sequence, SequenceEnd::Candidate)?;
        for block in &self.blocks {
            sequence = block.forward(&sequence, mode)?;
        }
        let vector = match self.output {
            BstOutput::Flatten => flatten(&sequence, self.length())?,
            BstOutput::Candidate => candidates(&sequence)?,
        };
        Ok(Interest { vector, auxiliary: None })
    }

    fn outline(&self) -> Outline {
        let (inputs, width) = (self.position.inputs(), self.position.outputs());
        // M entries: the events that are read and the candidates.
        let sequence = format!("[M, {width}]");
        let mut parts = vec![Part {
            name: "position".to_owned(),
            kind: "positional embedding".to_owned(),
            input: format!("[B, {inputs}], [N, {inputs}]"),
            output: sequence.clone(),
            from: vec![Source::Candidate, Source::History],
        }];
        for index in 0..self.blocks.len() {
            parts.push(Part {
                name: format!("block{index}"),
                kind: "transformer block".to_owned(),
                input: sequence.clone(),
                output: sequence.clone(),
                from: vec![Source::Part(index)],
            });
        }
        let kind = match self.output {
            BstOutput::Flatten => "all entries, the last first",
            BstOutput::Candidate => "the candidate's entry",
        };
        parts.push(Part {
            name: String::new(),
            kind: kind.to_owned(),
            input: sequence,
            output: format!("[B, {}]", self.outputs()),
            from: vec![Source::Part(self.blocks.len())],
        });
        Outline { vector: parts.len() - 1, parts }
    }
}
