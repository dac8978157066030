//! The checks of one feature's settings.

use crate::check::{problem, quoted};
use crate::checked::{Buckets, FeatureKind, IdRule, Scaling};
use crate::error::SchemaError;
use crate::intervals::Intervals;
use crate::schema::{BucketConfig, Missing, NumericConfig, Scale, SequenceConfig, TimesConfig};
use crate::terms::MOST_TERMS;

/// Separator of a list where the schema names none.
const DEFAULT_SEPARATOR: &str = "|";
/// Number of quantiles where the schema names none.
const DEFAULT_QUANTILES: usize = 1000;

pub(crate) fn sequence_kind(key: &str, config: &SequenceConfig, vocabulary: usize) -> Result<FeatureKind, SchemaError> {
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

pub(crate) fn times_kind(key: &str, config: &TimesConfig) -> Result<FeatureKind, SchemaError> {
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

pub(crate) fn numeric_kind(key: &str, config: &NumericConfig) -> Result<FeatureKind, SchemaError> {
    let scale = scaling(key, config)?;
    if let Missing::Constant(constant) = config.missing {
        let domain = scale.domain();
        if domain.check(constant).is_err() {
            let allowed = format!("{} is needed", domain.words());
            return Err(problem(format!("{key}.missing.constant"), constant.to_string(), allowed));
        }
    }
    Ok(FeatureKind::Numeric { missing: config.missing, scale })
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
        (Scale::Log1p, None) => Ok(Scaling::Log1p),
        (Scale::Log1pStandard, None) => Ok(Scaling::Log1pStandard),
        (Scale::None, None) => Ok(Scaling::None),
    }
}

/// How the ids of a feature are given that has a vocabulary of its own; `None` for one that shares another's.
pub(crate) fn id_rule(
    key: &str,
    shared: Option<&str>,
    min_count: Option<u64>,
    buckets: Option<u32>,
) -> Result<Option<IdRule>, SchemaError> {
    let (count_key, buckets_key) = (format!("{key}.min_count"), format!("{key}.buckets"));
    if let Some(owner) = shared {
        let allowed = || format!("only where the vocabulary is the feature's own; set it on \"{owner}\"");
        return match (min_count, buckets) {
            (Some(count), _) => Err(problem(count_key, count.to_string(), allowed())),
            (None, Some(buckets)) => Err(problem(buckets_key, buckets.to_string(), allowed())),
            (None, None) => Ok(None),
        };
    }
    match (min_count, buckets) {
        (Some(0), _) => Err(problem(count_key, "0", "at least 1 is needed")),
        (Some(count), Some(_)) => {
            Err(problem(count_key, count.to_string(), "not together with buckets: no term is counted then"))
        }
        (None, Some(buckets)) if (1..=MOST_TERMS).contains(&buckets) => Ok(Some(IdRule::Hash { buckets })),
        (None, Some(buckets)) => {
            Err(problem(buckets_key, buckets.to_string(), format!("1 to {MOST_TERMS} are possible")))
        }
        (min_count, None) => Ok(Some(IdRule::Terms { min_count: min_count.unwrap_or(1) })),
    }
}

pub(crate) fn buckets(key: &str, config: &BucketConfig) -> Result<Buckets, SchemaError> {
    match (&config.boundaries, config.quantiles) {
        (None, None) => Err(problem(key, "without boundaries and quantiles", "one of the two is needed")),
        (Some(_), Some(quantiles)) => {
            Err(problem(format!("{key}.quantiles"), quantiles.to_string(), "not together with boundaries"))
        }
        (None, Some(quantiles)) if quantiles < 2 => {
            Err(problem(format!("{key}.quantiles"), quantiles.to_string(), "at least 2 are needed"))
        }
        (None, Some(quantiles)) => Ok(Buckets::Quantiles(quantiles)),
        (Some(boundaries), None) => {
            if boundaries.is_empty() {
                return Err(problem(format!("{key}.boundaries"), "[]", "at least one number is needed"));
            }
            match Intervals::new(boundaries.clone()) {
                Ok(_) => Ok(Buckets::Boundaries(boundaries.clone())),
                Err(_) => Err(problem(
                    format!("{key}.boundaries"),
                    format!("{boundaries:?}"),
                    "finite numbers are needed, each above the one before",
                )),
            }
        }
    }
}
