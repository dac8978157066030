//! A model from the inside: its tensors and its layers.

use fain_dataset::Dataset;
use fain_features::{Encoders, Schema};
use fain_models::{FeatureSpace, Model, ModelConfig, ModelError, ModelGraph, named_tensors, parameter_count};
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
        let layers = Layers::new(
            graph,
            |graph, node| Numbers::fixed(graph.parameters(node, variables)),
            Numbers::fixed(parameter_count(variables)),
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

    /// Of a model before its vocabularies are known: what grows with a vocabulary is what differs between tables of one,
    /// two and three ids.
    fn before_data(model: &ModelConfig, schema: &Schema) -> Result<Self, ModelError> {
        let build = |size: usize| build(model, &FeatureSpace::new(schema, &vec![size; schema.vocabularies().len()]));
        let ((model, one), (_, two), (_, three)) = (build(1)?, build(2)?, build(3)?);
        let numbers = |graph: &ModelGraph, node: usize| {
            Numbers::growing([&one, &two, &three].map(|variables| graph.parameters(node, variables)))
        };
        let counts = |variables: &nn::VarStore| -> Vec<u64> {
            let tensors = named_tensors(variables).into_iter().filter(|(_, tensor)| tensor.requires_grad());
            tensors.map(|(_, tensor)| tensor.numel() as u64).collect()
        };
        let counts = counts(&one).into_iter().zip(counts(&two)).zip(counts(&three));
        let total = counts.map(|((one, two), three)| Numbers::growing([one, two, three])).sum();
        let tensors = tensors::common(&one, &two);
        Ok(Self { layers: Layers::new(model.graph(), numbers, total), tensors })
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
