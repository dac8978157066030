//! Which features an interest reads.

use serde::{Deserialize, Serialize};

use crate::{EmbeddingsConfig, FeatureSpace, InterestFeatures, ModelError, SpaceKind};

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
    /// The times of the history's events, a feature of the kind `times`; for models that divide a history by them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<String>,
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
        if let Some(times) = &self.times
            && space.kind(times) != Some(SpaceKind::Times)
        {
            return Err(ModelError::Config {
                key: format!("{key}.times"),
                value: format!("`{times}`"),
                allowed: format!("a feature of times: {}", space.names(|kind| kind == SpaceKind::Times)),
            });
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
        let allowed = "nothing: without an auxiliary loss they are not read";
        NEGATIVE.in_none(interests, list, allowed)
    }

    /// An auxiliary loss needs negatives in every interest.
    pub(crate) fn check_with_negatives(interests: &[Self]) -> Result<(), ModelError> {
        let allowed = "a sequence of negatives for each history, because model.auxiliary is set";
        NEGATIVE.in_each(interests, allowed)
    }

    /// A model that does not divide histories by time reads no times.
    pub(crate) fn check_without_times(interests: &[Self], list: &str) -> Result<(), ModelError> {
        TIMES.in_none(interests, list, "nothing: they are read by DSIN with model.session_gap only")
    }

    /// Sessions that end at gaps need the times of every history.
    pub(crate) fn check_with_times(interests: &[Self]) -> Result<(), ModelError> {
        TIMES.in_each(interests, "a feature of times for each interest, because model.session_gap is set")
    }

    /// Features whose lists have as many entries in every row.
    pub(crate) fn equal_lengths(&self) -> Vec<String> {
        match self.lengths {
            HistoryLengths::Equal => self.history.iter().chain(&self.negative).chain(&self.times).cloned().collect(),
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
            times: self.times.as_ref().and_then(|name| space.position(name)),
            lengths: self.lengths,
        }
    }
}

/// A key of an interest that only some models read.
struct OptionalKey {
    name: &'static str,
    /// Its value, where it is set.
    value: fn(&InterestConfig) -> Option<String>,
}

const NEGATIVE: OptionalKey = OptionalKey {
    name: "negative",
    value: |interest| (!interest.negative.is_empty()).then(|| format!("{:?}", interest.negative)),
};

const TIMES: OptionalKey =
    OptionalKey { name: "times", value: |interest| interest.times.as_ref().map(|name| format!("`{name}`")) };

impl OptionalKey {
    fn in_none(&self, interests: &[InterestConfig], list: &str, allowed: &str) -> Result<(), ModelError> {
        let found = interests.iter().map(self.value).enumerate().find_map(|(index, value)| Some((index, value?)));
        match found {
            None => Ok(()),
            Some((index, value)) => {
                let key = format!("model.{list}.{index}.{}", self.name);
                Err(ModelError::Config { key, value, allowed: allowed.to_owned() })
            }
        }
    }

    fn in_each(&self, interests: &[InterestConfig], allowed: &str) -> Result<(), ModelError> {
        match interests.iter().map(self.value).position(|value| value.is_none()) {
            None => Ok(()),
            Some(index) => Err(ModelError::Config {
                key: format!("model.interests.{index}.{}", self.name),
                value: "missing".to_owned(),
                allowed: allowed.to_owned(),
            }),
        }
    }
}

fn check_sequence(key: &str, name: &str, vocabulary: usize, space: &FeatureSpace) -> Result<(), ModelError> {
    if let Some(SpaceKind::Weighted(_)) = space.kind(name) {
        return Err(ModelError::Config {
            key: key.to_owned(),
            value: format!("`{name}`, whose terms have weights"),
            allowed: format!("a sequence without weights (no schema.features.{name}.weight_separator)"),
        });
    }
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
