//! Which samples are for training, validation and test, as written in a configuration.

use serde::{Deserialize, Serialize};

use crate::error::PrepareError;
use crate::rules::SplitTime;
use crate::rules::split::{HashShares, LastRule, SplitRule, TimeCuts, TimeRule, TimeShares};

/// Which samples are for training, validation and test: TOML `[split]`. Exactly one rule is given. There are always
/// three parts: choices made on the test part make its figures too good.
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

/// The last rows of each user. The rows that [`SamplesConfig::from`](crate::SamplesConfig::from) takes are counted,
/// before [`HistoryConfig::min_length`](crate::HistoryConfig::min_length) leaves some out. A user with fewer rows gives
/// them to the test first, then to validation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastRows {
    /// Rows for the test, at least 1.
    pub test: u32,
    /// Where validation comes from.
    pub validation: LastValidation,
}

/// Where validation comes from when the test is made of last rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a number of rows, or { share = SHARE OF THE USERS, seed = SEED }, is needed for validation"
)]
pub enum LastValidation {
    /// As many rows before those of the test, at least 1.
    Rows(u32),
    /// All rows before those of the test, of a share of the users.
    Users(UserShare),
}

/// A share of the users.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserShare {
    /// The share, above 0 and below 1, expected: each user is drawn by a hash.
    pub share: f64,
    /// Seed of the hash. Default: 1.
    #[serde(default = "default_seed")]
    pub seed: u64,
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
    /// The first time of the validation part.
    pub validation_from: SplitTime,
    /// The first time of the test part, later.
    pub test_from: SplitTime,
}

/// The shares that are held out, each above 0, together below 1: the last rows of the log by time. Rows of the same
/// time are never parted; those of the time in which a part begins all belong to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldOut {
    /// The share for validation.
    pub validation: f64,
    /// The share for the test.
    pub test: f64,
}

/// A split by the hash of the user: xxh3-64 of the key's UTF-8 text, with the seed. Users drawn from below 2⁶⁴ times
/// the test's share are for the test, the next ones for validation. A user stays in her part when others are added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserSplit {
    /// The expected share for validation, above 0.
    pub validation: f64,
    /// The expected share for the test, above 0.
    pub test: f64,
    /// Seed of the hash. Default: 1.
    #[serde(default = "default_seed")]
    pub seed: u64,
}

/// A split by the hash of columns of the log: as [`UserSplit`], with the texts of the columns, joined by the ASCII unit
/// separator (0x1F). A row stays in its part when rows are added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashSplit {
    /// The columns, at least one.
    pub of: Vec<String>,
    /// The expected share for validation, above 0.
    pub validation: f64,
    /// The expected share for the test, above 0.
    pub test: f64,
    /// Seed of the hash. Default: 1.
    #[serde(default = "default_seed")]
    pub seed: u64,
}

fn default_seed() -> u64 {
    1
}

impl SplitConfig {
    /// The checked rule.
    pub(crate) fn rule(&self) -> Result<SplitRule, PrepareError> {
        match self {
            Self { last: Some(last), time: None, user: None, hash: None } => last.rule().map(SplitRule::Last),
            Self { last: None, time: Some(time), user: None, hash: None } => time.rule().map(SplitRule::Time),
            Self { last: None, time: None, user: Some(user), hash: None } => {
                check_shares("split.user", user.validation, user.test)?;
                Ok(SplitRule::User(HashShares::new(user.validation, user.test, user.seed)))
            }
            Self { last: None, time: None, user: None, hash: Some(hash) } => {
                hash.check()?;
                Ok(SplitRule::Hash(HashShares::new(hash.validation, hash.test, hash.seed)))
            }
            _ => Err(PrepareError::config(
                "split",
                format!("{{ {} }}", self.given().join(", ")),
                "must have exactly one of last, time, user and hash",
            )),
        }
    }

    fn given(&self) -> Vec<&'static str> {
        let rules = [
            ("last", self.last.is_some()),
            ("time", self.time.is_some()),
            ("user", self.user.is_some()),
            ("hash", self.hash.is_some()),
        ];
        rules.into_iter().filter_map(|(name, given)| given.then_some(name)).collect()
    }
}

impl LastRows {
    fn rule(&self) -> Result<LastRule, PrepareError> {
        if self.test == 0 {
            return Err(PrepareError::config("split.last.test", 0, "must be at least 1"));
        }
        match &self.validation {
            LastValidation::Rows(0) => Err(PrepareError::config("split.last.validation", 0, "must be at least 1")),
            LastValidation::Rows(rows) => Ok(LastRule::Rows { test: self.test, validation: *rows }),
            LastValidation::Users(UserShare { share, seed }) => {
                check_share("split.last.validation.share", *share)?;
                Ok(LastRule::Users { test: self.test, validation: HashShares::new(*share, 0.0, *seed) })
            }
        }
    }
}

impl TimeSplit {
    fn rule(&self) -> Result<TimeRule, PrepareError> {
        match self {
            Self::From(from) => {
                let validation_from = from.validation_from.seconds("split.time.validation_from")?;
                let test_from = from.test_from.seconds("split.time.test_from")?;
                if test_from <= validation_from {
                    let allowed = format!("must be later than split.time.validation_from = {}", from.validation_from);
                    return Err(PrepareError::config("split.time.test_from", &from.test_from, allowed));
                }
                Ok(TimeRule::Cuts(TimeCuts { validation_from, test_from }))
            }
            Self::Shares(HeldOut { validation, test }) => {
                check_shares("split.time", *validation, *test)?;
                Ok(TimeRule::Shares(TimeShares { validation: *validation, test: *test }))
            }
        }
    }
}

impl HashSplit {
    fn check(&self) -> Result<(), PrepareError> {
        if self.of.is_empty() {
            return Err(PrepareError::config("split.hash.of", "[]", "must name at least one column"));
        }
        for (place, column) in self.of.iter().enumerate() {
            let key = format!("split.hash.of[{place}]");
            let value = crate::error::quoted(column);
            if column.is_empty() {
                return Err(PrepareError::config(key, value, "must be the name of a column"));
            }
            if self.of[..place].contains(column) {
                return Err(PrepareError::config(key, value, "must be another column than those before it"));
            }
        }
        check_shares("split.hash", self.validation, self.test)
    }
}

fn check_shares(key: &str, validation: f64, test: f64) -> Result<(), PrepareError> {
    check_share(&format!("{key}.validation"), validation)?;
    check_share(&format!("{key}.test"), test)?;
    if validation + test >= 1.0 {
        let allowed = format!("must leave rows for training beside validation = {validation}: together below 1");
        return Err(PrepareError::config(format!("{key}.test"), test, allowed));
    }
    Ok(())
}

fn check_share(key: &str, share: f64) -> Result<(), PrepareError> {
    if share > 0.0 && share < 1.0 {
        return Ok(());
    }
    Err(PrepareError::config(key, share, "must be above 0 and below 1"))
}
