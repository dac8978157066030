//! The schema as written: what a configuration file says about the columns.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// The schema as written. [`SchemaConfig::check`] turns it into a [`Schema`](crate::Schema).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemaConfig {
    /// Column that holds the label, 0 or 1.
    pub label: String,
    /// Column whose values group rows for GAUC, such as a user id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Column that says when each row happened, in whole seconds since 1970. It is kept beside the features and never
    /// shown to a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Columns with known click probabilities. They are measured beside the model and never shown to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<CeilingConfig>,
    /// The features by name, in the order written. A reader of TOML keeps that order only if it is asked to:
    /// with the crate `toml`, by its feature `preserve_order`.
    #[serde(default)]
    pub features: IndexMap<String, FeatureConfig>,
}

/// Columns of generated data whose click probabilities are known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CeilingConfig {
    /// Column with the best probability that a model blind to the history can give.
    pub blind: String,
    /// Column with the true probability.
    pub optimal: String,
}

/// One feature as written; `kind` says which.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FeatureConfig {
    /// One term per row.
    Category(CategoryConfig),
    /// A list of terms per row, such as a behaviour history.
    Sequence(SequenceConfig),
    /// One number per row.
    Numeric(NumericConfig),
    /// One number per row, as the interval that it falls into.
    Bucket(BucketConfig),
    /// A list of times per row, such as those of a history's events.
    Times(TimesConfig),
}

/// A feature with one term per row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryConfig {
    /// Column; the feature's name by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Name of the feature whose vocabulary this one shares; its own by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vocabulary: Option<String>,
    /// Training rows must hold a term at least this often, else it is unknown. Default 1.
    /// Only where the vocabulary is the feature's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_count: Option<u64>,
    /// Number of hash buckets in the place of a vocabulary that is learnt: the id of a term is 1 + its xxh3-64 modulo
    /// this number. Only where the vocabulary is the feature's own; features that share it share the buckets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buckets: Option<u32>,
}

/// A feature with a list of terms per row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SequenceConfig {
    /// Column; the feature's name by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Text between two terms, one or more characters; `|` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
    /// Text between a term and its weight, as in `hat:0.5|shoe` with `":"`: a term without one weighs 1. What follows
    /// the last such text of a term is its weight. By default terms have no weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_separator: Option<String>,
    /// Most terms kept per row.
    pub max_length: usize,
    /// Which end of a longer list is kept.
    #[serde(default)]
    pub keep: Keep,
    /// Name of the feature whose vocabulary this one shares; its own by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vocabulary: Option<String>,
    /// Training rows must hold a term at least this often, else it is unknown. Default 1.
    /// Only where the vocabulary is the feature's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_count: Option<u64>,
    /// Number of hash buckets in the place of a vocabulary that is learnt: the id of a term is 1 + its xxh3-64 modulo
    /// this number. Only where the vocabulary is the feature's own; features that share it share the buckets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buckets: Option<u32>,
}

/// Which end of a list longer than `max_length` is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// The last terms: the most recent events of a history in order of time.
    #[default]
    Last,
    /// The first terms.
    First,
}

/// A feature with a list of times per row, in whole seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimesConfig {
    /// Column; the feature's name by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Text between two times, one or more characters; `|` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
    /// Most times kept per row.
    pub max_length: usize,
    /// Which end of a longer list is kept.
    #[serde(default)]
    pub keep: Keep,
}

/// A feature with one number per row.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumericConfig {
    /// Column; the feature's name by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What stands for a missing number; it is scaled as others are.
    #[serde(default, skip_serializing_if = "Missing::is_mean")]
    pub missing: Missing,
    /// How numbers are scaled.
    #[serde(default)]
    pub scale: Scale,
    /// Number of quantiles, with `scale = "quantile"` only; 1000 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantiles: Option<usize>,
}

/// What stands for a missing number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// The mean of the training rows' numbers.
    #[default]
    Mean,
    /// Their median; of an even count, the middle between the two middle ones.
    Median,
    /// A number of one's own: `missing = { constant = 0 }`.
    Constant(f64),
}

impl Missing {
    /// Whether it is what stands where nothing is written.
    fn is_mean(&self) -> bool {
        *self == Self::Mean
    }
}

/// How a number is scaled, as written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// To mean 0 and standard deviation 1.
    #[default]
    Standard,
    /// From the training rows' smallest and largest value to 0 and 1.
    MinMax,
    /// To the share of training values below, between 0 and 1.
    Quantile,
    /// To the logarithm of the number plus 1. Numbers must be above -1.
    Log1p,
    /// To that logarithm, then to mean 0 and standard deviation 1.
    Log1pStandard,
    /// As it is.
    None,
}

/// A feature with one number per row, as the interval that it falls into. One of `boundaries` and `quantiles` is needed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BucketConfig {
    /// Column; the feature's name by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The numbers between two intervals, ascending. A boundary belongs to the interval above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundaries: Option<Vec<f64>>,
    /// Number of intervals with as many training rows each, as far as equal numbers allow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantiles: Option<usize>,
}
