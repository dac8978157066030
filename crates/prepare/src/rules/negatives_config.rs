//! Negatives, as written in a configuration.

use fain_samples::{CandidateNegatives, Distribution, Draw, Exclude, NegativeRule, Negatives};
use serde::{Deserialize, Serialize};

use crate::error::PrepareError;

/// Items that users did not choose: TOML `[negatives]`. They are rules: whoever reads the samples draws them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NegativesConfig {
    /// Seed of all draws. Default: 1.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// Rows with label 0 beside each positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidates: Option<CandidatesConfig>,
    /// An item beside each event of a history, for DIEN's auxiliary loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<DrawConfig>,
}

/// Rows with label 0 beside each positive. Every sample is a positive then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CandidatesConfig {
    /// How many rows, at least 1.
    pub per_positive: u32,
    /// Which items are likely.
    pub distribution: Distribution,
    /// Which items are never drawn.
    pub exclude: Exclude,
    /// Whether an epoch sees the draws of the epoch before.
    pub draw: Draw,
}

/// How items beside the events of histories are drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrawConfig {
    /// Which items are likely.
    pub distribution: Distribution,
    /// Which items are never drawn.
    pub exclude: Exclude,
    /// Whether an epoch sees the draws of the epoch before.
    pub draw: Draw,
}

fn default_seed() -> u64 {
    1
}

impl NegativesConfig {
    pub(crate) fn check(&self) -> Result<(), PrepareError> {
        if self.candidates.is_none() && self.history.is_none() {
            let value = format!("{{ seed = {} }}", self.seed);
            return Err(PrepareError::config("negatives", value, "must have candidates, history or both"));
        }
        if let Some(candidates) = &self.candidates {
            if candidates.per_positive == 0 {
                return Err(PrepareError::config("negatives.candidates.per_positive", 0, "must be at least 1"));
            }
            check_distribution("negatives.candidates.distribution", candidates.distribution)?;
        }
        match &self.history {
            Some(history) => check_distribution("negatives.history.distribution", history.distribution),
            None => Ok(()),
        }
    }

    /// The rules for the manifest.
    pub(crate) fn rules(&self) -> Negatives {
        let seed = self.seed;
        Negatives {
            candidates: self.candidates.as_ref().map(|config| {
                let CandidatesConfig { per_positive, distribution, exclude, draw } = *config;
                CandidateNegatives { per_positive, rule: NegativeRule { distribution, exclude, draw, seed } }
            }),
            history: self.history.as_ref().map(|config| {
                let DrawConfig { distribution, exclude, draw } = *config;
                NegativeRule { distribution, exclude, draw, seed }
            }),
        }
    }
}

fn check_distribution(key: &str, distribution: Distribution) -> Result<(), PrepareError> {
    match distribution {
        Distribution::Popularity(exponent) if !(exponent >= 0.0 && exponent.is_finite()) => {
            Err(PrepareError::config(format!("{key}.popularity"), exponent, "must be a finite number of at least 0"))
        }
        Distribution::Popularity(_) | Distribution::Uniform => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use fain_samples::{Distribution, Draw, Exclude, NegativeRule};

    use super::NegativesConfig;

    fn parse(text: &str) -> Result<NegativesConfig, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn rules_are_those_that_are_written() {
        let config = parse(
            "seed = 9
             candidates = { per_positive = 2, distribution = { popularity = 0.75 }, exclude = 'past', draw = 'epoch' }
             history = { distribution = 'uniform', exclude = 'window', draw = 'fixed' }",
        )
        .unwrap();
        config.check().unwrap();
        assert_eq!(parse(&toml::to_string(&config).unwrap()).unwrap(), config);
        let rules = config.rules();
        let candidates = rules.candidates.unwrap();
        assert_eq!(candidates.per_positive, 2);
        let distribution = Distribution::Popularity(0.75);
        assert_eq!(candidates.rule, NegativeRule { distribution, exclude: Exclude::Past, draw: Draw::Epoch, seed: 9 });
        let distribution = Distribution::Uniform;
        assert_eq!(
            rules.history,
            Some(NegativeRule { distribution, exclude: Exclude::Window, draw: Draw::Fixed, seed: 9 })
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(parse("sed = 1").unwrap_err().to_string().contains("unknown field `sed`"));
        let drawn = "distribution = { popularity = -1.0 }, exclude = 'past', draw = 'fixed'";
        for (text, message) in [
            ("seed = 3".to_owned(), "negatives = { seed = 3 }: must have candidates, history or both"),
            (
                format!("candidates = {{ per_positive = 0, {drawn} }}"),
                "negatives.candidates.per_positive = 0: must be at least 1",
            ),
            (
                format!("candidates = {{ per_positive = 1, {drawn} }}"),
                "negatives.candidates.distribution.popularity = -1: must be a finite number of at least 0",
            ),
            (
                format!("history = {{ {drawn} }}"),
                "negatives.history.distribution.popularity = -1: must be a finite number of at least 0",
            ),
        ] {
            assert_eq!(parse(&text).unwrap().check().unwrap_err().to_string(), message);
        }
    }
}
