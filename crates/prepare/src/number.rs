//! Numbers in texts.

/// What a column of numbers may hold.
pub(crate) const NUMBER: &str = "a finite number within the range of 32-bit floats, or empty";

/// Reads a number; NaN for the empty text, which is a missing value, and `None` for what is no number.
pub(crate) fn parse_number(text: &str) -> Option<f64> {
    if text.is_empty() {
        return Some(f64::NAN);
    }
    // Models compute with 32-bit floats. NaN fails the comparison.
    text.parse().ok().filter(|value: &f64| value.abs() <= f64::from(f32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_finite_or_missing() {
        assert_eq!((parse_number("4.5"), parse_number("-1e3")), (Some(4.5), Some(-1000.0)));
        assert!(parse_number("").is_some_and(f64::is_nan));
        for text in ["nan", "inf", "1e39", " 1", "four", "1,5"] {
            assert_eq!(parse_number(text), None, "{text}");
        }
    }
}
