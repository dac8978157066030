//! Schemas and encoders in words, one line per feature.

use serde::Serialize;

use crate::checked::{Buckets, Feature, FeatureKind, IdRule, Scaling, Schema};
use crate::encoders::Encoders;
use crate::hash::HASH;
use crate::schema::{Keep, Missing};
use crate::vocabulary::Vocabulary;

/// Most boundaries that a line shows.
const SHOWN: usize = 8;

/// What one feature reads and, once it is fitted, what its encoder learnt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FeatureSummary {
    /// The feature's name.
    pub feature: String,
    /// `category`, `sequence`, `numeric`, `bucket` or `times`.
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
            if let FeatureKind::Numeric { missing, scale } = feature.kind {
                line.detail = in_words(missing, scale);
            }
            if let Some(rule) = self.rule_in_words(feature) {
                add(&mut line.detail, &rule);
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
            FeatureKind::Bucket { vocabulary } => ("bucket", Some(*vocabulary), String::new()),
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

    /// How the vocabulary gives ids, where the feature owns it and not every term seen has its own.
    fn rule_in_words(&self, feature: &Feature) -> Option<String> {
        let owned = self.vocabularies().iter().position(|owner| *owner == feature.name)?;
        match &self.id_rules()[owned] {
            IdRule::Terms { min_count: 1 } => None,
            IdRule::Terms { min_count } => Some(format!("terms seen at least {min_count} times")),
            IdRule::Hash { buckets } => Some(hashed(*buckets)),
            IdRule::Intervals(Buckets::Boundaries(boundaries)) => Some(divided(boundaries)),
            IdRule::Intervals(Buckets::Quantiles(count)) => Some(format!("{count} intervals of as many rows")),
        }
    }
}

/// Adds to words that may be none yet.
fn add(detail: &mut String, words: &str) {
    if !detail.is_empty() {
        detail.push_str(", ");
    }
    detail.push_str(words);
}

fn hashed(buckets: u32) -> String {
    format!("{buckets} buckets of {HASH}")
}

/// Boundaries in words, not too many of them.
fn divided(boundaries: &[f64]) -> String {
    match boundaries {
        [] => "one interval".to_owned(),
        [first, .., last] if boundaries.len() > SHOWN => {
            format!("divided at {} numbers, {first} to {last}", boundaries.len())
        }
        few => {
            let few: Vec<String> = few.iter().map(f64::to_string).collect();
            format!("divided at {}", few.join(", "))
        }
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

fn in_words(missing: Missing, scale: Scaling) -> String {
    let mut words = match scale {
        Scaling::Standard => "scaled to mean 0 and standard deviation 1".to_owned(),
        Scaling::MinMax => "scaled to 0 to 1".to_owned(),
        Scaling::Quantile { quantiles } => format!("scaled to its rank, {quantiles} quantiles"),
        Scaling::Log1p => "scaled to the logarithm of the number plus 1".to_owned(),
        Scaling::Log1pStandard => {
            "scaled to the logarithm of the number plus 1, then to mean 0 and standard deviation 1".to_owned()
        }
        Scaling::None => "as it is".to_owned(),
    };
    match missing {
        Missing::Mean => {}
        Missing::Median => add(&mut words, "missing as the median"),
        Missing::Constant(constant) => add(&mut words, &format!("missing as {constant}")),
    }
    words
}

impl Encoders {
    /// One line per feature, in the order of the schema.
    pub fn summary(&self) -> Vec<FeatureSummary> {
        let lines = self.schema().features().iter().enumerate().map(|(index, feature)| {
            let mut line = self.schema().line(feature);
            if let Some(encoder) = self.numeric(index) {
                line.detail = encoder.describe();
            }
            if let Some(vocabulary) = feature.kind.vocabulary().map(|vocabulary| self.vocabulary(vocabulary)) {
                line.size = Some(vocabulary.size());
                if let Some(ids) = ids_in_words(vocabulary) {
                    add(&mut line.detail, &ids);
                }
            }
            line
        });
        lines.collect()
    }
}

/// What the ids stand for, where they are not simply the terms of one fit.
fn ids_in_words(vocabulary: &Vocabulary) -> Option<String> {
    if let Some(buckets) = vocabulary.buckets() {
        return Some(hashed(buckets));
    }
    if let Some(boundaries) = vocabulary.boundaries() {
        return Some(divided(boundaries));
    }
    let generations = vocabulary.generations();
    (generations.len() > 1).then(|| {
        let sizes: Vec<String> = generations.iter().map(u32::to_string).collect();
        format!("terms of {} fits: {}", generations.len(), sizes.join(" + "))
    })
}
