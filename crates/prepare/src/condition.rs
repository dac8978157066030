//! A condition on one column of the log, as written in a configuration.

use serde::{Deserialize, Serialize};

use crate::error::{PrepareError, quoted};

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
            return Err(PrepareError::config(key, format!("{{ column = {} }}", quoted(&self.column)), allowed));
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
