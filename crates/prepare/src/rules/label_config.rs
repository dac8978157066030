//! Which events are positive, as written in a configuration.

use serde::{Deserialize, Serialize};

use crate::condition::{Condition, Scalar};
use crate::error::PrepareError;
use crate::rules::NOT_TIMED;

/// Which events are positive: TOML `[label]`.
///
/// Where a row says of itself how it ended, a [`Condition`]:
///
/// ```
/// # use fain_prepare::LabelConfig;
/// let label: LabelConfig = toml::from_str("column = \"stars\"\nat_least = 4")?;
/// assert!(matches!(label, LabelConfig::Where(_)));
/// # Ok::<(), toml::de::Error>(())
/// ```
///
/// Where what was shown and what was clicked are rows of their own, [`FollowedBy`]:
///
/// ```
/// # use fain_prepare::PrepareConfig;
/// let config: PrepareConfig = toml::from_str(
///     r#"
///     label = { followed_by = { column = "event", equals = "click", within = 3600 } }
///     samples = { from = { column = "event", equals = "impression" } }
///     history = { events = { column = "event", any_of = ["view", "click"] }, max_length = 50 }
///     split = { last = { test = 4, validation = 2 } }
///     [log]
///     files = "events.csv"
///     user = "user"
///     item = "item"
///     time = "time"
///     "#,
/// )?;
/// config.check()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "WrittenLabel", into = "WrittenLabel")]
pub enum LabelConfig {
    /// An event is positive by what its own row says.
    Where(Condition),
    /// An event is positive by what came after it.
    FollowedBy(FollowedBy),
}

/// The event that makes an earlier one positive, such as the click on an impression.
///
/// A row that [`SamplesConfig::from`](crate::SamplesConfig::from) takes is positive if a row of the same user and item
/// comes after it that fulfils the condition, at most `within` seconds later, with no other row in between that is of
/// this user and item and that `samples.from` takes. So each click counts for one impression at most, the last one
/// before it. "After" is meant in the order of the log: by time, ties in the order of the files' rows. A row never
/// follows itself, but one that fulfils both conditions follows the row before it.
///
/// Rows that follow are events like others: they stand in the histories of later samples if `history.events` takes them,
/// and never in that of the sample whose label they make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "WrittenFollower")]
pub struct FollowedBy {
    /// What a row must be to follow.
    #[serde(flatten)]
    pub event: Condition,
    /// Most seconds between the two, at least 1; without it, any time may pass. It needs the times of the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<u64>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLabel {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    followed_by: Option<FollowedBy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at_least: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at_most: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    equals: Option<Scalar>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    any_of: Option<Vec<Scalar>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFollower {
    column: String,
    at_least: Option<f64>,
    at_most: Option<f64>,
    equals: Option<Scalar>,
    any_of: Option<Vec<Scalar>>,
    within: Option<u64>,
}

impl TryFrom<WrittenLabel> for LabelConfig {
    type Error = &'static str;

    fn try_from(written: WrittenLabel) -> Result<Self, Self::Error> {
        let WrittenLabel { followed_by, column, at_least, at_most, equals, any_of } = written;
        let bounds = at_least.is_some() || at_most.is_some() || equals.is_some() || any_of.is_some();
        match (followed_by, column) {
            (Some(followed_by), None) if !bounds => Ok(Self::FollowedBy(followed_by)),
            (None, Some(column)) => Ok(Self::Where(Condition { column, at_least, at_most, equals, any_of })),
            (Some(_), _) => Err("followed_by must stand alone: a label is made by a row itself, or by what follows it"),
            (None, None) => Err("missing field `column`, or followed_by instead"),
        }
    }
}

impl From<LabelConfig> for WrittenLabel {
    fn from(label: LabelConfig) -> Self {
        let none = Self { followed_by: None, column: None, at_least: None, at_most: None, equals: None, any_of: None };
        match label {
            LabelConfig::Where(Condition { column, at_least, at_most, equals, any_of }) => {
                Self { column: Some(column), at_least, at_most, equals, any_of, ..none }
            }
            LabelConfig::FollowedBy(followed_by) => Self { followed_by: Some(followed_by), ..none },
        }
    }
}

impl From<WrittenFollower> for FollowedBy {
    fn from(written: WrittenFollower) -> Self {
        let WrittenFollower { column, at_least, at_most, equals, any_of, within } = written;
        Self { event: Condition { column, at_least, at_most, equals, any_of }, within }
    }
}

impl LabelConfig {
    /// `timed`: whether the log has times, not only an order.
    pub(crate) fn check(&self, timed: bool) -> Result<(), PrepareError> {
        match self {
            Self::Where(condition) => condition.check("label"),
            Self::FollowedBy(FollowedBy { event, within }) => {
                event.check("label.followed_by")?;
                let key = "label.followed_by.within";
                match within {
                    Some(0) => Err(PrepareError::config(key, 0, "must be at least 1 second")),
                    Some(within) if !timed => Err(PrepareError::config(key, within, NOT_TIMED)),
                    _ => Ok(()),
                }
            }
        }
    }
}
