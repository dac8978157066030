//! Numbers as texts.

/// What a numeric column may hold.
const NUMBER: &str = "a finite number within the range of 32-bit floats, or empty";
/// What it may hold where the logarithm of the number plus 1 is taken.
const ABOVE_MINUS_ONE: &str = "a finite number above -1 within the range of 32-bit floats, or empty";

/// Which numbers a feature takes. Samples hold 32-bit floats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Domain {
    All,
    AboveMinusOne,
}

impl Domain {
    /// What is allowed, in words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::All => NUMBER,
            Self::AboveMinusOne => ABOVE_MINUS_ONE,
        }
    }

    /// The number, if it is one of these; else what is allowed.
    pub(crate) fn check(self, value: f64) -> Result<f64, &'static str> {
        // NaN fails the comparisons.
        let inside = value.abs() <= f64::from(f32::MAX) && (self == Self::All || value > -1.0);
        if inside { Ok(value) } else { Err(self.words()) }
    }
}

/// Reads a number; `Ok(None)` for the empty text, which is a missing value.
pub(crate) fn parse_number(text: &str, domain: Domain) -> Result<Option<f64>, &'static str> {
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse::<f64>() {
        Ok(value) => domain.check(value).map(Some),
        Err(_) => Err(domain.words()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_strict() {
        assert_eq!(parse_number("", Domain::All), Ok(None));
        assert_eq!(parse_number("-1.5e3", Domain::All), Ok(Some(-1500.0)));
        assert_eq!(parse_number("3.4e38", Domain::All), Ok(Some(3.4e38)));
        for text in [" 1", "1 ", "1,5", "nan", "NaN", "inf", "-infinity", "3.5e38", "1e400", "x", "0x10", "1_000"] {
            assert_eq!(parse_number(text, Domain::All), Err(NUMBER), "{text}");
        }
    }

    #[test]
    fn a_logarithm_needs_numbers_above_minus_one() {
        assert_eq!(parse_number("-0.5", Domain::AboveMinusOne), Ok(Some(-0.5)));
        assert_eq!(parse_number("", Domain::AboveMinusOne), Ok(None));
        for text in ["-1", "-1.5", "nan", "x"] {
            assert_eq!(parse_number(text, Domain::AboveMinusOne), Err(ABOVE_MINUS_ONE), "{text}");
        }
    }
}
