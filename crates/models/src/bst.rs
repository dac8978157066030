//! The Behavior Sequence Transformer.

use fain_layers::{
    ActivationConfig, BstInterest, BstInterestConfig, BstOutput, InterestLayer, MlpConfig, Pooling,
    PositionCombination, PositionalEmbeddingConfig, TransformerBlockConfig,
};
use serde::{Deserialize, Serialize};
use tch::nn;

use crate::frame::FrameConfig;
use crate::{
    Block, BlockOrder, EmbeddingsConfig, FeatureSpace, InterestConfig, InterestModel, ModelError, NumberConfig,
};

/// The settings of the Behavior Sequence Transformer, <https://arxiv.org/abs/1905.06874>.
///
/// Each interest reads its history and candidate as one sequence, through positions and transformer blocks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BstConfig {
    /// How the lists are pooled that no interest reads.
    pub pooling: Pooling,
    /// The order of features and interests before the network over everything.
    pub order: BlockOrder,
    /// The most events of a history that are read, at least 1; the most recent are.
    pub max_length: i64,
    /// How many transformer blocks follow each other, at least 1.
    pub transformer_blocks: i64,
    /// Which entries of the transformed sequence make an interest's vector.
    pub output: BstOutput,
    /// How positions join the events.
    pub positions: PositionCombination,
    /// What the transformer blocks are made of. Their heads divide the width of an event with its position.
    pub transformer: TransformerBlockConfig,
    /// The embedding tables.
    pub embedding: EmbeddingsConfig,
    /// A dense layer over the numbers; without it they are read as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numbers: Option<NumberConfig>,
    /// What the network over everything reads, in this order; empty for what `order` says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<Block>,
    /// Features with a learned number for each id that is added to the logit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bias: Vec<String>,
    /// The network over everything.
    pub mlp: MlpConfig,
    /// The histories that are read with their candidate, at least one.
    pub interests: Vec<InterestConfig>,
}

impl Default for BstConfig {
    /// The paper's sequence, [`BstInterestConfig::default`], before the network that the other models of interests have.
    fn default() -> Self {
        let BstInterestConfig { max_length, positions, blocks, transformer, output } = BstInterestConfig::default();
        Self {
            pooling: Pooling::default(),
            order: BlockOrder::default(),
            max_length,
            transformer_blocks: blocks,
            output,
            positions,
            transformer,
            embedding: EmbeddingsConfig::default(),
            numbers: None,
            blocks: Vec::new(),
            bias: Vec::new(),
            mlp: MlpConfig::default(),
            interests: Vec::new(),
        }
    }
}

impl BstConfig {
    /// The settings of the paper's table 3: 20 events, one block of 8 heads, 1024, 512 and 256 units with leaky ReLU,
    /// dropout of 0.2.
    pub fn paper() -> Self {
        Self {
            transformer: TransformerBlockConfig { dropout: 0.2, ..TransformerBlockConfig::default() },
            mlp: MlpConfig {
                hidden: vec![1024, 512, 256],
                activation: ActivationConfig::LeakyRelu,
                dropout: 0.2,
                ..MlpConfig::default()
            },
            ..Self::default()
        }
    }

    fn frame(&self) -> FrameConfig<'_> {
        FrameConfig {
            pooling: self.pooling,
            numbers: self.numbers,
            order: self.order,
            blocks: &self.blocks,
            bias: &self.bias,
            interests: self.interests.clone(),
            ..FrameConfig::of_features(&self.embedding, &self.mlp)
        }
    }

    /// The settings of each interest's layer.
    pub fn layer(&self) -> BstInterestConfig {
        BstInterestConfig {
            max_length: self.max_length,
            positions: self.positions,
            blocks: self.transformer_blocks,
            transformer: self.transformer.clone(),
            output: self.output,
        }
    }

    /// Looks for conflicts with the features.
    ///
    /// # Errors
    /// [`ModelError::Config`] names the key, its value and what is allowed.
    pub fn check(&self, space: &FeatureSpace) -> Result<(), ModelError> {
        for (key, value) in
            [("model.max_length", self.max_length), ("model.transformer_blocks", self.transformer_blocks)]
        {
            if value < 1 {
                return Err(ModelError::Config {
                    key: key.to_owned(),
                    value: value.to_string(),
                    allowed: "at least 1".to_owned(),
                });
            }
        }
        let positions = PositionalEmbeddingConfig { max_length: self.max_length, combination: self.positions };
        positions.check().map_err(|error| ModelError::under("model.positions", error))?;
        InterestConfig::check_without_negatives(&self.interests, "interests")?;
        InterestConfig::check_without_times(&self.interests, "interests")?;
        self.frame().check_interests(space, |width| {
            let width = positions.outputs(width);
            self.transformer.check(width).map_err(|error| ModelError::under("model.transformer", error))
        })
    }

    /// Builds the model and registers its parameters.
    ///
    /// # Errors
    /// Those of [`BstConfig::check`]; no variable is registered then.
    pub fn build(&self, variables: &nn::Path<'_>, space: &FeatureSpace) -> Result<InterestModel, ModelError> {
        self.build_with(variables, space, |variables, width| {
            Ok(Box::new(BstInterest::new(variables, width, &self.layer())?))
        })
    }

    /// Builds the model with another layer in the place of [`BstInterest`], or with one put together from other parts.
    ///
    /// `layer` makes the layer of each interest: it is given where to register parameters, and the width of the
    /// candidate and of an event.
    ///
    /// # Errors
    /// Those of [`BstConfig::check`], and what `layer` gives.
    pub fn build_with(
        &self,
        variables: &nn::Path<'_>,
        space: &FeatureSpace,
        mut layer: impl FnMut(&nn::Path<'_>, i64) -> Result<Box<dyn InterestLayer>, ModelError>,
    ) -> Result<InterestModel, ModelError> {
        self.check(space)?;
        self.frame().build(variables, space, |_, variables, width| layer(variables, width))
    }
}
