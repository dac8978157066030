//! The Deep Session Interest Network.

use fain_layers::{
    DsinInterest, DsinInterestConfig, InterestLayer, MlpConfig, Pooling, SessionLimits, TransformerBlockConfig,
};
use serde::{Deserialize, Serialize};
use tch::nn;

use crate::frame::FrameConfig;
use crate::{
    Block, BlockOrder, EmbeddingsConfig, FeatureSpace, InterestConfig, InterestModel, ModelError, NumberConfig,
    SessionGap,
};

/// The settings of the Deep Session Interest Network, <https://arxiv.org/abs/1905.06482>.
///
/// Each interest reads its history session by session: self-attention within a session, a bi-LSTM over the sessions, and
/// both pooled by their relevance to the candidate. A new session starts after a `session_gap`; without times of events,
/// a history is divided into sessions of equally many events, [`Sessions::every`](fain_layers::Sessions::every).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DsinConfig {
    /// How the lists are pooled that no interest reads.
    pub pooling: Pooling,
    /// The order of features and interests before the network over everything.
    pub order: BlockOrder,
    /// How many sessions are read and how long they are.
    pub limits: SessionLimits,
    /// A new session starts where more time than this lies between two events; it needs `times` in every interest.
    /// Without it sessions have `limits.events` events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_gap: Option<SessionGap>,
    /// Self-attention within a session and what follows it; its heads divide the width of an event.
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
    /// The histories that are read by their sessions, at least one.
    pub interests: Vec<InterestConfig>,
}

impl DsinConfig {
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
    pub fn layer(&self) -> DsinInterestConfig {
        let gap = self.session_gap.map(SessionGap::seconds);
        DsinInterestConfig { limits: self.limits, gap, transformer: self.transformer.clone() }
    }

    /// Looks for conflicts with the features.
    ///
    /// # Errors
    /// [`ModelError::Config`] names the key, its value and what is allowed.
    pub fn check(&self, space: &FeatureSpace) -> Result<(), ModelError> {
        self.limits.check().map_err(|error| ModelError::under("model.limits", error))?;
        InterestConfig::check_without_negatives(&self.interests, "interests")?;
        match self.session_gap {
            None => InterestConfig::check_without_times(&self.interests, "interests")?,
            Some(_) => InterestConfig::check_with_times(&self.interests)?,
        }
        self.frame().check_interests(space, |width| {
            self.transformer.check(width).map_err(|error| ModelError::under("model.transformer", error))
        })
    }

    /// Builds the model and registers its parameters.
    ///
    /// # Errors
    /// Those of [`DsinConfig::check`]; no variable is registered then.
    pub fn build(&self, variables: &nn::Path<'_>, space: &FeatureSpace) -> Result<InterestModel, ModelError> {
        self.build_with(variables, space, |variables, width| {
            Ok(Box::new(DsinInterest::new(variables, width, &self.layer())?))
        })
    }

    /// Builds the model with another layer in the place of [`DsinInterest`], or with one put together from other parts.
    ///
    /// `layer` makes the layer of each interest: it is given where to register parameters, and the width of the
    /// candidate and of an event.
    ///
    /// # Errors
    /// Those of [`DsinConfig::check`], and what `layer` gives.
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
