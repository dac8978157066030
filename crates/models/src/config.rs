//! Which model, and its settings.

use fain_features::Schema;
use serde::{Deserialize, Serialize};
use tch::nn;

use crate::{
    BaseConfig, Block, BstConfig, DeepFmConfig, DienConfig, DinConfig, DsinConfig, EmbeddingsConfig, FeatureSpace,
    InterestConfig, Model, ModelError, PnnConfig, WideDeepConfig,
};

/// A model as written in a configuration file: `[model]`, with `kind` naming it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ModelConfig {
    /// Embedding and MLP.
    Base(BaseConfig),
    /// The Deep Interest Network.
    Din(DinConfig),
    /// The Deep Interest Evolution Network.
    Dien(DienConfig),
    /// Wide & Deep.
    WideDeep(WideDeepConfig),
    /// DeepFM.
    #[serde(rename = "deepfm")]
    DeepFm(DeepFmConfig),
    /// A product-based neural network.
    Pnn(PnnConfig),
    /// The Deep Session Interest Network.
    Dsin(DsinConfig),
    /// The Behavior Sequence Transformer.
    Bst(BstConfig),
}

impl ModelConfig {
    /// The model's name, as in `kind`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Base(_) => "base",
            Self::Din(_) => "din",
            Self::Dien(_) => "dien",
            Self::WideDeep(_) => "wide_deep",
            Self::DeepFm(_) => "deepfm",
            Self::Pnn(_) => "pnn",
            Self::Dsin(_) => "dsin",
            Self::Bst(_) => "bst",
        }
    }

    /// Looks for conflicts with the schema, before any data is read.
    ///
    /// # Errors
    /// [`ModelError::Config`] names the key, its value and what is allowed.
    pub fn check(&self, schema: &Schema) -> Result<(), ModelError> {
        let space = FeatureSpace::new(schema, &[]);
        match self {
            Self::Base(config) => config.check(&space),
            Self::Din(config) => config.check(&space),
            Self::Dien(config) => config.check(&space),
            Self::WideDeep(config) => config.check(&space),
            Self::DeepFm(config) => config.check(&space),
            Self::Pnn(config) => config.check(&space),
            Self::Dsin(config) => config.check(&space),
            Self::Bst(config) => config.check(&space),
        }
    }

    /// The embedding tables.
    pub fn embedding(&self) -> &EmbeddingsConfig {
        match self {
            Self::Base(config) => &config.embedding,
            Self::Din(config) => &config.embedding,
            Self::Dien(config) => &config.embedding,
            Self::WideDeep(config) => &config.embedding,
            Self::DeepFm(config) => &config.embedding,
            Self::Pnn(config) => &config.embedding,
            Self::Dsin(config) => &config.embedding,
            Self::Bst(config) => &config.embedding,
        }
    }

    fn interests(&self) -> Vec<&InterestConfig> {
        match self {
            Self::Base(_) | Self::WideDeep(_) | Self::DeepFm(_) | Self::Pnn(_) => Vec::new(),
            Self::Din(config) => config.interests.iter().chain(&config.states).collect(),
            Self::Dien(config) => config.interests.iter().collect(),
            Self::Dsin(config) => config.interests.iter().collect(),
            Self::Bst(config) => config.interests.iter().collect(),
        }
    }

    /// Groups of features whose lists have equal lengths in every row, by name: what one interest reads together.
    pub fn equal_lengths(&self) -> Vec<Vec<String>> {
        self.interests().into_iter().map(InterestConfig::equal_lengths).collect()
    }

    /// Features of times that sessions are divided by: they never fall within a history.
    pub fn times(&self) -> Vec<String> {
        self.interests().into_iter().filter_map(|interest| interest.times.clone()).collect()
    }

    /// Features that are read in training only, by name, each once. Scoring needs no column for them.
    ///
    /// They are the negatives, but for one that something else reads as well: another interest as its history, a block,
    /// a bias.
    pub fn training_only(&self) -> Vec<String> {
        let (blocks, bias): (&[Block], &[String]) = match self {
            Self::Base(config) => (&config.blocks, &config.bias),
            Self::Din(config) => (&config.blocks, &config.bias),
            Self::Dien(config) => (&config.blocks, &config.bias),
            Self::Dsin(config) => (&config.blocks, &config.bias),
            Self::Bst(config) => (&config.blocks, &config.bias),
            // They have no interests, and so no negatives.
            Self::WideDeep(_) | Self::DeepFm(_) | Self::Pnn(_) => (&[], &[]),
        };
        let interests = self.interests();
        let scored = |name: &String| {
            interests.iter().any(|interest| interest.history.contains(name))
                || bias.contains(name)
                || blocks.iter().any(|block| matches!(block, Block::Feature(feature) if feature == name))
        };
        let mut features: Vec<String> = Vec::new();
        for name in interests.iter().flat_map(|interest| &interest.negative) {
            if !scored(name) && !features.contains(name) {
                features.push(name.clone());
            }
        }
        features
    }

    /// Builds the model and registers its parameters under `variables`.
    ///
    /// # Errors
    /// Those of [`ModelConfig::check`]; no variable is registered then.
    pub fn build(&self, variables: &nn::Path<'_>, space: &FeatureSpace) -> Result<Box<dyn Model>, ModelError> {
        Ok(match self {
            Self::Base(config) => Box::new(config.build(variables, space)?),
            Self::Din(config) => Box::new(config.build(variables, space)?),
            Self::Dien(config) => Box::new(config.build(variables, space)?),
            Self::WideDeep(config) => Box::new(config.build(variables, space)?),
            Self::DeepFm(config) => Box::new(config.build(variables, space)?),
            Self::Pnn(config) => Box::new(config.build(variables, space)?),
            Self::Dsin(config) => Box::new(config.build(variables, space)?),
            Self::Bst(config) => Box::new(config.build(variables, space)?),
        })
    }
}
