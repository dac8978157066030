//! Encoders in words, one line per feature.

use serde::Serialize;

use crate::checked::FeatureKind;
use crate::encoders::Encoders;
use crate::numeric::NumericEncoder;
use crate::schema::Keep;

/// What one feature reads and what its encoder learnt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FeatureSummary {
    /// The feature's name.
    pub feature: String,
    /// `category`, `sequence` or `numeric`.
    pub kind: &'static str,
    /// The column it reads.
    pub column: String,
    /// Name of the feature that owns its vocabulary; `None` for a number.
    pub vocabulary: Option<String>,
    /// Number of ids of that vocabulary, the unknown included; `None` for a number.
    pub size: Option<usize>,
    /// The rest in words: what of a list is kept, or the numbers of the scaling.
    pub detail: String,
}

impl Encoders {
    /// One line per feature, in the order of the schema.
    pub fn summary(&self) -> Vec<FeatureSummary> {
        let lines = self.schema().features().iter().enumerate().map(|(index, feature)| {
            let (kind, vocabulary, detail) = match &feature.kind {
                FeatureKind::Category { vocabulary } => ("category", Some(*vocabulary), String::new()),
                FeatureKind::Sequence { vocabulary, separator, max_length, keep } => {
                    let end = match keep {
                        Keep::Last => "last",
                        Keep::First => "first",
                    };
                    let detail = format!("{end} {max_length}, separated by \"{}\"", separator.escape_debug());
                    ("sequence", Some(*vocabulary), detail)
                }
                FeatureKind::Numeric { .. } => {
                    ("numeric", None, self.numeric(index).map(NumericEncoder::describe).unwrap_or_default())
                }
            };
            FeatureSummary {
                feature: feature.name.clone(),
                kind,
                column: feature.column.clone(),
                vocabulary: vocabulary.map(|index| self.schema().vocabularies()[index].clone()),
                size: vocabulary.map(|index| self.vocabulary(index).size()),
                detail,
            }
        });
        lines.collect()
    }
}
