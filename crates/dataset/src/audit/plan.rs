//! Which feature is what to the audit.

use fain_features::{Encoders, Feature, FeatureKind, Keep, Schema};

use super::config::{AuditConfig, wrong};
use crate::error::DatasetError;

/// What an audit looks at, worked out before a row is read.
pub(super) struct Plan<'a> {
    pub(super) config: &'a AuditConfig,
    pub(super) encoders: &'a Encoders,
    /// Features that tell an unknown term from a known one: categories with at least one term.
    pub(super) telling: Vec<usize>,
    pub(super) histories: Vec<History>,
    pub(super) negatives: Vec<Negatives>,
}

/// A sequence and a category of the same terms: a history and its candidate.
pub(super) struct History {
    pub(super) candidate: usize,
    pub(super) sequence: usize,
    /// The end at which the newest event stands.
    pub(super) keep: Keep,
    pub(super) vocabulary: usize,
    /// Whether no other history has more terms to tell apart: it is one of items, not of their attributes.
    pub(super) finest: bool,
}

/// A sequence of drawn negatives, and what they must not hold.
pub(super) struct Negatives {
    pub(super) sequence: usize,
    pub(super) candidates: Vec<usize>,
    pub(super) histories: Vec<usize>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(encoders: &'a Encoders, config: &'a AuditConfig) -> Result<Self, DatasetError> {
        config.check()?;
        let schema = encoders.schema();
        let sequences = |key, names: &[String]| -> Result<Vec<usize>, DatasetError> {
            names.iter().map(|name| sequence(schema, key, name)).collect()
        };
        let drawn = sequences("negatives", &config.negatives)?;
        let attributes = sequences("attributes", &config.attributes)?;
        let mut histories = Vec::new();
        for (place, feature) in schema.features().iter().enumerate() {
            let FeatureKind::Sequence { vocabulary, keep, .. } = &feature.kind else { continue };
            if drawn.contains(&place) || attributes.contains(&place) {
                continue;
            }
            histories.extend(categories(schema, *vocabulary).map(|candidate| History {
                candidate,
                sequence: place,
                keep: *keep,
                vocabulary: *vocabulary,
                finest: false,
            }));
        }
        let size = |history: &History| encoders.vocabulary(history.vocabulary).size();
        let largest = histories.iter().map(size).max();
        for history in &mut histories {
            history.finest = largest == Some(size(history));
        }
        let telling = (0..schema.features().len()).filter(|&place| match schema.features()[place].kind {
            FeatureKind::Category { vocabulary } => encoders.vocabulary(vocabulary).size() > 1,
            _ => false,
        });
        let telling = telling.collect();
        let mut plan = Self { config, encoders, telling, histories, negatives: Vec::new() };
        plan.negatives = drawn.into_iter().map(|place| plan.negatives_of(place)).collect::<Result<_, _>>()?;
        Ok(plan)
    }

    fn negatives_of(&self, place: usize) -> Result<Negatives, DatasetError> {
        let feature = self.feature(place);
        let vocabulary = vocabulary_of(&feature.kind).unwrap_or_default();
        let mut histories: Vec<usize> = self.histories.iter().map(|history| history.sequence).collect();
        histories.dedup();
        histories.retain(|&sequence| vocabulary_of(&self.feature(sequence).kind) == Some(vocabulary));
        let candidates: Vec<usize> = categories(self.encoders.schema(), vocabulary).collect();
        if candidates.is_empty() {
            let allowed = "must share its vocabulary with a category feature, whose positives it is held against";
            return Err(wrong("negatives", format!("\"{}\"", feature.name), allowed));
        }
        Ok(Negatives { sequence: place, candidates, histories })
    }

    pub(super) fn features(&self) -> &'a [Feature] {
        self.encoders.schema().features()
    }

    pub(super) fn feature(&self, place: usize) -> &'a Feature {
        &self.features()[place]
    }

    pub(super) fn name(&self, place: usize) -> &'a str {
        &self.feature(place).name
    }

    /// Number of ids of the vocabulary of a feature; 0 for one without.
    pub(super) fn size(&self, place: usize) -> usize {
        vocabulary_of(&self.feature(place).kind).map_or(0, |index| self.encoders.vocabulary(index).size())
    }
}

/// The vocabulary that a feature reads its terms by.
pub(super) fn vocabulary_of(kind: &FeatureKind) -> Option<usize> {
    match kind {
        FeatureKind::Category { vocabulary }
        | FeatureKind::Bucket { vocabulary }
        | FeatureKind::Sequence { vocabulary, .. } => Some(*vocabulary),
        FeatureKind::Numeric { .. } | FeatureKind::Times { .. } => None,
    }
}

/// The categories of one vocabulary.
fn categories(schema: &Schema, wanted: usize) -> impl Iterator<Item = usize> + '_ {
    let features = schema.features().iter().enumerate();
    features.filter_map(move |(place, feature)| match feature.kind {
        FeatureKind::Category { vocabulary } if vocabulary == wanted => Some(place),
        _ => None,
    })
}

/// A sequence feature by name.
fn sequence(schema: &Schema, key: &str, name: &str) -> Result<usize, DatasetError> {
    let is_sequence = |feature: &Feature| matches!(feature.kind, FeatureKind::Sequence { .. });
    if let Some((place, _)) = schema.feature(name).filter(|(_, feature)| is_sequence(feature)) {
        return Ok(place);
    }
    let sequences = schema.features().iter().filter(|feature| is_sequence(feature));
    let known: Vec<&str> = sequences.map(|feature| feature.name.as_str()).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    let allowed = format!("must be a sequence feature; there are: {known}");
    Err(wrong(key, format!("\"{}\"", name.escape_debug()), allowed))
}
