//! What a model reads: the features and the sizes of their vocabularies.

use fain_features::{Encoders, FeatureKind, Schema};

use crate::ModelError;

/// The features a model reads, and the vocabularies they share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureSpace {
    features: Vec<SpaceFeature>,
    vocabularies: Vec<(String, usize)>,
}

/// One feature of a [`FeatureSpace`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceFeature {
    /// Its name in the schema.
    pub name: String,
    /// What it is.
    pub kind: SpaceKind,
}

/// What a feature is to a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpaceKind {
    /// One id per sample, of the vocabulary with this index.
    Category(usize),
    /// A list of ids per sample, of the vocabulary with this index.
    Sequence(usize),
    /// A list of ids with weights per sample, of the vocabulary with this index.
    Weighted(usize),
    /// One number per sample.
    Numeric,
    /// A list of times per sample.
    Times,
}

impl SpaceKind {
    /// Its vocabulary, if it is made of terms.
    pub(crate) fn vocabulary(self) -> Option<usize> {
        match self {
            Self::Category(vocabulary) | Self::Sequence(vocabulary) | Self::Weighted(vocabulary) => Some(vocabulary),
            Self::Numeric | Self::Times => None,
        }
    }

    /// What it is, in the words of [`ModelError::Column`].
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Category(_) => "a category",
            Self::Sequence(_) => "a sequence",
            Self::Weighted(_) => "a weighted sequence",
            Self::Numeric => "a number",
            Self::Times => "times",
        }
    }
}

impl FeatureSpace {
    /// Joins a schema with the sizes of its vocabularies, in the order of [`Schema::vocabularies`].
    ///
    /// A size that is not given counts as 1: a vocabulary always has its unknown id.
    pub fn new(schema: &Schema, sizes: &[usize]) -> Self {
        let features = schema
            .features()
            .iter()
            .map(|feature| SpaceFeature {
                name: feature.name.clone(),
                kind: match &feature.kind {
                    FeatureKind::Category { vocabulary } | FeatureKind::Bucket { vocabulary } => {
                        SpaceKind::Category(*vocabulary)
                    }
                    FeatureKind::Sequence { vocabulary, weight_separator: None, .. } => {
                        SpaceKind::Sequence(*vocabulary)
                    }
                    FeatureKind::Sequence { vocabulary, weight_separator: Some(_), .. } => {
                        SpaceKind::Weighted(*vocabulary)
                    }
                    FeatureKind::Numeric { .. } => SpaceKind::Numeric,
                    FeatureKind::Times { .. } => SpaceKind::Times,
                },
            })
            .collect();
        let sizes = sizes.iter().copied().chain(std::iter::repeat(1));
        let vocabularies = schema.vocabularies().iter().cloned().zip(sizes).collect();
        Self { features, vocabularies }
    }

    /// Joins features and vocabularies (name and number of ids) that no schema describes.
    ///
    /// # Errors
    /// [`ModelError::Parts`] names a feature whose vocabulary is missing.
    pub fn from_parts(features: Vec<SpaceFeature>, vocabularies: Vec<(String, usize)>) -> Result<Self, ModelError> {
        for feature in &features {
            if let Some(vocabulary) = feature.kind.vocabulary()
                && vocabulary >= vocabularies.len()
            {
                return Err(ModelError::Parts {
                    part: format!("feature {}", feature.name),
                    problem: format!("vocabulary {vocabulary} is missing; there are {}", vocabularies.len()),
                });
            }
        }
        Ok(Self { features, vocabularies })
    }

    /// The space of fitted encoders.
    pub fn of(encoders: &Encoders) -> Self {
        let schema = encoders.schema();
        let sizes: Vec<usize> =
            (0..schema.vocabularies().len()).map(|index| encoders.vocabulary(index).size()).collect();
        Self::new(schema, &sizes)
    }

    /// The features, in the order of the schema, which is the order of a batch's columns.
    pub fn features(&self) -> &[SpaceFeature] {
        &self.features
    }

    /// Name and number of ids of each vocabulary.
    pub fn vocabularies(&self) -> &[(String, usize)] {
        &self.vocabularies
    }

    /// A feature's place by its name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.features.iter().position(|feature| feature.name == name)
    }

    /// What a feature is, by its name.
    pub fn kind(&self, name: &str) -> Option<SpaceKind> {
        self.position(name).map(|position| self.features[position].kind)
    }

    /// Names of the features that `wanted` picks, for messages.
    pub(crate) fn names(&self, wanted: impl Fn(SpaceKind) -> bool) -> String {
        let names: Vec<&str> =
            self.features.iter().filter(|feature| wanted(feature.kind)).map(|feature| feature.name.as_str()).collect();
        if names.is_empty() { "none in the schema".to_owned() } else { names.join(", ") }
    }
}
