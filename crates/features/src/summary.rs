//! Schemas and encoders in words, one line per feature.

use serde::Serialize;

use crate::checked::{Feature, FeatureKind, Scaling, Schema};
use crate::encoders::Encoders;
use crate::numeric::NumericEncoder;
use crate::schema::Keep;

/// What one feature reads and, once it is fitted, what its encoder learnt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FeatureSummary {
    /// The feature's name.
    pub feature: String,
    /// `category`, `sequence`, `numeric` or `times`.
    pub kind: &'static str,
    /// The column it reads.
    pub column: String,
    /// Name of the feature that owns its vocabulary; `None` for numbers and times.
    pub vocabulary: Option<String>,
    /// Number of ids of that vocabulary, the unknown included; `None` for numbers and times, and before the encoders are fitted.
    pub size: Option<usize>,
    /// The rest in words: what of a list is kept, or the numbers of the scaling.
    pub detail: String,
}

impl Schema {
    /// One line per feature, as the configuration gives them: nothing is fitted yet, so that no vocabulary has a size.
    pub fn summary(&self) -> Vec<FeatureSummary> {
        let lines = self.features().iter().map(|feature| {
            let mut line = self.line(feature);
            if let FeatureKind::Numeric { scale } = feature.kind {
                line.detail = in_words(scale);
            }
            if let Some(rare) = self.rare_terms(feature) {
                line.detail = if line.detail.is_empty() { rare } else { format!("{}, {rare}", line.detail) };
            }
            line
        });
        lines.collect()
    }

    /// What holds for a feature before and after the encoders are fitted.
    fn line(&self, feature: &Feature) -> FeatureSummary {
        let (kind, vocabulary, detail) = match &feature.kind {
            FeatureKind::Category { vocabulary } => ("category", Some(*vocabulary), String::new()),
            FeatureKind::Sequence { vocabulary, separator, weight_separator, max_length, keep } => {
                let mut detail = kept(separator, *max_length, *keep);
                if let Some(weights) = weight_separator {
                    detail.push_str(&format!(", weights behind \"{}\"", weights.escape_debug()));
                }
                ("sequence", Some(*vocabulary), detail)
            }
            FeatureKind::Numeric { .. } => ("numeric", None, String::new()),
            FeatureKind::Times { separator, max_length, keep } => ("times", None, kept(separator, *max_length, *keep)),
        };
        FeatureSummary {
            feature: feature.name.clone(),
            kind,
            column: feature.column.clone(),
            vocabulary: vocabulary.map(|index| self.vocabularies()[index].clone()),
            size: None,
            detail,
        }
    }

    /// Which terms the vocabulary leaves out, where the feature owns it and some are left out.
    fn rare_terms(&self, feature: &Feature) -> Option<String> {
        let owned = self.vocabularies().iter().position(|owner| *owner == feature.name)?;
        let least = self.min_counts()[owned];
        (least > 1).then(|| format!("terms seen at least {least} times"))
    }
}

/// What of a list is kept.
fn kept(separator: &str, max_length: usize, keep: Keep) -> String {
    let end = match keep {
        Keep::Last => "last",
        Keep::First => "first",
    };
    format!("{end} {max_length}, separated by \"{}\"", separator.escape_debug())
}

fn in_words(scale: Scaling) -> String {
    match scale {
        Scaling::Standard => "scaled to mean 0 and standard deviation 1".to_owned(),
        Scaling::MinMax => "scaled to 0 to 1".to_owned(),
        Scaling::Quantile { quantiles } => format!("scaled to its rank, {quantiles} quantiles"),
        Scaling::None => "as it is".to_owned(),
    }
}

impl Encoders {
    /// One line per feature, in the order of the schema.
    pub fn summary(&self) -> Vec<FeatureSummary> {
        let lines = self.schema().features().iter().enumerate().map(|(index, feature)| {
            let mut line = self.schema().line(feature);
            match feature.kind {
                FeatureKind::Category { vocabulary } | FeatureKind::Sequence { vocabulary, .. } => {
                    line.size = Some(self.vocabulary(vocabulary).size());
                }
                FeatureKind::Numeric { .. } => {
                    line.detail = self.numeric(index).map(NumericEncoder::describe).unwrap_or_default();
                }
                FeatureKind::Times { .. } => {}
            }
            line
        });
        lines.collect()
    }
}
