//! The schema after its checks.

use crate::schema::{CeilingConfig, Keep, Missing, SchemaConfig};

/// A schema without contradictions. [`SchemaConfig::check`] makes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    pub(crate) config: SchemaConfig,
    pub(crate) features: Vec<Feature>,
    pub(crate) vocabularies: Vec<String>,
    pub(crate) id_rules: Vec<IdRule>,
}

/// One feature of a checked schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// The feature's name.
    pub name: String,
    /// The column it reads.
    pub column: String,
    /// What it is.
    pub kind: FeatureKind,
}

/// What a feature is.
#[derive(Debug, Clone, PartialEq)]
pub enum FeatureKind {
    /// One term per row.
    Category {
        /// Index of the vocabulary in [`Schema::vocabularies`].
        vocabulary: usize,
    },
    /// A list of terms per row.
    Sequence {
        /// Index of the vocabulary in [`Schema::vocabularies`].
        vocabulary: usize,
        /// Text between two terms, never empty.
        separator: String,
        /// Text between a term and its weight, never empty; `None` where terms have no weights.
        weight_separator: Option<String>,
        /// Most terms kept per row, at least 1.
        max_length: usize,
        /// Which end of a longer list is kept.
        keep: Keep,
    },
    /// One number per row.
    Numeric {
        /// What stands for a missing number.
        missing: Missing,
        /// How it is scaled.
        scale: Scaling,
    },
    /// One number per row, as the interval that it falls into.
    Bucket {
        /// Index of the vocabulary in [`Schema::vocabularies`].
        vocabulary: usize,
    },
    /// A list of times per row, in seconds since 1970.
    Times {
        /// Text between two times, never empty.
        separator: String,
        /// Most times kept per row, at least 1.
        max_length: usize,
        /// Which end of a longer list is kept.
        keep: Keep,
    },
}

impl FeatureKind {
    /// Index in [`Schema::vocabularies`] of the vocabulary that the feature's ids are of; `None` for numbers and times.
    pub fn vocabulary(&self) -> Option<usize> {
        match self {
            Self::Category { vocabulary } | Self::Sequence { vocabulary, .. } | Self::Bucket { vocabulary } => {
                Some(*vocabulary)
            }
            Self::Numeric { .. } | Self::Times { .. } => None,
        }
    }
}

/// How the ids of a vocabulary are given.
#[derive(Debug, Clone, PartialEq)]
pub enum IdRule {
    /// A number for each term that training rows hold often enough.
    Terms {
        /// How often they must hold it, at least 1.
        min_count: u64,
    },
    /// The bucket that the term's hash falls into.
    Hash {
        /// Number of buckets, at least 1.
        buckets: u32,
    },
    /// The interval that the number falls into.
    Intervals(Buckets),
}

/// How numbers are divided into intervals.
#[derive(Debug, Clone, PartialEq)]
pub enum Buckets {
    /// By given boundaries, ascending and finite; at least one.
    Boundaries(Vec<f64>),
    /// Into so many intervals with as many training rows each, at least 2.
    Quantiles(usize),
}

/// How a number is scaled, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scaling {
    /// To mean 0 and standard deviation 1.
    Standard,
    /// From the training rows' smallest and largest value to 0 and 1.
    MinMax,
    /// To the share of training values below, between 0 and 1.
    Quantile {
        /// Number of quantiles, at least 2.
        quantiles: usize,
    },
    /// To the logarithm of the number plus 1.
    Log1p,
    /// To that logarithm, then to mean 0 and standard deviation 1.
    Log1pStandard,
    /// As it is.
    None,
}

impl Schema {
    /// The schema as written.
    pub fn config(&self) -> &SchemaConfig {
        &self.config
    }

    /// The features, in the order written.
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// A feature by name, with its place in [`Schema::features`].
    pub fn feature(&self, name: &str) -> Option<(usize, &Feature)> {
        self.features.iter().enumerate().find(|(_, feature)| feature.name == name)
    }

    /// The vocabularies, each by the name of the feature that owns it, in the order of the features.
    pub fn vocabularies(&self) -> &[String] {
        &self.vocabularies
    }

    /// How the ids of each vocabulary are given; as long as [`Schema::vocabularies`].
    pub fn id_rules(&self) -> &[IdRule] {
        &self.id_rules
    }

    /// The label's column.
    pub fn label(&self) -> &str {
        &self.config.label
    }

    /// The group's column.
    pub fn group(&self) -> Option<&str> {
        self.config.group.as_deref()
    }

    /// The column of the rows' times.
    pub fn time(&self) -> Option<&str> {
        self.config.time.as_deref()
    }

    /// The columns with known probabilities.
    pub fn ceiling(&self) -> Option<&CeilingConfig> {
        self.config.ceiling.as_ref()
    }
}
