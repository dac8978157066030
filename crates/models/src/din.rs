//! The Deep Interest Network.

use fain_layers::{
    EmbeddingConfig, Jagged, Linear, Mlp, MlpConfig, Mode, Pooling, TargetAttention, TargetAttentionConfig,
};
use serde::{Deserialize, Serialize};
use tch::{Tensor, nn};

use crate::feature_embeddings::check_names;
use crate::{FeatureEmbeddings, FeatureSpace, InputColumn, Model, ModelError, ModelInput, SpaceKind};

/// The settings of [`Din`]. The defaults are the paper's, where it names one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DinConfig {
    /// How the lists are pooled that no interest reads.
    pub pooling: Pooling,
    /// Width and start of every embedding table.
    pub embedding: EmbeddingConfig,
    /// The scoring network; each interest has its own.
    pub attention: TargetAttentionConfig,
    /// The network over everything.
    pub mlp: MlpConfig,
    /// The histories that are read in the light of a candidate, at least one.
    pub interests: Vec<InterestConfig>,
}

/// Histories that are read together in the light of a candidate.
///
/// With several pairs, the vectors of `candidate[i]` are concatenated, and so are those of `history[i]`: an item and
/// its category, and the items and categories of the history, make one interest. Their lengths agree row by row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterestConfig {
    /// Category features of the candidate.
    pub candidate: Vec<String>,
    /// Sequence features of the history, one for each of `candidate`, with the same vocabulary.
    pub history: Vec<String>,
}

#[derive(Debug)]
struct Interest {
    candidate: Vec<usize>,
    history: Vec<usize>,
    names: Vec<String>,
    attention: TargetAttention,
}

/// The Deep Interest Network, <https://arxiv.org/abs/1706.06978>, section 4.
///
/// Each interest pools a history by [`TargetAttention`]; other lists are pooled plainly. Interests, categories, pooled
/// lists and numbers are concatenated and go through hidden layers to one logit.
/// Parameters: `embedding.{vocabulary}`, `interest{i}`, `mlp`, `output`.
#[derive(Debug)]
pub struct Din {
    embeddings: FeatureEmbeddings,
    interests: Vec<Interest>,
    flat: Vec<usize>,
    pooling: Pooling,
    mlp: Mlp,
    output: Linear,
}

impl DinConfig {
    /// Looks for conflicts with the features.
    ///
    /// # Errors
    /// [`ModelError::Config`] names the key, its value and what is allowed.
    pub fn check(&self, space: &FeatureSpace) -> Result<(), ModelError> {
        check_names(space)?;
        self.embedding.check().map_err(|error| ModelError::under("model.embedding", error))?;
        self.attention.check().map_err(|error| ModelError::under("model.attention", error))?;
        self.mlp.check().map_err(|error| ModelError::under("model.mlp", error))?;
        if self.interests.is_empty() {
            return Err(ModelError::Config {
                key: "model.interests".to_owned(),
                value: "empty".to_owned(),
                allowed: "at least one interest with a candidate and a history".to_owned(),
            });
        }
        for (index, interest) in self.interests.iter().enumerate() {
            interest.check(&format!("model.interests.{index}"), space)?;
        }
        Ok(())
    }
}

impl InterestConfig {
    fn check(&self, key: &str, space: &FeatureSpace) -> Result<(), ModelError> {
        if self.candidate.is_empty() || self.candidate.len() != self.history.len() {
            return Err(ModelError::Config {
                key: key.to_owned(),
                value: format!("{} candidate and {} history features", self.candidate.len(), self.history.len()),
                allowed: "as many history features as candidate features, at least one".to_owned(),
            });
        }
        for (candidate, history) in self.candidate.iter().zip(&self.history) {
            let kind_of = |name: &str| space.position(name).map(|position| space.features()[position].kind);
            let Some(SpaceKind::Category(candidate_vocabulary)) = kind_of(candidate) else {
                return Err(ModelError::Config {
                    key: format!("{key}.candidate"),
                    value: format!("`{candidate}`"),
                    allowed: format!(
                        "a category feature: {}",
                        space.names(|kind| matches!(kind, SpaceKind::Category(_)))
                    ),
                });
            };
            let Some(SpaceKind::Sequence(history_vocabulary)) = kind_of(history) else {
                return Err(ModelError::Config {
                    key: format!("{key}.history"),
                    value: format!("`{history}`"),
                    allowed: format!(
                        "a sequence feature: {}",
                        space.names(|kind| matches!(kind, SpaceKind::Sequence(_)))
                    ),
                });
            };
            if candidate_vocabulary != history_vocabulary {
                let vocabulary = &space.vocabularies()[candidate_vocabulary].0;
                return Err(ModelError::Config {
                    key: format!("{key}.history"),
                    value: format!("`{history}`"),
                    allowed: format!(
                        "a sequence with the candidate's vocabulary \
                         (schema.features.{history}.vocabulary = \"{vocabulary}\")"
                    ),
                });
            }
        }
        Ok(())
    }

    fn build(
        &self,
        variables: &nn::Path<'_>,
        space: &FeatureSpace,
        dim: i64,
        config: &TargetAttentionConfig,
    ) -> Result<Interest, ModelError> {
        let positions = |names: &[String]| names.iter().filter_map(|name| space.position(name)).collect();
        let width = dim * self.candidate.len() as i64;
        Ok(Interest {
            candidate: positions(&self.candidate),
            history: positions(&self.history),
            names: self.history.clone(),
            attention: TargetAttention::new(variables, width, config)?,
        })
    }
}

impl Interest {
    /// `[B, D · pairs]`.
    fn forward(&self, embeddings: &FeatureEmbeddings, input: &ModelInput, mode: Mode) -> Result<Tensor, ModelError> {
        self.check_lengths(input)?;
        let candidate =
            self.candidate.iter().map(|&feature| embeddings.category(input, feature)).collect::<Result<Vec<_>, _>>()?;
        let mut history =
            self.history.iter().map(|&feature| embeddings.sequence(input, feature)).collect::<Result<Vec<_>, _>>()?;
        if let ([candidate], [history]) = (candidate.as_slice(), history.as_slice()) {
            return Ok(self.attention.forward(candidate, history, mode)?);
        }
        let values: Vec<&Tensor> = history.iter().map(Jagged::values).collect();
        let values = Tensor::f_cat(&values, 1)?;
        let layout = history.swap_remove(0).layout().clone();
        Ok(self.attention.forward(&Tensor::f_cat(&candidate, 1)?, &Jagged::new(values, layout)?, mode)?)
    }

    /// Layouts are shared where the lengths agree, so that a difference shows without reading a tensor.
    fn check_lengths(&self, input: &ModelInput) -> Result<(), ModelError> {
        let layout = |feature: usize| match input.columns.get(feature) {
            Some(InputColumn::Sequence(_, layout)) => Some(layout),
            _ => None,
        };
        let Some(first) = layout(self.history[0]) else { return Ok(()) };
        for (index, &feature) in self.history.iter().enumerate().skip(1) {
            let Some(other) = layout(feature) else { continue };
            if first.same_as(other) {
                continue;
            }
            let (first, other) = (Vec::<i64>::try_from(first.lengths())?, Vec::<i64>::try_from(other.lengths())?);
            if let Some(row) = (0..first.len()).find(|&row| first[row] != other[row]) {
                return Err(ModelError::HistoryLengths {
                    first: self.names[0].clone(),
                    other: self.names[index].clone(),
                    row,
                    first_length: first[row] as u32,
                    other_length: other[row] as u32,
                });
            }
        }
        Ok(())
    }
}

impl Din {
    /// Builds the network and registers its parameters.
    ///
    /// # Errors
    /// Those of [`DinConfig::check`]; no variable is registered then.
    pub fn new(variables: &nn::Path<'_>, space: &FeatureSpace, config: &DinConfig) -> Result<Self, ModelError> {
        config.check(space)?;
        let embeddings = FeatureEmbeddings::new(&(variables / "embedding"), space, config.embedding)?;
        let mut interests = Vec::with_capacity(config.interests.len());
        for (index, interest) in config.interests.iter().enumerate() {
            let variables = variables / format!("interest{index}");
            interests.push(interest.build(&variables, space, embeddings.dim(), &config.attention)?);
        }
        let read: Vec<usize> = interests.iter().flat_map(|interest| interest.history.clone()).collect();
        let flat: Vec<usize> = (0..space.features().len()).filter(|feature| !read.contains(feature)).collect();
        let flat_width: i64 = flat
            .iter()
            .map(|&feature| match space.features()[feature].kind {
                SpaceKind::Numeric => 1,
                SpaceKind::Category(_) | SpaceKind::Sequence(_) => embeddings.dim(),
            })
            .sum();
        let interest_width: i64 =
            interests.iter().map(|interest| embeddings.dim() * interest.history.len() as i64).sum();
        let mlp = Mlp::new(&(variables / "mlp"), flat_width + interest_width, &config.mlp)?;
        let output = Linear::new(&(variables / "output"), mlp.outputs(), 1)?;
        Ok(Self { embeddings, interests, flat, pooling: config.pooling, mlp, output })
    }
}

impl Model for Din {
    fn forward(&self, input: &ModelInput, mode: Mode) -> Result<Tensor, ModelError> {
        let mut blocks = Vec::with_capacity(self.flat.len() + self.interests.len());
        for &feature in &self.flat {
            blocks.push(self.embeddings.flat(input, feature, self.pooling)?);
        }
        for interest in &self.interests {
            blocks.push(interest.forward(&self.embeddings, input, mode)?);
        }
        let hidden = self.mlp.forward(&Tensor::f_cat(&blocks, 1)?, mode)?;
        Ok(self.output.forward(&hidden)?.f_squeeze_dim(1)?)
    }
}
