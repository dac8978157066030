//! Which events become samples, as written in a configuration.

use serde::{Deserialize, Serialize};

use crate::rules::EventChoice;

/// Which events become samples: TOML `[samples]`.
///
/// The protocol of Deep Interest Network, <https://arxiv.org/abs/1706.06978>, on public data: every event after the
/// first is a positive sample, the last one is the test, and a drawn candidate stands beside each. Its authors have no
/// validation part; here some users give theirs to it, so that the other users' parts are the paper's.
///
/// ```
/// # use fain_prepare::PrepareConfig;
/// let config: PrepareConfig = toml::from_str(
///     r#"
///     [log]
///     files = "reviews.csv"
///     user = "reviewer"
///     item = "product"
///     time = "seconds"
///     [history]
///     max_length = 100
///     min_length = 1
///     [samples]
///     per = "event"
///     [split]
///     last = { test = 1, validation = { share = 0.05, seed = 1 } }
///     [negatives]
///     candidates = { per_positive = 1, distribution = "uniform", exclude = "window", draw = "fixed" }
///     "#,
/// )?;
/// config.check()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// That of Deep Interest Evolution Network, <https://arxiv.org/abs/1809.03672>: the last event of each user is a sample,
/// users are split, and an item that was not chosen stands beside each event of a history.
///
/// ```
/// # use fain_prepare::PrepareConfig;
/// # let log = r#"
/// # [log]
/// # files = "reviews.csv"
/// # user = "reviewer"
/// # item = "product"
/// # time = "seconds"
/// # "#;
/// # let rules =
///     r#"
///     [history]
///     max_length = 100
///     min_length = 1
///     [samples]
///     per = "last_event"
///     [split]
///     user = { validation = 0.05, test = 0.1, seed = 1 }
///     [negatives]
///     history = { distribution = "uniform", exclude = "past", draw = "fixed" }
///     candidates = { per_positive = 1, distribution = { popularity = 1.0 }, exclude = "past", draw = "fixed" }
///     "#;
/// # toml::from_str::<PrepareConfig>(&format!("{log}{rules}"))?.check()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SamplesConfig {
    /// How many samples a user gives.
    pub per: PerUser,
    /// The events that may become samples: positive ones with label 1, the others with label 0. Default: all.
    pub from: EventChoice,
}

impl Default for SamplesConfig {
    fn default() -> Self {
        Self { per: PerUser::default(), from: EventChoice::All }
    }
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
