//! The rules as written in a configuration: `[history]`, `[samples]` and `[split]`.

use serde::{Deserialize, Serialize};

use crate::condition::Condition;

/// What histories keep: TOML `[history]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryConfig {
    /// The events that enter histories. Default: the positive ones.
    #[serde(default)]
    pub events: HistoryEvents,
    /// Most events of a history: the last ones before the sample. At least 1.
    pub max_length: u32,
    /// Samples with a shorter history are left out. Default: 0.
    #[serde(default)]
    pub min_length: u32,
}

/// The events that enter histories.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryEvents {
    /// The positive ones.
    #[default]
    Positive,
    /// All.
    All,
    /// Those that fulfil a condition.
    #[serde(untagged)]
    Where(Condition),
}

/// Which events become samples: TOML `[samples]`.
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
    /// One for each event.
    #[default]
    Event,
    /// One: that of the last event.
    LastEvent,
}

/// The events that may become samples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SampleOrigin {
    /// All.
    #[default]
    All,
    /// The positive ones.
    Positive,
}

/// Which samples are for training, validation and test: TOML `[split]`. Exactly one rule is given.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SplitConfig {
    /// By the last rows of each user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<LastRows>,
    /// By time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<TimeSplit>,
    /// By the hash of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserSplit>,
    /// By the hash of columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<HashSplit>,
}

/// The last rows of each user, as counted over the user's rows of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastRows {
    /// Rows for the test.
    pub test: u32,
    /// Rows before those, for validation.
    #[serde(default)]
    pub validation: u32,
}

/// A split by time: two times, or two shares of the log's rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "{ validation_from, test_from } or { validation, test } is needed")]
pub enum TimeSplit {
    /// Times.
    From(HeldOutTimes),
    /// Shares.
    Shares(HeldOut),
}

/// Where the held-out parts begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldOutTimes {
    /// The first time of the validation part. Without it there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_from: Option<SplitTime>,
    /// The first time of the test part.
    pub test_from: SplitTime,
}

/// A time: a number as in the log, or a date of UTC such as `2014-01-01` or `2014-01-01T12:30:00`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "an integer or a date is needed")]
pub enum SplitTime {
    /// A number.
    Number(i64),
    /// A date.
    Date(String),
}

/// The shares that are held out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldOut {
    /// The share for validation.
    #[serde(default)]
    pub validation: f64,
    /// The share for the test.
    pub test: f64,
}

/// A split by the hash of the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserSplit {
    /// The share for validation.
    #[serde(default)]
    pub validation: f64,
    /// The share for the test.
    pub test: f64,
    /// Seed of the hash. Default: 1.
    #[serde(default = "default_seed")]
    pub seed: u64,
}

/// A split by the hash of columns of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashSplit {
    /// The columns.
    pub of: Vec<String>,
    /// The share for validation.
    #[serde(default)]
    pub validation: f64,
    /// The share for the test.
    pub test: f64,
    /// Seed of the hash. Default: 1.
    #[serde(default = "default_seed")]
    pub seed: u64,
}

fn default_seed() -> u64 {
    1
}
