//! The frame of models that read histories: embeddings, interests, and a network over everything.

use fain_layers::{Interest, InterestInput, InterestLayer, Linear, Mlp, MlpConfig, Mode, Pooling};
use tch::{Tensor, nn};

use crate::blocks::{BlockSources, Blocks};
use crate::interest_config::InterestVectors;
use crate::interest_graph::Plan;
use crate::{
    Block, BlockOrder, EmbeddingsConfig, FeatureEmbeddings, FeatureSpace, FirstOrder, InterestConfig, InterestFeatures,
    Model, ModelError, ModelGraph, ModelInput, NumberConfig, NumberProjection, Output, SpaceKind,
};

/// A model of one or more interests.
///
/// Each interest's layer reads candidate and history; categories, pooled lists and numbers join the interests' vectors
/// and go through hidden layers to a logit. DIN, DIEN, DSIN and BST differ in the layer, the base model has none.
/// Parameters: `embedding.{vocabulary}`, `interest{i}`, `numbers`, `bias.{feature}`, `mlp`, `output`.
#[derive(Debug)]
pub struct InterestModel {
    embeddings: FeatureEmbeddings,
    interests: Vec<InterestFeatures>,
    layers: Vec<Box<dyn InterestLayer>>,
    blocks: Blocks,
    numbers: Option<NumberProjection>,
    bias: Option<FirstOrder>,
    mlp: Mlp,
    output: Linear,
}

/// What an [`InterestModel`] is put together from. Widths must fit: `mlp` reads all blocks side by side.
#[derive(Debug)]
pub struct InterestModelParts {
    /// The tables.
    pub embeddings: FeatureEmbeddings,
    /// The interests, each with the features it reads.
    pub interests: Vec<(InterestFeatures, Box<dyn InterestLayer>)>,
    /// What the network reads, in this order; none for every feature that no interest reads, then the interests.
    pub blocks: Option<Vec<Block>>,
    /// How lists are pooled that no interest reads.
    pub pooling: Pooling,
    /// The dense layer over the numbers, if there is one.
    pub numbers: Option<NumberProjection>,
    /// Learned numbers that are added to the logit.
    pub bias: Option<FirstOrder>,
    /// The network over everything.
    pub mlp: Mlp,
    /// From the last hidden layer to the logit.
    pub output: Linear,
}

/// The settings that all models of this frame have in common.
#[derive(Debug, Clone)]
pub(crate) struct FrameConfig<'a> {
    pub(crate) embedding: &'a EmbeddingsConfig,
    pub(crate) pooling: Pooling,
    pub(crate) numbers: Option<NumberConfig>,
    pub(crate) order: BlockOrder,
    pub(crate) blocks: &'a [Block],
    pub(crate) bias: &'a [String],
    pub(crate) mlp: &'a MlpConfig,
    pub(crate) interests: Vec<InterestConfig>,
}

impl FrameConfig<'_> {
    /// Looks for conflicts with the features.
    pub(crate) fn check(&self, space: &FeatureSpace) -> Result<(), ModelError> {
        self.embedding.check(space)?;
        if let Some(numbers) = self.numbers {
            numbers.check(space)?;
        }
        self.mlp.check().map_err(|error| ModelError::under("model.mlp", error))?;
        for (index, interest) in self.interests.iter().enumerate() {
            interest.check(&format!("model.interests.{index}"), space)?;
        }
        if !self.blocks.is_empty() && self.order != BlockOrder::Standard {
            return Err(ModelError::Config {
                key: "model.blocks".to_owned(),
                value: format!("{} blocks", self.blocks.len()),
                allowed: "nothing, because model.order says which blocks there are".to_owned(),
            });
        }
        for (index, name) in self.bias.iter().enumerate() {
            if space.position(name).is_none() {
                return Err(ModelError::Config {
                    key: format!("model.bias.{index}"),
                    value: format!("`{name}`"),
                    allowed: format!("a feature: {}", space.names(|_| true)),
                });
            }
        }
        let features: Vec<InterestFeatures> = self.interests.iter().map(|each| each.features(space)).collect();
        Blocks::new(&self.blocks(space, &features), space, &features, self.pooling)?;
        Ok(())
    }

    fn blocks(&self, space: &FeatureSpace, interests: &[InterestFeatures]) -> Vec<Block> {
        if self.blocks.is_empty() {
            return self.order.blocks(space, interests, self.numbers.is_some());
        }
        self.blocks.to_vec()
    }

    /// Builds the model; `layer` makes the layer of the interest with a number and the width of its candidate.
    ///
    /// The settings are checked before.
    pub(crate) fn build(
        &self,
        variables: &nn::Path<'_>,
        space: &FeatureSpace,
        mut layer: impl FnMut(usize, &nn::Path<'_>, i64) -> Result<Box<dyn InterestLayer>, ModelError>,
    ) -> Result<InterestModel, ModelError> {
        let embeddings = FeatureEmbeddings::new(&(variables / "embedding"), space, self.embedding)?;
        let mut interests = Vec::with_capacity(self.interests.len());
        for (index, config) in self.interests.iter().enumerate() {
            let features = config.features(space);
            let width = features.candidate.iter().map(|&feature| embeddings.width(feature)).sum();
            let layer = layer(index, &(variables / format!("interest{index}")), width)?;
            interests.push((features, layer));
        }
        let features: Vec<InterestFeatures> = interests.iter().map(|(features, _)| features.clone()).collect();
        let count = space.features().iter().filter(|feature| feature.kind == SpaceKind::Numeric).count() as i64;
        let numbers =
            self.numbers.map(|config| NumberProjection::new(&(variables / "numbers"), count, config)).transpose()?;
        let blocks = self.blocks(space, &features);
        let outputs: Vec<i64> = interests.iter().map(|(_, layer)| layer.outputs()).collect();
        let width = Blocks::new(&blocks, space, &features, self.pooling)?
            .widths(&embeddings, numbers.as_ref(), &features, &outputs)
            .iter()
            .sum();
        let mlp = Mlp::new(&(variables / "mlp"), width, self.mlp)?;
        let output = Linear::new(&(variables / "output"), mlp.outputs(), 1)?;
        let biased: Vec<usize> = self.bias.iter().filter_map(|name| space.position(name)).collect();
        let bias = if biased.is_empty() { None } else { Some(FirstOrder::new(&(variables / "bias"), space, &biased)?) };
        let parts = InterestModelParts {
            embeddings,
            interests,
            blocks: Some(blocks),
            pooling: self.pooling,
            numbers,
            bias,
            mlp,
            output,
        };
        InterestModel::from_parts(space, parts)
    }
}

impl InterestModel {
    /// Puts built parts together.
    ///
    /// # Errors
    /// [`ModelError::Parts`] when widths do not fit; [`ModelError::Config`] when a block names what is not there.
    pub fn from_parts(space: &FeatureSpace, parts: InterestModelParts) -> Result<Self, ModelError> {
        let InterestModelParts { embeddings, interests, blocks, pooling, numbers, bias, mlp, output } = parts;
        let (interests, layers): (Vec<InterestFeatures>, Vec<Box<dyn InterestLayer>>) = interests.into_iter().unzip();
        for (index, interest) in interests.iter().enumerate() {
            interest.check(&format!("interest {index}"), space)?;
        }
        let blocks = blocks.unwrap_or_else(|| BlockOrder::Standard.blocks(space, &interests, numbers.is_some()));
        let blocks = Blocks::new(&blocks, space, &interests, pooling)?;
        let outputs: Vec<i64> = layers.iter().map(|layer| layer.outputs()).collect();
        let width: i64 = blocks.widths(&embeddings, numbers.as_ref(), &interests, &outputs).iter().sum();
        let fits = |part: &str, needed: i64, got: i64| {
            if needed == got {
                return Ok(());
            }
            let problem = format!("reads {got} columns, but there are {needed}");
            Err(ModelError::Parts { part: part.to_owned(), problem })
        };
        fits("mlp", width, mlp.first().weight().size()[1])?;
        fits("output", mlp.outputs(), output.weight().size()[1])?;
        Ok(Self { embeddings, interests, layers, blocks, numbers, bias, mlp, output })
    }

    /// The model's output, with the auxiliary loss whenever it has one: what [`Model::forward`] gives in training.
    ///
    /// # Errors
    /// As [`Model::forward`].
    pub fn forward_with_auxiliary_loss(&self, input: &ModelInput, mode: Mode) -> Result<Output, ModelError> {
        self.run(input, mode, true)
    }

    fn run(&self, input: &ModelInput, mode: Mode, auxiliary: bool) -> Result<Output, ModelError> {
        self.mlp.check_rows(input.rows, mode)?;
        let mut vectors: Vec<InterestVectors> = Vec::with_capacity(self.interests.len());
        for features in &self.interests {
            vectors.push(features.look_up(&self.embeddings, input, auxiliary)?);
        }
        let (mut interests, mut losses) = (Vec::with_capacity(vectors.len()), Vec::new());
        for (layer, InterestVectors { candidate, history, negative }) in self.layers.iter().zip(&vectors) {
            let input = InterestInput { candidate, history, negative: negative.as_ref() };
            let Interest { vector, auxiliary } = layer.forward(&input, mode)?;
            interests.push(vector);
            losses.extend(auxiliary);
        }
        let sources = BlockSources {
            embeddings: &self.embeddings,
            input,
            numbers: self.numbers.as_ref(),
            vectors: &vectors,
            interests: &interests,
        };
        let hidden = self.mlp.forward(&self.blocks.fill(&sources)?, mode)?;
        let mut logits = self.output.forward(&hidden)?;
        if let Some(bias) = &self.bias {
            logits = logits.f_add(&bias.forward(input)?)?;
        }
        if logits.size()[1] == 1 {
            logits = logits.f_squeeze_dim(1)?;
        }
        Ok(Output { logits, auxiliary: mean(&losses)? })
    }
}

impl Model for InterestModel {
    fn forward(&self, input: &ModelInput, mode: Mode) -> Result<Output, ModelError> {
        self.run(input, mode, mode.is_training())
    }

    fn graph(&self) -> ModelGraph {
        let outputs: Vec<i64> = self.layers.iter().map(|layer| layer.outputs()).collect();
        let widths = self.blocks.widths(&self.embeddings, self.numbers.as_ref(), &self.interests, &outputs);
        let columns = widths.iter().sum();
        let plan = Plan {
            embeddings: &self.embeddings,
            interests: &self.interests,
            layers: &self.layers,
            origins: self.blocks.origins().collect(),
            widths,
            numbers: self.numbers.is_some(),
            bias: self.bias.as_ref(),
            tower: (columns, self.mlp.outputs(), self.output.weight().size()[0]),
        };
        plan.graph()
    }
}

/// The mean of the interests' losses, if there are any.
fn mean(losses: &[Tensor]) -> Result<Option<Tensor>, ModelError> {
    match losses {
        [] => Ok(None),
        [loss] => Ok(Some(loss.shallow_clone())),
        losses => {
            let stacked = Tensor::f_stack(losses, 0)?;
            Ok(Some(stacked.f_mean(stacked.kind())?))
        }
    }
}
