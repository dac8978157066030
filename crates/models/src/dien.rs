//! The Deep Interest Evolution Network.

use fain_layers::{
    AuxiliaryLossConfig, DienInterest, DienInterestConfig, EvolutionKind, InterestLayer, LayerError, MlpConfig,
    Pooling, Recurrence, ResetGate, TargetAttentionConfig,
};
use serde::{Deserialize, Serialize};
use tch::nn;

use crate::frame::FrameConfig;
use crate::{
    Block, BlockOrder, EmbeddingsConfig, FeatureSpace, InterestConfig, InterestModel, ModelError, NumberConfig,
};

/// The settings of the Deep Interest Evolution Network, <https://arxiv.org/abs/1809.03672>.
///
/// Each interest has a GRU that extracts interest states from its history, attention that scores them in the light of
/// the candidate, and a second recurrence that follows how the interest in the candidate evolves. The auxiliary loss asks
/// each state to know the event that came next from one that did not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DienConfig {
    /// How the lists are pooled that no interest reads.
    pub pooling: Pooling,
    /// The order of features and interests before the network over everything.
    pub order: BlockOrder,
    /// The second recurrence.
    pub evolution: EvolutionKind,
    /// Width of both recurrences' states; by default the width of an event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<i64>,
    /// Where the reset gate acts.
    pub reset: ResetGate,
    /// The embedding tables.
    pub embedding: EmbeddingsConfig,
    /// A dense layer over the numbers; without it they are read as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numbers: Option<NumberConfig>,
    /// The attention over the extracted states; each interest has its own.
    pub attention: TargetAttentionConfig,
    /// The auxiliary loss; it needs `negative` in every interest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auxiliary: Option<AuxiliaryLossConfig>,
    /// What the network over everything reads, in this order; empty for what `order` says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<Block>,
    /// Features with a learned number for each id that is added to the logit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bias: Vec<String>,
    /// The network over everything.
    pub mlp: MlpConfig,
    /// The histories whose interests evolve, at least one.
    pub interests: Vec<InterestConfig>,
}

impl Default for DienConfig {
    /// The paper's AUGRU with bilinear attention; no auxiliary loss, which needs negatives.
    fn default() -> Self {
        Self {
            pooling: Pooling::default(),
            order: BlockOrder::default(),
            evolution: EvolutionKind::default(),
            hidden: None,
            reset: ResetGate::default(),
            embedding: EmbeddingsConfig::default(),
            numbers: None,
            attention: DienInterestConfig::attention(),
            auxiliary: None,
            blocks: Vec::new(),
            bias: Vec::new(),
            mlp: MlpConfig::default(),
            interests: Vec::new(),
        }
    }
}

impl DienConfig {
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
    pub fn layer(&self) -> DienInterestConfig {
        DienInterestConfig {
            hidden: self.hidden,
            reset: self.reset,
            attention: self.attention.clone(),
            evolution: self.evolution,
            auxiliary: self.auxiliary.clone(),
        }
    }

    /// Looks for conflicts with the features.
    ///
    /// # Errors
    /// [`ModelError::Config`] names the key, its value and what is allowed.
    pub fn check(&self, space: &FeatureSpace) -> Result<(), ModelError> {
        match self.auxiliary {
            None => InterestConfig::check_without_negatives(&self.interests, "interests")?,
            Some(_) => InterestConfig::check_with_negatives(&self.interests)?,
        }
        InterestConfig::check_without_times(&self.interests, "interests")?;
        let layer = self.layer();
        self.frame()
            .check_interests(space, |width| layer.check(width).map_err(|error| ModelError::under("model", error)))
    }

    /// Builds the model and registers its parameters.
    ///
    /// # Errors
    /// Those of [`DienConfig::check`]; no variable is registered then.
    pub fn build(&self, variables: &nn::Path<'_>, space: &FeatureSpace) -> Result<InterestModel, ModelError> {
        self.build_with(variables, space, |variables, width| {
            Ok(Box::new(DienInterest::new(variables, width, &self.layer())?))
        })
    }

    /// Builds the model with another layer in the place of [`DienInterest`], or with one put together from other parts.
    ///
    /// `layer` makes the layer of each interest: it is given where to register parameters, and the width of the
    /// candidate and of an event.
    ///
    /// # Errors
    /// Those of [`DienConfig::check`], and what `layer` gives.
    pub fn build_with(
        &self,
        variables: &nn::Path<'_>,
        space: &FeatureSpace,
        mut layer: impl FnMut(&nn::Path<'_>, i64) -> Result<Box<dyn InterestLayer>, ModelError>,
    ) -> Result<InterestModel, ModelError> {
        self.check(space)?;
        self.frame().build(variables, space, |_, variables, width| layer(variables, width))
    }

    /// Builds the model with a recurrence of one's own in the place of `evolution`.
    ///
    /// `recurrence` makes that of each interest: it is given where to register parameters, and the width of the interests
    /// it reads.
    ///
    /// # Errors
    /// Those of [`DienConfig::check`], and what `recurrence` gives.
    pub fn build_with_recurrence(
        &self,
        variables: &nn::Path<'_>,
        space: &FeatureSpace,
        mut recurrence: impl FnMut(&nn::Path<'_>, i64) -> Result<Box<dyn Recurrence>, LayerError>,
    ) -> Result<InterestModel, ModelError> {
        self.build_with(variables, space, |variables, width| {
            let layer = DienInterest::with_recurrence(variables, width, &self.layer(), &mut recurrence)?;
            Ok(Box::new(layer))
        })
    }
}
