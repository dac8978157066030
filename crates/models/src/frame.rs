//! The settings that all models have in common, and the parts they make.

use fain_layers::{InterestLayer, Linear, Mlp, MlpConfig, Pooling};
use tch::nn;

use crate::blocks::Blocks;
use crate::{
    Block, BlockOrder, DeepComponent, EmbeddingsConfig, FeatureEmbeddings, FeatureSpace, FirstOrder, InterestConfig,
    InterestFeatures, InterestModel, InterestModelParts, ModelError, NumberConfig, NumberProjection, SpaceKind,
};

/// The settings that all models have in common.
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

/// What the network reads besides the features.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Beside<'a> {
    /// The interests, and the widths of their vectors.
    pub(crate) interests: &'a [InterestFeatures],
    pub(crate) outputs: &'a [i64],
    /// Columns of the model's own.
    pub(crate) columns: i64,
}

impl<'a> FrameConfig<'a> {
    /// A frame without interests: every feature in the order of the schema, lists pooled by their mean.
    pub(crate) fn of_features(embedding: &'a EmbeddingsConfig, mlp: &'a MlpConfig) -> Self {
        Self {
            embedding,
            pooling: Pooling::default(),
            numbers: None,
            order: BlockOrder::Standard,
            blocks: &[],
            bias: &[],
            mlp,
            interests: Vec::new(),
        }
    }

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
        check_names("model.bias", self.bias, space)?;
        self.check_pooling(space)?;
        let features: Vec<InterestFeatures> = self.interests.iter().map(|each| each.features(space)).collect();
        Blocks::new(&self.blocks(space, &features), space, &features, self.pooling)?;
        Ok(())
    }

    /// A maximum knows no weights.
    fn check_pooling(&self, space: &FeatureSpace) -> Result<(), ModelError> {
        let value = match self.pooling {
            Pooling::Sum | Pooling::Mean => return Ok(()),
            Pooling::Max => "max".to_owned(),
            Pooling::PaddedMax(length) => format!("padded_max = {length}"),
        };
        match space.features().iter().find(|feature| matches!(feature.kind, SpaceKind::Weighted(_))) {
            None => Ok(()),
            Some(feature) => Err(ModelError::Config {
                key: "model.pooling".to_owned(),
                value,
                allowed: format!("`sum` or `mean`, because the terms of the feature `{}` have weights", feature.name),
            }),
        }
    }

    /// Looks for conflicts of a model of interests; `layer` for those of its layer, by the width of a candidate.
    pub(crate) fn check_interests(
        &self,
        space: &FeatureSpace,
        layer: impl Fn(i64) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        InterestConfig::check_some(&self.interests)?;
        self.check(space)?;
        self.interests.iter().try_for_each(|interest| layer(interest.width(space, self.embedding)))
    }

    fn blocks(&self, space: &FeatureSpace, interests: &[InterestFeatures]) -> Vec<Block> {
        if self.blocks.is_empty() {
            return self.order.blocks(space, interests, self.numbers.is_some());
        }
        self.blocks.to_vec()
    }

    /// Registers the tables. They are the first to be drawn.
    pub(crate) fn embeddings(
        &self,
        variables: &nn::Path<'_>,
        space: &FeatureSpace,
    ) -> Result<FeatureEmbeddings, ModelError> {
        FeatureEmbeddings::new(&(variables / "embedding"), space, self.embedding)
    }

    /// Registers the network over everything.
    pub(crate) fn deep(
        &self,
        variables: &nn::Path<'_>,
        space: &FeatureSpace,
        embeddings: FeatureEmbeddings,
        beside: Beside<'_>,
    ) -> Result<DeepComponent, ModelError> {
        let count = space.features().iter().filter(|feature| feature.kind == SpaceKind::Numeric).count() as i64;
        let numbers =
            self.numbers.map(|config| NumberProjection::new(&(variables / "numbers"), count, config)).transpose()?;
        let columns: i64 = Blocks::new(&self.blocks(space, beside.interests), space, beside.interests, self.pooling)?
            .widths(&embeddings, numbers.as_ref(), beside.interests, beside.outputs)
            .iter()
            .sum();
        let mlp = Mlp::new(&(variables / "mlp"), columns + beside.columns, self.mlp)?;
        let output = Linear::new(&(variables / "output"), mlp.outputs(), 1)?;
        Ok(DeepComponent { embeddings, pooling: self.pooling, numbers, mlp, output })
    }

    /// Builds a model of interests; `layer` makes the layer of the interest with a number and the width of its
    /// candidate.
    ///
    /// The settings are checked before.
    pub(crate) fn build(
        &self,
        variables: &nn::Path<'_>,
        space: &FeatureSpace,
        mut layer: impl FnMut(usize, &nn::Path<'_>, i64) -> Result<Box<dyn InterestLayer>, ModelError>,
    ) -> Result<InterestModel, ModelError> {
        let embeddings = self.embeddings(variables, space)?;
        let mut interests = Vec::with_capacity(self.interests.len());
        for (index, config) in self.interests.iter().enumerate() {
            let features = config.features(space);
            let width = features.candidate.iter().map(|&feature| embeddings.width(feature)).sum();
            let layer = layer(index, &(variables / format!("interest{index}")), width)?;
            interests.push((features, layer));
        }
        let features: Vec<InterestFeatures> = interests.iter().map(|(features, _)| features.clone()).collect();
        let outputs: Vec<i64> = interests.iter().map(|(_, layer)| layer.outputs()).collect();
        let beside = Beside { interests: &features, outputs: &outputs, columns: 0 };
        let deep = self.deep(variables, space, embeddings, beside)?;
        let biased: Vec<usize> = self.bias.iter().filter_map(|name| space.position(name)).collect();
        let bias = if biased.is_empty() {
            None
        } else {
            Some(FirstOrder::new(&(variables / "bias"), space, &biased)?.sparse(self.embedding.sparse))
        };
        let DeepComponent { embeddings, pooling, numbers, mlp, output } = deep;
        let blocks = Some(self.blocks(space, &features));
        let parts = InterestModelParts { embeddings, interests, blocks, pooling, numbers, bias, mlp, output };
        InterestModel::from_parts(space, parts)
    }
}

/// Whether each name is a feature's, and named once: each would register the same parameter.
pub(crate) fn check_names(key: &str, names: &[String], space: &FeatureSpace) -> Result<(), ModelError> {
    for (index, name) in names.iter().enumerate() {
        let allowed = if space.kind(name).is_none_or(|kind| kind == SpaceKind::Times) {
            format!("a feature: {}", space.names(|kind| kind != SpaceKind::Times))
        } else if names[..index].contains(name) {
            "each feature once".to_owned()
        } else {
            continue;
        };
        return Err(ModelError::Config { key: format!("{key}.{index}"), value: format!("`{name}`"), allowed });
    }
    Ok(())
}
