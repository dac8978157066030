//! A condition on one column of the log, as written in a configuration.

use std::fmt;

use fain_tables::Record;
use serde::{Deserialize, Serialize};

use crate::error::{PrepareError, quoted};
use crate::table::Wanted;

/// What a row's value in one column must be. All that is given must hold; at least one is given.
///
/// A missing value, which is an empty text, fulfils no condition.
///
/// ```
/// # use fain_prepare::Condition;
/// # #[derive(serde::Deserialize)] struct Log { only: Vec<Condition> }
/// let log: Log = toml::from_str(
///     r#"only = [{ column = "rating", at_least = 4 }, { column = "behaviour", any_of = ["buy", "cart"] }]"#,
/// )?;
/// assert_eq!(log.only[0].at_least, Some(4.0));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The column.
    pub column: String,
    /// The value is a number, and not below this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// The value is a number, and not above this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    /// The value is this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<Scalar>,
    /// The value is one of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub any_of: Option<Vec<Scalar>>,
}

/// A value that a condition names. A number is compared as a number (`1` equals `1.0`), a text as a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a number or a text is needed")]
pub enum Scalar {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

impl Condition {
    /// Finds a condition that says nothing, or that nothing can fulfil; `key` is where it stands.
    pub(crate) fn check(&self, key: &str) -> Result<(), PrepareError> {
        if self.column.is_empty() {
            return Err(PrepareError::config(format!("{key}.column"), quoted(""), "must be the name of a column"));
        }
        if self.at_least.is_none() && self.at_most.is_none() && self.equals.is_none() && self.any_of.is_none() {
            let allowed = "one of at_least, at_most, equals and any_of is needed";
            return Err(PrepareError::config(key, self, allowed));
        }
        for (name, bound) in [("at_least", self.at_least), ("at_most", self.at_most)] {
            if let Some(bound) = bound.filter(|bound| bound.is_nan()) {
                return Err(PrepareError::config(format!("{key}.{name}"), bound, "must be a number"));
            }
        }
        if let (Some(low), Some(high)) = (self.at_least, self.at_most)
            && low > high
        {
            let allowed = format!("must not be below at_least = {low}: no value is both");
            return Err(PrepareError::config(format!("{key}.at_most"), high, allowed));
        }
        if let Some(any_of) = &self.any_of
            && any_of.is_empty()
        {
            return Err(PrepareError::config(format!("{key}.any_of"), "[]", "must name at least one value"));
        }
        let named = self.equals.iter().map(|value| ("equals", value));
        for (name, value) in named.chain(self.any_of.iter().flatten().map(|value| ("any_of", value))) {
            match value {
                Scalar::Text(text) if text.is_empty() => {
                    let allowed = "must not be empty: a missing value fulfils no condition";
                    return Err(PrepareError::config(format!("{key}.{name}"), quoted(""), allowed));
                }
                Scalar::Number(number) if number.is_nan() => {
                    return Err(PrepareError::config(format!("{key}.{name}"), number, "must be a number or a text"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Its column, as TOML writes it.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{ column = {} }}", quoted(&self.column))
    }
}

/// What a value must be that is compared with numbers.
const NUMBER: &str = "a number";

/// A condition whose column has a place in the records.
#[derive(Debug)]
pub(crate) struct BoundCondition<'a> {
    condition: &'a Condition,
    place: usize,
}

impl<'a> BoundCondition<'a> {
    /// `key` is where the condition stands.
    pub(crate) fn new(condition: &'a Condition, key: &str, wanted: &mut Wanted<'a>) -> Self {
        Self { condition, place: wanted.place(&condition.column, &format!("{key}.column")) }
    }

    /// Whether a row fulfils the condition.
    pub(crate) fn holds(&self, record: &Record) -> Result<bool, PrepareError> {
        let wrong = || record.wrong(&self.condition.column, self.place, NUMBER).into();
        self.condition.holds(record.get(self.place)).ok_or_else(wrong)
    }
}

impl Condition {
    /// Whether a value fulfils the condition; `None` if it is no number and would have to be.
    fn holds(&self, text: &str) -> Option<bool> {
        if text.is_empty() {
            return Some(false);
        }
        let number = || text.parse::<f64>().ok().filter(|number| !number.is_nan());
        if self.at_least.is_some() || self.at_most.is_some() {
            let number = number()?;
            let inside =
                self.at_least.is_none_or(|low| number >= low) && self.at_most.is_none_or(|high| number <= high);
            if !inside {
                return Some(false);
            }
        }
        let equals = self.equals.as_slice();
        for named in [Some(equals).filter(|values| !values.is_empty()), self.any_of.as_deref()].into_iter().flatten() {
            if !is_one_of(text, number, named)? {
                return Some(false);
            }
        }
        Some(true)
    }
}

/// Whether a text is among the values. If all of them are numbers, the text must be one: `None` else.
fn is_one_of(text: &str, number: impl Fn() -> Option<f64>, values: &[Scalar]) -> Option<bool> {
    let is_text = |value: &Scalar| matches!(value, Scalar::Text(value) if value == text);
    if values.iter().any(is_text) {
        return Some(true);
    }
    if !values.iter().any(|value| matches!(value, Scalar::Number(_))) {
        return Some(false);
    }
    match number() {
        #[expect(clippy::float_cmp, reason = "the number in the log is the one that was meant, or another")]
        Some(number) => Some(values.iter().any(|value| matches!(value, Scalar::Number(value) if *value == number))),
        None if values.iter().any(|value| matches!(value, Scalar::Text(_))) => Some(false),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn condition(rest: &str) -> Condition {
        toml::from_str(&format!("column = \"c\"\n{rest}")).unwrap()
    }

    #[test]
    fn all_that_is_given_must_hold() {
        let between = condition("at_least = 2\nat_most = 4.5");
        let held = ["1.9", "2", "2.0", "4.5", "5", "-inf", ""].map(|text| between.holds(text).unwrap());
        assert_eq!(held, [false, true, true, true, false, false, false]);
        assert_eq!((between.holds("two"), between.holds("nan")), (None, None));

        let both = condition("at_least = 2\nany_of = [1, 3]");
        assert_eq!(["1", "2", "3"].map(|text| both.holds(text).unwrap()), [false, false, true]);
    }

    #[test]
    fn numbers_are_equal_as_numbers_and_texts_as_texts() {
        let one = condition("equals = 1");
        assert_eq!(
            ["1", "1.0", "01", "2", "", "x"].map(|text| one.holds(text)),
            [Some(true), Some(true), Some(true), Some(false), Some(false), None]
        );
        let text = condition("equals = \"1\"");
        assert_eq!(["1", "1.0", "x"].map(|value| text.holds(value).unwrap()), [true, false, false]);
        let mixed = condition("any_of = [\"buy\", 1]");
        assert_eq!(["buy", "1.0", "2", "pv"].map(|value| mixed.holds(value).unwrap()), [true, true, false, false]);
    }

    #[test]
    fn a_condition_must_say_something_that_can_be() {
        let message = |rest: &str| condition(rest).check("label").unwrap_err().to_string();
        assert_eq!(message(""), "label = { column = \"c\" }: one of at_least, at_most, equals and any_of is needed");
        assert_eq!(message("any_of = []"), "label.any_of = []: must name at least one value");
        assert_eq!(
            message("equals = \"\""),
            "label.equals = \"\": must not be empty: a missing value fulfils no condition"
        );
        assert_eq!(
            message("at_least = 3\nat_most = 2"),
            "label.at_most = 2: must not be below at_least = 3: no value is both"
        );
        assert_eq!(message("at_least = nan"), "label.at_least = NaN: must be a number");
        let unnamed = toml::from_str::<Condition>("column = \"\"\nequals = 1").unwrap().check("log.only[0]");
        assert_eq!(unnamed.unwrap_err().to_string(), "log.only[0].column = \"\": must be the name of a column");
    }
}
