//! Which events become samples, as written in a configuration.

use serde::{Deserialize, Serialize};

/// Which events become samples: TOML `[samples]`.
///
/// - The protocol of [DIN](https://arxiv.org/abs/1706.06978) on public data: every event after the first is a sample,
///   and the last one is the test. `history.min_length = 1`, `per = "event"`, `split.last.test = 1`.
/// - That of [DIEN](https://arxiv.org/abs/1809.03672): the last event of each user is a sample, and users are split.
///   `history.min_length = 1`, `per = "last_event"`, `split.user`.
///
/// Both have one drawn candidate beside each positive: `negatives.candidates.per_positive = 1`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SamplesConfig {
    /// How many samples a user gives.
    pub per: PerUser,
    /// The events that may become samples.
    pub from: SampleOrigin,
}

/// How many samples a user gives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PerUser {
    /// One for each event that may become one.
    #[default]
    Event,
    /// One: that of the last event that may become one.
    LastEvent,
}

/// The events that may become samples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SampleOrigin {
    /// All: positive ones with label 1, the others with label 0.
    #[default]
    All,
    /// The positive ones.
    Positive,
}
