//! How the column of a feature is read, alike for learning and for encoding.

use crate::checked::{FeatureKind, Schema};
use crate::number::Domain;
use crate::sequence::SequenceRule;
use crate::weight::WeightRule;

/// How the column of one feature is read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ColumnRule {
    Category { vocabulary: usize },
    Sequence { vocabulary: usize, list: SequenceRule, weights: Option<WeightRule> },
    Numeric { domain: Domain },
    Bucket { vocabulary: usize },
    Times { list: SequenceRule },
}

impl ColumnRule {
    /// One rule per feature, in the order of the schema.
    pub(crate) fn all(schema: &Schema) -> Vec<Self> {
        schema.features().iter().map(|feature| Self::new(&feature.kind)).collect()
    }

    fn new(kind: &FeatureKind) -> Self {
        match kind {
            FeatureKind::Category { vocabulary } => Self::Category { vocabulary: *vocabulary },
            FeatureKind::Sequence { vocabulary, separator, weight_separator, max_length, keep } => Self::Sequence {
                vocabulary: *vocabulary,
                list: SequenceRule::new(separator, *max_length, *keep),
                weights: weight_separator.as_deref().map(WeightRule::new),
            },
            FeatureKind::Numeric { scale, .. } => Self::Numeric { domain: scale.domain() },
            FeatureKind::Bucket { vocabulary } => Self::Bucket { vocabulary: *vocabulary },
            FeatureKind::Times { separator, max_length, keep } => {
                Self::Times { list: SequenceRule::new(separator, *max_length, *keep) }
            }
        }
    }

    /// Which numbers the feature takes; `None` for one that takes none.
    pub(crate) fn domain(&self) -> Option<Domain> {
        match self {
            Self::Numeric { domain } => Some(*domain),
            Self::Bucket { .. } => Some(Domain::All),
            Self::Category { .. } | Self::Sequence { .. } | Self::Times { .. } => None,
        }
    }
}
