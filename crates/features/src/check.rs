//! The checks of a schema.

use crate::checked::{Feature, FeatureKind, Scaling, Schema};
use crate::error::SchemaError;
use crate::schema::{
    CategoryConfig, CeilingConfig, FeatureConfig, NumericConfig, Scale, SchemaConfig, SequenceConfig, TimesConfig,
};

/// Separator of a sequence's terms where the schema names none.
const DEFAULT_SEPARATOR: &str = "|";
/// Number of quantiles where the schema names none.
const DEFAULT_QUANTILES: usize = 1000;

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
        let (vocabularies, min_counts) = self.owned_vocabularies()?;
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
                FeatureConfig::Numeric(numeric) => {
                    (&numeric.column, FeatureKind::Numeric { scale: scaling(&key, numeric)? })
                }
                FeatureConfig::Times(times) => (&times.column, times_kind(&key, times)?),
            };
            let column = column.clone().unwrap_or_else(|| name.clone());
            self.check_feature_column(&format!("{key}.column"), &column)?;
            features.push(Feature { name: name.clone(), column, kind });
        }
        Ok(Schema { config: self, features, vocabularies, min_counts })
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

    /// Names and lowest counts of the features that have a vocabulary of their own.
    fn owned_vocabularies(&self) -> Result<(Vec<String>, Vec<u64>), SchemaError> {
        let mut names = Vec::new();
        let mut min_counts = Vec::new();
        for (name, config) in &self.features {
            let (vocabulary, min_count) = match config {
                FeatureConfig::Category(CategoryConfig { vocabulary, min_count, .. })
                | FeatureConfig::Sequence(SequenceConfig { vocabulary, min_count, .. }) => (vocabulary, *min_count),
                FeatureConfig::Numeric(_) | FeatureConfig::Times(_) => continue,
            };
            let key = || format!("schema.features.{name}.min_count");
            match (vocabulary, min_count) {
                (Some(owner), Some(count)) => {
                    return Err(problem(
                        key(),
                        count.to_string(),
                        format!("only where the vocabulary is the feature's own; set it on \"{owner}\""),
                    ));
                }
                (None, Some(0)) => return Err(problem(key(), "0", "at least 1 is needed")),
                (None, count) => {
                    names.push(name.clone());
                    min_counts.push(count.unwrap_or(1));
                }
                (Some(_), None) => {}
            }
        }
        Ok((names, min_counts))
    }

    fn vocabulary_index(
        &self,
        key: &str,
        name: &str,
        shared: Option<&str>,
        owners: &[String],
    ) -> Result<usize, SchemaError> {
        let wanted = shared.unwrap_or(name);
        if let Some(index) = owners.iter().position(|owner| owner == wanted) {
            return Ok(index);
        }
        let known = if owners.is_empty() { "none".to_owned() } else { owners.join(", ") };
        let reason = match self.features.get(wanted) {
            _ if wanted == name => "a feature does not name itself; leave the key out for a vocabulary of its own",
            Some(FeatureConfig::Numeric(_)) => "a numeric feature has no vocabulary",
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

fn sequence_kind(key: &str, config: &SequenceConfig, vocabulary: usize) -> Result<FeatureKind, SchemaError> {
    let separator = list_separator(key, config.separator.as_deref(), config.max_length)?;
    if let Some(weights) = &config.weight_separator {
        let key = || format!("{key}.weight_separator");
        if weights.is_empty() {
            return Err(problem(key(), "\"\"", "at least one character is needed"));
        }
        if weights.contains(&separator) || separator.contains(weights) {
            let allowed = format!("a text that neither holds the separator {} nor is in it", quoted(&separator));
            return Err(problem(key(), quoted(weights), allowed));
        }
    }
    Ok(FeatureKind::Sequence {
        vocabulary,
        separator,
        weight_separator: config.weight_separator.clone(),
        max_length: config.max_length,
        keep: config.keep,
    })
}

fn times_kind(key: &str, config: &TimesConfig) -> Result<FeatureKind, SchemaError> {
    let separator = list_separator(key, config.separator.as_deref(), config.max_length)?;
    if separator.contains(|c: char| c.is_ascii_digit() || c == '-' || c == '+') {
        let allowed = "a text without digits and signs, which times are made of";
        return Err(problem(format!("{key}.separator"), quoted(&separator), allowed));
    }
    Ok(FeatureKind::Times { separator, max_length: config.max_length, keep: config.keep })
}

/// The separator of a list, once its settings are checked.
fn list_separator(key: &str, separator: Option<&str>, max_length: usize) -> Result<String, SchemaError> {
    if max_length == 0 {
        return Err(problem(format!("{key}.max_length"), "0", "at least 1 is needed"));
    }
    match separator.unwrap_or(DEFAULT_SEPARATOR) {
        "" => Err(problem(format!("{key}.separator"), "\"\"", "at least one character is needed")),
        separator => Ok(separator.to_owned()),
    }
}

fn scaling(key: &str, config: &NumericConfig) -> Result<Scaling, SchemaError> {
    let key = || format!("{key}.quantiles");
    match (config.scale, config.quantiles) {
        (Scale::Quantile, Some(quantiles)) if quantiles < 2 => {
            Err(problem(key(), quantiles.to_string(), "at least 2 are needed"))
        }
        (Scale::Quantile, quantiles) => Ok(Scaling::Quantile { quantiles: quantiles.unwrap_or(DEFAULT_QUANTILES) }),
        (_, Some(quantiles)) => Err(problem(key(), quantiles.to_string(), "only with scale = \"quantile\"")),
        (Scale::Standard, None) => Ok(Scaling::Standard),
        (Scale::MinMax, None) => Ok(Scaling::MinMax),
        (Scale::None, None) => Ok(Scaling::None),
    }
}

fn not_empty(key: &str, column: &str) -> Result<(), SchemaError> {
    if column.is_empty() { Err(problem(key, "\"\"", "the name of a column is needed")) } else { Ok(()) }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_debug())
}

fn problem(key: impl Into<String>, value: impl Into<String>, allowed: impl Into<String>) -> SchemaError {
    SchemaError { key: key.into(), value: value.into(), allowed: allowed.into() }
}
