//! Times.

/// What a time may be.
pub(crate) const TIME: &str = "a time in whole seconds since 1970";

/// Reads a time.
pub(crate) fn parse_time(text: &str) -> Result<i64, &'static str> {
    text.parse().map_err(|_| TIME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_strict() {
        assert_eq!(parse_time("978300760"), Ok(978_300_760));
        assert_eq!(parse_time("-1"), Ok(-1));
        assert_eq!(parse_time("9223372036854775807"), Ok(i64::MAX));
        for text in ["", " 1", "1 ", "1.0", "1e9", "9223372036854775808", "2000-12-31", "x"] {
            assert_eq!(parse_time(text), Err(TIME), "{text}");
        }
    }
}
