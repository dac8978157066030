//! What histories keep, as written in a configuration.

use serde::{Deserialize, Serialize};

use crate::error::PrepareError;
use crate::rules::EventChoice;

/// What histories keep: TOML `[history]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryConfig {
    /// The events that enter histories. Default: the positive ones.
    #[serde(default = "positive")]
    pub events: EventChoice,
    /// Most events of a history: the last ones before the sample. At least 1.
    pub max_length: u32,
    /// Samples with fewer events before them are left out; at most `max_length`. Default: 0.
    #[serde(default)]
    pub min_length: u32,
}

impl HistoryConfig {
    pub(crate) fn check(&self) -> Result<(), PrepareError> {
        if self.max_length == 0 {
            return Err(PrepareError::config("history.max_length", 0, "must be at least 1"));
        }
        if self.min_length > self.max_length {
            let allowed = format!("must be at most history.max_length = {}", self.max_length);
            return Err(PrepareError::config("history.min_length", self.min_length, allowed));
        }
        self.events.check("history.events")
    }
}

fn positive() -> EventChoice {
    EventChoice::Positive
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::{EventChoice, HistoryConfig};
    use crate::condition::Scalar;

    fn parse(text: &str) -> Result<HistoryConfig, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn what_is_written_is_read_back() {
        for events in ["'positive'", "'all'", "{ column = 'behaviour', any_of = ['buy', 3] }"] {
            let config = parse(&format!("events = {events}\nmax_length = 50\nmin_length = 1")).unwrap();
            assert_eq!(parse(&toml::to_string(&config).unwrap()).unwrap(), config);
        }
        let config = parse("max_length = 50").unwrap();
        assert_eq!(config, HistoryConfig { events: EventChoice::Positive, max_length: 50, min_length: 0 });
        let config = parse("events = { column = 'behaviour', any_of = ['buy', 3] }\nmax_length = 1").unwrap();
        let EventChoice::Where(condition) = config.events else { unreachable!("a condition was written") };
        assert_eq!(condition.any_of, Some(vec![Scalar::Text("buy".to_owned()), Scalar::Number(3.0)]));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |text: &str| parse(text).unwrap_err().to_string();
        let message = wrong("events = 'positives'\nmax_length = 1");
        assert!(message.contains("\"positives\", expected \"positive\", \"all\" or a condition"), "{message}");
        let message = wrong("events = { column = 'behaviour', anyof = ['buy'] }\nmax_length = 1");
        assert!(message.contains("unknown field `anyof`"), "{message}");
        let message = wrong("events = { equals = 'buy' }\nmax_length = 1");
        assert!(message.contains("missing field `column`"), "{message}");
        assert!(wrong("min_length = 1").contains("missing field `max_length`"));
        assert!(wrong("max_length = 1\ncap = 2").contains("unknown field `cap`"));
    }

    #[test]
    fn conflicts_are_refused() {
        for (text, message) in [
            ("max_length = 0", "history.max_length = 0: must be at least 1"),
            ("max_length = 5\nmin_length = 6", "history.min_length = 6: must be at most history.max_length = 5"),
            (
                "max_length = 5\nevents = { column = 'b' }",
                "history.events = { column = \"b\" }: one of at_least, at_most, equals and any_of is needed",
            ),
        ] {
            assert_eq!(parse(text).unwrap().check().unwrap_err().to_string(), message);
        }
        parse("max_length = 5\nmin_length = 5").unwrap().check().unwrap();
    }
}
