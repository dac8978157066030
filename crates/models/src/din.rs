//! The Deep Interest Network.

use fain_layers::{InterestLayer, MlpConfig, Pooling, TargetAttention, TargetAttentionConfig};
use serde::{Deserialize, Serialize};
use tch::nn;

use crate::frame::FrameConfig;
use crate::{
    Block, BlockOrder, EmbeddingsConfig, FeatureSpace, InterestConfig, InterestModel, LastState, ModelError,
    NormalizedInterest, NumberConfig,
};

/// The settings of the Deep Interest Network, <https://arxiv.org/abs/1706.06978>. The defaults are the paper's, where it
/// names one.
///
/// Each interest pools its history by [`TargetAttention`]; other lists are pooled plainly. Categories, pooled lists,
/// numbers and interests are concatenated and go through hidden layers to one logit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DinConfig {
    /// How the lists are pooled that no interest reads.
    pub pooling: Pooling,
    /// The order of features and interests, states behind them, before the network over everything.
    pub order: BlockOrder,
    /// What is done with an interest's vector before it joins the others.
    pub projection: InterestProjection,
    /// The embedding tables.
    pub embedding: EmbeddingsConfig,
    /// A dense layer over the numbers; without it they are read as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numbers: Option<NumberConfig>,
    /// The scoring network; each interest has its own.
    pub attention: TargetAttentionConfig,
    /// What the network over everything reads, in this order; empty for what `order` says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<Block>,
    /// Features with a learned number for each id that is added to the logit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bias: Vec<String>,
    /// The network over everything.
    pub mlp: MlpConfig,
    /// The histories that are read in the light of a candidate, at least one.
    pub interests: Vec<InterestConfig>,
    /// Histories of which the last state of a GRU is read beside the interests. They are numbered after these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<InterestConfig>,
}

/// What is done with the vector of an interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InterestProjection {
    /// Nothing.
    #[default]
    None,
    /// Batch normalisation and a dense layer of the same width, as in the authors' code.
    NormalizedDense,
}

impl DinConfig {
    fn frame(&self) -> FrameConfig<'_> {
        FrameConfig {
            pooling: self.pooling,
            numbers: self.numbers,
            order: self.order,
            blocks: &self.blocks,
            bias: &self.bias,
            interests: self.interests.iter().chain(&self.states).cloned().collect(),
            ..FrameConfig::of_features(&self.embedding, &self.mlp)
        }
    }

    /// Looks for conflicts with the features.
    ///
    /// # Errors
    /// [`ModelError::Config`] names the key, its value and what is allowed.
    pub fn check(&self, space: &FeatureSpace) -> Result<(), ModelError> {
        self.attention.check().map_err(|error| ModelError::under("model.attention", error))?;
        InterestConfig::check_some(&self.interests)?;
        for (list, interests) in [("interests", &self.interests), ("states", &self.states)] {
            InterestConfig::check_without_negatives(interests, list)?;
            InterestConfig::check_without_times(interests, list)?;
        }
        for (index, state) in self.states.iter().enumerate() {
            state.check(&format!("model.states.{index}"), space)?;
        }
        self.frame().check(space)
    }

    /// Builds the model and registers its parameters.
    ///
    /// # Errors
    /// Those of [`DinConfig::check`]; no variable is registered then.
    pub fn build(&self, variables: &nn::Path<'_>, space: &FeatureSpace) -> Result<InterestModel, ModelError> {
        self.build_with(variables, space, |variables, width| {
            Ok(Box::new(TargetAttention::new(variables, width, &self.attention)?))
        })
    }

    /// Builds the model with another layer in the place of target attention.
    ///
    /// `layer` makes the layer of each interest: it is given where to register parameters, and the width of the
    /// candidate and of an event.
    ///
    /// # Errors
    /// Those of [`DinConfig::check`], and what `layer` gives.
    pub fn build_with(
        &self,
        variables: &nn::Path<'_>,
        space: &FeatureSpace,
        mut layer: impl FnMut(&nn::Path<'_>, i64) -> Result<Box<dyn InterestLayer>, ModelError>,
    ) -> Result<InterestModel, ModelError> {
        self.check(space)?;
        self.frame().build(variables, space, |index, variables, width| {
            if index >= self.interests.len() {
                return Ok(Box::new(LastState::new(variables, width)?));
            }
            let layer = layer(variables, width)?;
            Ok(match self.projection {
                InterestProjection::None => layer,
                InterestProjection::NormalizedDense => Box::new(NormalizedInterest::new(variables, layer)?),
            })
        })
    }
}
