//! Which model, and its settings.

use fain_features::Schema;
use serde::{Deserialize, Serialize};
use tch::nn;

use crate::{Din, DinConfig, FeatureSpace, Model, ModelError};

/// A model as written in a configuration file: `[model]`, with `kind` naming it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ModelConfig {
    /// The Deep Interest Network.
    Din(DinConfig),
}

impl ModelConfig {
    /// The model's name, as in `kind`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Din(_) => "din",
        }
    }

    /// Looks for conflicts with the schema, before any data is read.
    ///
    /// # Errors
    /// [`ModelError::Config`] names the key, its value and what is allowed.
    pub fn check(&self, schema: &Schema) -> Result<(), ModelError> {
        match self {
            Self::Din(config) => config.check(&FeatureSpace::new(schema, &[])),
        }
    }

    /// Features whose lists have equal lengths in every row, by name: the histories that one interest reads together.
    pub fn equal_lengths(&self) -> Vec<&[String]> {
        match self {
            Self::Din(config) => config.interests.iter().map(|interest| interest.history.as_slice()).collect(),
        }
    }

    /// Builds the model and registers its parameters under `variables`.
    ///
    /// # Errors
    /// Those of [`ModelConfig::check`]; no variable is registered then.
    pub fn build(&self, variables: &nn::Path<'_>, space: &FeatureSpace) -> Result<Box<dyn Model>, ModelError> {
        match self {
            Self::Din(config) => Ok(Box::new(Din::new(variables, space, config)?)),
        }
    }
}
