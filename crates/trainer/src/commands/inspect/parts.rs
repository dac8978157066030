//! A model from the inside: its tensors and its layers.

use fain_dataset::Dataset;
use fain_features::{Encoders, Schema};
use fain_models::{FeatureSpace, Model, ModelConfig, ModelError, ModelGraph, parameter_count};
use fain_training::Experiment;
use serde::Serialize;
use tch::{Device, nn};

use super::layers::{Layers, Numbers};
use super::tensors::{self, TensorLine};

/// Tensors and layers of a model.
#[derive(Debug, Serialize)]
pub(super) struct ModelParts {
    pub(super) layers: Layers,
    pub(super) tensors: Vec<TensorLine>,
}

impl ModelParts {
    /// Of a model with its numbers.
    pub(super) fn of(graph: ModelGraph, variables: &nn::VarStore) -> Self {
        let known = |fixed| Numbers { fixed, per_id: 0 };
        let layers = Layers::new(
            graph,
            |graph, node| known(graph.parameters(node, variables)),
            known(parameter_count(variables)),
        );
        Self { layers, tensors: tensors::of_variables(variables) }
    }

    /// Of an experiment, and the encoders that say how large its tables are, if the cache has its data.
    pub(super) fn of_experiment(experiment: &Experiment, schema: &Schema) -> anyhow::Result<(Self, Option<Encoders>)> {
        let encoders = Dataset::cached_encoders(&experiment.data, schema)?;
        let parts = match &encoders {
            Some(encoders) => {
                let (model, variables) = build(&experiment.model, &FeatureSpace::of(encoders))?;
                Self::of(model.graph(), &variables)
            }
            None => Self::before_data(&experiment.model, schema)?,
        };
        Ok((parts, encoders))
    }

    /// Of a model before its vocabularies are known: what grows with a vocabulary is what differs between tables of one
    /// id and tables of two.
    fn before_data(model: &ModelConfig, schema: &Schema) -> Result<Self, ModelError> {
        let space = |size: usize| FeatureSpace::new(schema, &vec![size; schema.vocabularies().len()]);
        let (model_of_one, one) = build(model, &space(1))?;
        let (_, two) = build(model, &space(2))?;
        let numbers = |graph: &ModelGraph, node: usize| {
            Numbers::between(graph.parameters(node, &one), graph.parameters(node, &two))
        };
        let total = Numbers::between(parameter_count(&one), parameter_count(&two));
        Ok(Self { layers: Layers::new(model_of_one.graph(), numbers, total), tensors: tensors::common(&one, &two) })
    }

    /// The tables of layers and tensors.
    pub(super) fn text(&self) -> String {
        format!("{}\n{}", self.layers.text(), tensors::text(&self.tensors))
    }
}

fn build(model: &ModelConfig, space: &FeatureSpace) -> Result<(Box<dyn Model>, nn::VarStore), ModelError> {
    let variables = nn::VarStore::new(Device::Cpu);
    let model = model.build(&variables.root(), space)?;
    Ok((model, variables))
}
