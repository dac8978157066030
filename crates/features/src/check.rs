//! The checks of a schema.

use crate::check_kind::{buckets, id_rule, numeric_kind, sequence_kind, times_kind};
use crate::checked::{Feature, FeatureKind, IdRule, Schema};
use crate::error::SchemaError;
use crate::schema::{CategoryConfig, CeilingConfig, FeatureConfig, SchemaConfig, SequenceConfig};

impl SchemaConfig {
    /// Finds every contradiction before data is read.
    ///
    /// # Errors
    /// [`SchemaError`] names the key, the value and what is allowed.
    pub fn check(self) -> Result<Schema, SchemaError> {
        self.check_columns()?;
        if self.features.is_empty() {
            return Err(problem("schema.features", "{}", "at least one feature is needed"));
        }
        let (vocabularies, id_rules) = self.owned_vocabularies()?;
        let mut features = Vec::with_capacity(self.features.len());
        for (name, config) in &self.features {
            let key = format!("schema.features.{name}");
            let (column, kind) = match config {
                FeatureConfig::Category(category) => {
                    let vocabulary =
                        self.vocabulary_index(&key, name, category.vocabulary.as_deref(), &vocabularies)?;
                    (&category.column, FeatureKind::Category { vocabulary })
                }
                FeatureConfig::Sequence(sequence) => {
                    let vocabulary =
                        self.vocabulary_index(&key, name, sequence.vocabulary.as_deref(), &vocabularies)?;
                    (&sequence.column, sequence_kind(&key, sequence, vocabulary)?)
                }
                FeatureConfig::Numeric(numeric) => (&numeric.column, numeric_kind(&key, numeric)?),
                FeatureConfig::Bucket(bucket) => {
                    let vocabulary = self.vocabulary_index(&key, name, None, &vocabularies)?;
                    (&bucket.column, FeatureKind::Bucket { vocabulary })
                }
                FeatureConfig::Times(times) => (&times.column, times_kind(&key, times)?),
            };
            let column = column.clone().unwrap_or_else(|| name.clone());
            self.check_feature_column(&format!("{key}.column"), &column)?;
            features.push(Feature { name: name.clone(), column, kind });
        }
        Ok(Schema { config: self, features, vocabularies, id_rules })
    }

    /// The columns that are not features, and the features' names.
    fn check_columns(&self) -> Result<(), SchemaError> {
        not_empty("schema.label", &self.label)?;
        if let Some(group) = &self.group {
            not_empty("schema.group", group)?;
            if *group == self.label {
                return Err(problem("schema.group", quoted(group), "a column other than the label is needed"));
            }
        }
        if let Some(time) = &self.time {
            not_empty("schema.time", time)?;
            if *time == self.label {
                return Err(problem("schema.time", quoted(time), "a column other than the label is needed"));
            }
        }
        if let Some(CeilingConfig { blind, optimal }) = &self.ceiling {
            for (key, column) in [("schema.ceiling.blind", blind), ("schema.ceiling.optimal", optimal)] {
                not_empty(key, column)?;
                if *column == self.label {
                    return Err(problem(key, quoted(column), "a column other than the label is needed"));
                }
            }
        }
        for name in self.features.keys() {
            if name.is_empty() || name.contains(|c: char| c == '.' || c.is_control()) {
                return Err(problem(
                    "schema.features",
                    quoted(name),
                    "a feature's name has at least one character, and neither dots nor control characters",
                ));
            }
        }
        Ok(())
    }

    /// A feature must not read what it is meant to predict.
    fn check_feature_column(&self, key: &str, column: &str) -> Result<(), SchemaError> {
        not_empty(key, column)?;
        let answers = self.ceiling.iter().flat_map(|ceiling| [&ceiling.blind, &ceiling.optimal]);
        if answers.chain([&self.label]).any(|answer| answer == column) {
            return Err(problem(
                key,
                quoted(column),
                "a feature cannot read the column of schema.label or of schema.ceiling",
            ));
        }
        Ok(())
    }

    /// The features that have a vocabulary of their own, and how its ids are given.
    fn owned_vocabularies(&self) -> Result<(Vec<String>, Vec<IdRule>), SchemaError> {
        let mut names = Vec::new();
        let mut rules = Vec::new();
        for (name, config) in &self.features {
            let key = format!("schema.features.{name}");
            let rule = match config {
                FeatureConfig::Category(CategoryConfig { vocabulary, min_count, buckets, .. })
                | FeatureConfig::Sequence(SequenceConfig { vocabulary, min_count, buckets, .. }) => {
                    id_rule(&key, vocabulary.as_deref(), *min_count, *buckets)?
                }
                FeatureConfig::Bucket(config) => Some(IdRule::Intervals(buckets(&key, config)?)),
                FeatureConfig::Numeric(_) | FeatureConfig::Times(_) => None,
            };
            if let Some(rule) = rule {
                names.push(name.clone());
                rules.push(rule);
            }
        }
        Ok((names, rules))
    }

    fn vocabulary_index(
        &self,
        key: &str,
        name: &str,
        shared: Option<&str>,
        owners: &[String],
    ) -> Result<usize, SchemaError> {
        let wanted = shared.unwrap_or(name);
        let of_intervals = |name: &str| matches!(self.features.get(name), Some(FeatureConfig::Bucket(_)));
        if let Some(index) = owners.iter().position(|owner| owner == wanted)
            && (shared.is_none() || !of_intervals(wanted))
        {
            return Ok(index);
        }
        let known: Vec<&str> = owners.iter().map(String::as_str).filter(|owner| !of_intervals(owner)).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let reason = match self.features.get(wanted) {
            _ if wanted == name => "a feature does not name itself; leave the key out for a vocabulary of its own",
            Some(FeatureConfig::Numeric(_)) => "a numeric feature has no vocabulary",
            Some(FeatureConfig::Bucket(_)) => "the ids of a bucket feature are of numbers, not of terms",
            Some(FeatureConfig::Times(_)) => "a feature of times has no vocabulary",
            Some(_) => "that feature itself shares a vocabulary; name the one that owns it",
            None => "no such feature",
        };
        Err(problem(
            format!("{key}.vocabulary"),
            quoted(wanted),
            format!("{reason}; features with a vocabulary of their own: {known}"),
        ))
    }
}

fn not_empty(key: &str, column: &str) -> Result<(), SchemaError> {
    if column.is_empty() { Err(problem(key, "\"\"", "the name of a column is needed")) } else { Ok(()) }
}

pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_debug())
}

pub(crate) fn problem(key: impl Into<String>, value: impl Into<String>, allowed: impl Into<String>) -> SchemaError {
    SchemaError { key: key.into(), value: value.into(), allowed: allowed.into() }
}
