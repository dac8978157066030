//! How long nothing happens between two sessions.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// A length of time, as written in a configuration file: whole seconds, or a text such as `"30m"` with `s`, `m`, `h` or
/// `d` for its unit. It is written as seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct SessionGap(i64);

/// As it stands in a file.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Seconds(i64),
    Text(String),
}

impl SessionGap {
    /// A length of time in seconds; none if it is negative.
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        (seconds >= 0).then_some(Self(seconds))
    }

    /// Seconds, at least 0.
    pub fn seconds(self) -> i64 {
        self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let unit = match text.chars().next_back()? {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return None,
        };
        let count = &text[..text.len() - 1];
        if count.is_empty() || !count.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Self::from_seconds(count.parse::<i64>().ok()?.checked_mul(unit)?)
    }
}

impl<'de> Deserialize<'de> for SessionGap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let allowed = "a length of time: whole seconds from 0 on, or a text such as \"30m\" with s, m, h or d";
        let written =
            Written::deserialize(deserializer).map_err(|_| D::Error::custom(format!("allowed is {allowed}")))?;
        let (gap, text) = match written {
            Written::Seconds(seconds) => (Self::from_seconds(seconds), seconds.to_string()),
            Written::Text(text) => (Self::parse(&text), format!("\"{text}\"")),
        };
        gap.ok_or_else(|| D::Error::custom(format!("{text} is not allowed: {allowed}")))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[derive(Debug, Serialize, Deserialize)]
    struct File {
        gap: SessionGap,
    }

    #[test]
    fn seconds_and_texts_are_read_and_seconds_written() {
        for (text, seconds) in
            [("1800", 1800), ("0", 0), ("\"30m\"", 1800), ("\"90s\"", 90), ("\"2h\"", 7200), ("\"1d\"", 86_400)]
        {
            let file: File = toml::from_str(&format!("gap = {text}")).unwrap();
            assert_eq!(file.gap.seconds(), seconds, "{text}");
            assert_eq!(toml::to_string(&file).unwrap(), format!("gap = {seconds}\n"));
        }
    }

    #[test]
    fn what_is_no_length_of_time_is_refused() {
        for text in
            ["-1", "\"m\"", "\"\"", "\"30\"", "\"30 m\"", "\"-5m\"", "\"+5m\"", "\"9223372036854775807d\"", "\"5µ\""]
        {
            let message = toml::from_str::<File>(&format!("gap = {text}")).unwrap_err().to_string();
            assert!(message.contains(&format!("{text} is not allowed: a length of time")), "{message}");
        }
        for text in ["1.5", "true", "[1]"] {
            let message = toml::from_str::<File>(&format!("gap = {text}")).unwrap_err().to_string();
            assert!(message.contains("allowed is a length of time: whole seconds"), "{message}");
        }
    }
}
