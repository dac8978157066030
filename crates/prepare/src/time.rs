//! When an interaction was: whole seconds since 1970 in UTC, or an order without unit.

use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{NaiveDate, NaiveTime};

use crate::config::TimeConfig;
use crate::error::{PrepareError, quoted};

/// What a column of seconds or of an order may hold.
pub(crate) const INTEGER: &str = "an integer of 64 bits";
/// What a column of dates may hold.
const DATE: &str = "a date in the format of log.time.format";

/// How the texts of a time column are read.
pub(crate) enum TimeFormat {
    /// Integers.
    Integer,
    /// Dates.
    Date(Vec<Item<'static>>),
}

impl TimeFormat {
    /// The format of `log.time`.
    pub(crate) fn of(config: &TimeConfig) -> Result<Self, PrepareError> {
        match config {
            TimeConfig::Seconds(_) => Ok(Self::Integer),
            TimeConfig::Date(date) => Self::date(&date.format).ok_or_else(|| {
                let allowed = "must be a format of dates as strftime writes it, with day, month and year";
                PrepareError::config("log.time.format", quoted(&date.format), allowed)
            }),
        }
    }

    /// `None`: no format, or one that leaves the day open.
    fn date(format: &str) -> Option<Self> {
        let items = StrftimeItems::new(format).parse_to_owned().ok()?;
        let format = Self::Date(items);
        // A day that is written and read again shows whether the format has all that a day needs.
        let day = NaiveDate::from_ymd_opt(2014, 7, 23)?.and_hms_opt(0, 0, 0)?.and_utc();
        let Self::Date(items) = &format else { return None };
        let mut text = String::new();
        std::fmt::Write::write_fmt(&mut text, format_args!("{}", day.format_with_items(items.iter()))).ok()?;
        (format.read(&text) == Some(day.timestamp())).then_some(format)
    }

    /// The time in a text; `None` if it is none.
    pub(crate) fn read(&self, text: &str) -> Option<i64> {
        match self {
            Self::Integer => text.parse().ok(),
            Self::Date(items) => {
                let mut parsed = Parsed::new();
                parse(&mut parsed, text, items.iter()).ok()?;
                seconds(&parsed)
            }
        }
    }

    /// What a text must be that can be read.
    pub(crate) fn allowed(&self) -> &'static str {
        match self {
            Self::Integer => INTEGER,
            Self::Date(_) => DATE,
        }
    }
}

/// Seconds since 1970. Without a time of day midnight is meant, without an offset UTC.
fn seconds(parsed: &Parsed) -> Option<i64> {
    if let Some(timestamp) = parsed.timestamp() {
        return Some(timestamp);
    }
    let day = parsed.to_naive_date().ok()?;
    let has_time = parsed.hour_div_12().is_some() || parsed.hour_mod_12().is_some();
    let time = if has_time { parsed.to_naive_time().ok()? } else { NaiveTime::MIN };
    Some(day.and_time(time).and_utc().timestamp() - i64::from(parsed.offset().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn read(format: &str, text: &str) -> Option<i64> {
        TimeFormat::date(format).unwrap().read(text)
    }

    #[test]
    fn dates_are_read_as_logs_write_them() {
        // Amazon's reviews of 2014 and 2018; `date -u -d 2014-09-01 +%s`.
        assert_eq!(read("%m %d, %Y", "09 1, 2014"), Some(1_409_529_600));
        assert_eq!(read("%Y-%m-%d %H:%M:%S", "2014-09-01 00:01:40"), Some(1_409_529_700));
        assert_eq!(read("%Y-%m-%dT%H:%M:%S%z", "2014-09-01T02:00:00+02:00"), Some(1_409_529_600));
        assert_eq!(read("%Y%m%d", "20140901"), Some(1_409_529_600));
        assert_eq!(read("%d/%m/%Y %I:%M %p", "01/09/2014 12:01 AM"), Some(1_409_529_660));
        assert_eq!(read("%Y-%m-%d %H:%M:%S%.f", "2014-09-01 00:00:01.75"), Some(1_409_529_601));
        assert_eq!(read("%s", "1409529600"), Some(1_409_529_600));
        assert_eq!(read("%Y-%m-%d", "1969-12-31"), Some(-86_400));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in ["", "2014-02-30", "2014-13-01", "2014-09-01 ", "2014-09", "soon"] {
            assert_eq!(read("%Y-%m-%d", text), None, "{text}");
        }
        for text in ["", "1.5", "9223372036854775808", "1e3", " 1"] {
            assert_eq!(TimeFormat::Integer.read(text), None, "{text}");
        }
    }

    #[test]
    fn a_format_must_name_a_day() {
        for format in ["", "%H:%M", "%Y-%m", "%Q", "day"] {
            assert!(TimeFormat::date(format).is_none(), "{format}");
        }
    }
}
