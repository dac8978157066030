//! Which features an interest reads.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use fain_layers::{Jagged, JaggedLayout};

use crate::{EmbeddingsConfig, FeatureEmbeddings, FeatureSpace, InputColumn, ModelError, ModelInput, SpaceKind};

/// Histories that are read together in the light of a candidate.
///
/// With several pairs, the vectors of `candidate[i]` are concatenated, and so are those of `history[i]`: an item and
/// its category, and the items and categories of the history, make one interest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterestConfig {
    /// Category features of the candidate.
    pub candidate: Vec<String>,
    /// Sequence features of the history, one for each of `candidate`, with the same vocabulary.
    pub history: Vec<String>,
    /// Sequence features of events that did not happen, one for each of `history`, with the same vocabulary and
    /// lengths; for models with an auxiliary loss. They are read in training only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub negative: Vec<String>,
    /// What is done where the histories have different lengths.
    #[serde(default)]
    pub lengths: HistoryLengths,
}

/// What is done where the histories of one interest have different lengths in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryLengths {
    /// It is an error that names the row.
    #[default]
    Equal,
    /// The shortest counts; of the others the first events are read.
    Shortest,
}

impl InterestConfig {
    /// Looks for conflicts with the features. `key` is where the interest stands in the configuration file.
    ///
    /// # Errors
    /// [`ModelError::Config`] names the key, its value and what is allowed.
    pub(crate) fn check(&self, key: &str, space: &FeatureSpace) -> Result<(), ModelError> {
        if self.candidate.is_empty() || self.candidate.len() != self.history.len() {
            return Err(ModelError::Config {
                key: key.to_owned(),
                value: format!("{} candidate and {} history features", self.candidate.len(), self.history.len()),
                allowed: "as many history features as candidate features, at least one".to_owned(),
            });
        }
        for (candidate, history) in self.candidate.iter().zip(&self.history) {
            let Some(SpaceKind::Category(vocabulary)) = space.kind(candidate) else {
                return Err(ModelError::Config {
                    key: format!("{key}.candidate"),
                    value: format!("`{candidate}`"),
                    allowed: format!(
                        "a category feature: {}",
                        space.names(|kind| matches!(kind, SpaceKind::Category(_)))
                    ),
                });
            };
            check_sequence(&format!("{key}.history"), history, vocabulary, space)?;
        }
        if self.negative.is_empty() {
            return Ok(());
        }
        if self.negative.len() != self.history.len() {
            return Err(ModelError::Config {
                key: format!("{key}.negative"),
                value: format!("{} features", self.negative.len()),
                allowed: format!("{}, one for each history", self.history.len()),
            });
        }
        for (negative, candidate) in self.negative.iter().zip(&self.candidate) {
            if let Some(SpaceKind::Category(vocabulary)) = space.kind(candidate) {
                check_sequence(&format!("{key}.negative"), negative, vocabulary, space)?;
            }
            if self.history.contains(negative) {
                return Err(ModelError::Config {
                    key: format!("{key}.negative"),
                    value: format!("`{negative}`"),
                    allowed: "a feature that is not a history".to_owned(),
                });
            }
        }
        Ok(())
    }

    /// A model that reads interests has at least one.
    pub(crate) fn check_some(interests: &[Self]) -> Result<(), ModelError> {
        if interests.is_empty() {
            return Err(ModelError::Config {
                key: "model.interests".to_owned(),
                value: "empty".to_owned(),
                allowed: "at least one interest with a candidate and a history".to_owned(),
            });
        }
        Ok(())
    }

    /// A model without auxiliary loss reads no negatives.
    pub(crate) fn check_without_negatives(interests: &[Self], list: &str) -> Result<(), ModelError> {
        match interests.iter().enumerate().find(|(_, interest)| !interest.negative.is_empty()) {
            None => Ok(()),
            Some((index, interest)) => Err(ModelError::Config {
                key: format!("model.{list}.{index}.negative"),
                value: format!("{:?}", interest.negative),
                allowed: "nothing: without an auxiliary loss they are not read".to_owned(),
            }),
        }
    }

    /// An auxiliary loss needs negatives in every interest.
    pub(crate) fn check_with_negatives(interests: &[Self]) -> Result<(), ModelError> {
        match interests.iter().position(|interest| interest.negative.is_empty()) {
            None => Ok(()),
            Some(index) => Err(ModelError::Config {
                key: format!("model.interests.{index}.negative"),
                value: "missing".to_owned(),
                allowed: "a sequence of negatives for each history, because model.auxiliary is set".to_owned(),
            }),
        }
    }

    /// Features whose lists have as many entries in every row.
    pub(crate) fn equal_lengths(&self) -> Vec<String> {
        match self.lengths {
            HistoryLengths::Equal => self.history.iter().chain(&self.negative).cloned().collect(),
            HistoryLengths::Shortest => Vec::new(),
        }
    }

    /// The width of a candidate and of an event, as far as `space` has the features.
    pub(crate) fn width(&self, space: &FeatureSpace, embedding: &EmbeddingsConfig) -> i64 {
        let dim = |name: &String| match space.kind(name) {
            Some(SpaceKind::Category(vocabulary)) => embedding.table(&space.vocabularies()[vocabulary].0).dim,
            _ => 0,
        };
        self.candidate.iter().map(dim).sum()
    }

    /// The features' places; those that the space lacks are left out.
    pub(crate) fn features(&self, space: &FeatureSpace) -> InterestFeatures {
        let positions = |names: &[String]| names.iter().filter_map(|name| space.position(name)).collect();
        InterestFeatures {
            candidate: positions(&self.candidate),
            history: positions(&self.history),
            negative: positions(&self.negative),
            lengths: self.lengths,
        }
    }
}

fn check_sequence(key: &str, name: &str, vocabulary: usize, space: &FeatureSpace) -> Result<(), ModelError> {
    let Some(SpaceKind::Sequence(own)) = space.kind(name) else {
        return Err(ModelError::Config {
            key: key.to_owned(),
            value: format!("`{name}`"),
            allowed: format!("a sequence feature: {}", space.names(|kind| matches!(kind, SpaceKind::Sequence(_)))),
        });
    };
    if own == vocabulary {
        return Ok(());
    }
    let vocabulary = &space.vocabularies()[vocabulary].0;
    Err(ModelError::Config {
        key: key.to_owned(),
        value: format!("`{name}`"),
        allowed: format!(
            "a sequence with the candidate's vocabulary (schema.features.{name}.vocabulary = \"{vocabulary}\")"
        ),
    })
}

/// The features an interest reads, by their places in the schema.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InterestFeatures {
    /// Category features of the candidate.
    pub candidate: Vec<usize>,
    /// Sequence features of the history, at least one.
    pub history: Vec<usize>,
    /// Sequence features of events that did not happen; empty, or as many as `history`.
    pub negative: Vec<usize>,
    /// What is done where the histories have different lengths.
    pub lengths: HistoryLengths,
}

/// An interest's inputs of one batch.
#[derive(Debug)]
pub(crate) struct InterestVectors {
    /// `[B, D]`.
    pub(crate) candidate: Tensor,
    /// Jagged `[N, D]`.
    pub(crate) history: Jagged,
    /// Jagged `[N, D]`, where it was asked for and the model has it.
    pub(crate) negative: Option<Jagged>,
}

impl InterestFeatures {
    /// Whether the places are those of categories and sequences.
    ///
    /// # Errors
    /// [`ModelError::Parts`] names the first that is not.
    pub(crate) fn check(&self, part: &str, space: &FeatureSpace) -> Result<(), ModelError> {
        let refuse = |problem: String| Err(ModelError::Parts { part: part.to_owned(), problem });
        if self.candidate.is_empty() || self.history.is_empty() {
            return refuse("it needs a candidate and a history".to_owned());
        }
        if !self.negative.is_empty() && self.negative.len() != self.history.len() {
            return refuse(format!("{} histories have {} negatives", self.history.len(), self.negative.len()));
        }
        let kind = |feature: usize| space.features().get(feature).map(|feature| feature.kind);
        if let Some(feature) =
            self.candidate.iter().find(|&&feature| !matches!(kind(feature), Some(SpaceKind::Category(_))))
        {
            return refuse(format!("feature {feature} is no category"));
        }
        let mut lists = self.history.iter().chain(&self.negative);
        match lists.find(|&&feature| !matches!(kind(feature), Some(SpaceKind::Sequence(_)))) {
            Some(feature) => refuse(format!("feature {feature} is no sequence")),
            None => Ok(()),
        }
    }

    /// Looks the vectors up; negatives only when they are `wanted`.
    ///
    /// # Errors
    /// [`ModelError::HistoryLengths`] where lengths differ and must not; [`ModelError::Column`] when the batch is not of
    /// the schema.
    pub(crate) fn look_up(
        &self,
        embeddings: &FeatureEmbeddings,
        input: &ModelInput,
        wanted: bool,
    ) -> Result<InterestVectors, ModelError> {
        let candidate =
            self.candidate.iter().map(|&feature| embeddings.category(input, feature)).collect::<Result<Vec<_>, _>>()?;
        let layout = self.layout(embeddings, input)?;
        let history = join(&self.history, embeddings, input, layout.as_ref())?;
        let negative = if wanted && !self.negative.is_empty() {
            self.check_lengths(embeddings, input, history.layout())?;
            Some(join(&self.negative, embeddings, input, Some(history.layout()))?)
        } else {
            None
        };
        Ok(InterestVectors { candidate: concatenate(candidate)?, history, negative })
    }

    /// The layout that the histories are cut to; none where they are read whole.
    fn layout(&self, embeddings: &FeatureEmbeddings, input: &ModelInput) -> Result<Option<JaggedLayout>, ModelError> {
        let layouts: Vec<&JaggedLayout> =
            self.history.iter().filter_map(|&feature| sequence_layout(input, feature)).collect();
        match (self.lengths, layouts.split_first()) {
            (HistoryLengths::Equal, Some((first, _))) => {
                for &other in &self.history[1..] {
                    check_equal(embeddings, input, (self.history[0], first), other)?;
                }
                Ok(None)
            }
            (HistoryLengths::Shortest, Some(_)) => Ok(Some(JaggedLayout::shortest(&layouts)?)),
            (_, None) => Ok(None),
        }
    }

    fn check_lengths(
        &self,
        embeddings: &FeatureEmbeddings,
        input: &ModelInput,
        layout: &JaggedLayout,
    ) -> Result<(), ModelError> {
        if self.lengths == HistoryLengths::Equal {
            for &negative in &self.negative {
                check_equal(embeddings, input, (self.history[0], layout), negative)?;
            }
        }
        Ok(())
    }
}

fn sequence_layout(input: &ModelInput, feature: usize) -> Option<&JaggedLayout> {
    match input.columns.get(feature) {
        Some(InputColumn::Sequence(_, layout)) => Some(layout),
        _ => None,
    }
}

/// Whether a feature's lists are as long as those of the first history.
fn check_equal(
    embeddings: &FeatureEmbeddings,
    input: &ModelInput,
    (first, layout): (usize, &JaggedLayout),
    feature: usize,
) -> Result<(), ModelError> {
    let Some(other) = sequence_layout(input, feature) else { return Ok(()) };
    let lengths = layout.host_offsets().windows(2).zip(other.host_offsets().windows(2));
    for (row, (pair, other)) in lengths.enumerate() {
        let (first_length, other_length) = (pair[1] - pair[0], other[1] - other[0]);
        if first_length != other_length {
            let name = |feature: usize| embeddings.features()[feature].name.clone();
            return Err(ModelError::HistoryLengths {
                first: name(first),
                other: name(feature),
                row,
                first_length,
                other_length,
            });
        }
    }
    Ok(())
}

/// Lists side by side, cut to `layout` if there is one.
fn join(
    features: &[usize],
    embeddings: &FeatureEmbeddings,
    input: &ModelInput,
    layout: Option<&JaggedLayout>,
) -> Result<Jagged, ModelError> {
    let mut lists = Vec::with_capacity(features.len());
    for &feature in features {
        let list = embeddings.sequence(input, feature)?;
        lists.push(match layout {
            Some(layout) => list.first(layout)?,
            None => list,
        });
    }
    if lists.len() == 1 {
        return Ok(lists.swap_remove(0));
    }
    let values: Vec<&Tensor> = lists.iter().map(Jagged::values).collect();
    let values = Tensor::f_cat(&values, 1)?;
    Ok(Jagged::new(values, lists.swap_remove(0).layout().clone())?)
}

fn concatenate(mut vectors: Vec<Tensor>) -> Result<Tensor, ModelError> {
    if vectors.len() == 1 {
        return Ok(vectors.swap_remove(0));
    }
    Ok(Tensor::f_cat(&vectors, 1)?)
}
