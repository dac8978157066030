//! Times in a configuration.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use serde::{Deserialize, Serialize};

use crate::error::{PrepareError, quoted};

/// A time: Unix seconds, or a date such as `"2014-01-01"` (midnight of UTC), `"2014-01-01T12:30:00"` (UTC) or
/// `"2014-01-01T12:30:00+02:00"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a number of Unix seconds, or a date in quotes, is needed")]
pub enum SplitTime {
    /// Unix seconds.
    Seconds(i64),
    /// A date.
    Date(String),
}

impl SplitTime {
    /// The time in Unix seconds; `key` is where it stands.
    pub(crate) fn seconds(&self, key: &str) -> Result<i64, PrepareError> {
        let text = match self {
            Self::Seconds(seconds) => return Ok(*seconds),
            Self::Date(text) => text,
        };
        let date = || text.parse::<NaiveDate>().ok().map(|date| date.and_time(NaiveTime::MIN).and_utc().timestamp());
        let time = || text.parse::<NaiveDateTime>().ok().map(|time| time.and_utc().timestamp());
        let offset = || DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp());
        date().or_else(time).or_else(offset).ok_or_else(|| {
            let allowed = "must be Unix seconds or a date such as \"2014-01-01\", \"2014-01-01T12:30:00\" (UTC) or \
                           \"2014-01-01T12:30:00+02:00\"";
            PrepareError::config(key, self, allowed)
        })
    }
}

/// As TOML writes it.
impl fmt::Display for SplitTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seconds(seconds) => write!(f, "{seconds}"),
            Self::Date(text) => f.write_str(&quoted(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::SplitTime;

    #[test]
    fn dates_are_seconds_of_utc() {
        let seconds = |text: &str| SplitTime::Date(text.to_owned()).seconds("k").unwrap();
        assert_eq!(seconds("1970-01-01"), 0);
        assert_eq!(seconds("2014-01-01"), 1_388_534_400);
        assert_eq!(seconds("2014-01-01T00:00:01"), 1_388_534_401);
        assert_eq!(seconds("2014-01-01T02:00:00+02:00"), 1_388_534_400);
        assert_eq!(seconds("2014-01-01T00:00:00Z"), 1_388_534_400);
        assert_eq!(seconds("1969-12-31"), -86_400);
        assert_eq!(SplitTime::Seconds(-5).seconds("k").unwrap(), -5);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "2014", "2014-02-30", "01/02/2014", "2014-01-01 12", "now"] {
            let message = SplitTime::Date(text.to_owned()).seconds("split.time.test_from").unwrap_err().to_string();
            let start = format!("split.time.test_from = \"{text}\": must be Unix seconds or a date such as");
            assert!(message.starts_with(&start), "{message}");
        }
    }
}
