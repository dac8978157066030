//! The base model: embedding and MLP.

use fain_layers::{MlpConfig, Pooling};
use serde::{Deserialize, Serialize};
use tch::nn;

use crate::frame::FrameConfig;
use crate::{Block, EmbeddingsConfig, FeatureSpace, InterestModel, ModelError, NumberConfig};

/// The settings of the base model. The defaults are those of the DIN paper.
///
/// Deep Interest Network, section 4.2, <https://arxiv.org/abs/1706.06978>: every list, the history too, is pooled to one
/// vector whatever the candidate is. It is what the others are measured against.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BaseConfig {
    /// How lists are pooled.
    pub pooling: Pooling,
    /// The embedding tables.
    pub embedding: EmbeddingsConfig,
    /// A dense layer over the numbers; without it they are read as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numbers: Option<NumberConfig>,
    /// What the network reads, in this order; empty for every feature in the order of the schema.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<Block>,
    /// Features with a learned number for each id that is added to the logit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bias: Vec<String>,
    /// The network over everything.
    pub mlp: MlpConfig,
}

impl BaseConfig {
    fn frame(&self) -> FrameConfig<'_> {
        FrameConfig {
            pooling: self.pooling,
            numbers: self.numbers,
            blocks: &self.blocks,
            bias: &self.bias,
            ..FrameConfig::of_features(&self.embedding, &self.mlp)
        }
    }

    /// Looks for conflicts with the features.
    ///
    /// # Errors
    /// [`ModelError::Config`] names the key, its value and what is allowed.
    pub fn check(&self, space: &FeatureSpace) -> Result<(), ModelError> {
        self.frame().check(space)
    }

    /// Builds the model and registers its parameters.
    ///
    /// # Errors
    /// Those of [`BaseConfig::check`]; no variable is registered then.
    pub fn build(&self, variables: &nn::Path<'_>, space: &FeatureSpace) -> Result<InterestModel, ModelError> {
        self.check(space)?;
        self.frame().build(variables, space, |index, _, _| {
            Err(ModelError::Parts { part: format!("interest {index}"), problem: "the base model has none".to_owned() })
        })
    }
}
