//! `a.b=value`: one setting changed from outside the file.

use std::str::FromStr;

use toml::{Table, Value};

use crate::ConfigError;

/// A setting that replaces or adds to what a configuration file says.
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    text: String,
    path: Vec<String>,
    value: Value,
}

impl FromStr for Override {
    type Err = ConfigError;

    /// Reads `key.of.table=value`. The value is TOML; what is no TOML is taken as text.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let refuse = |message: &str| ConfigError::Override { text: text.to_owned(), message: message.to_owned() };
        let (key, value) = text.split_once('=').ok_or_else(|| refuse("allowed: key.of.table=value"))?;
        let path: Vec<String> = key.trim().split('.').map(str::to_owned).collect();
        if path.iter().any(String::is_empty) {
            return Err(refuse("the key has an empty part; allowed: key.of.table=value"));
        }
        let value = value.trim();
        let parsed = toml::from_str::<Table>(&format!("value = {value}")).ok();
        let parsed = parsed.filter(|table| table.len() == 1).and_then(|mut table| table.remove("value"));
        Ok(Self { text: text.to_owned(), path, value: parsed.unwrap_or_else(|| Value::String(value.to_owned())) })
    }
}

impl Override {
    /// Puts the value into the table, making the tables on its way.
    pub(crate) fn apply(&self, root: &mut Table) -> Result<(), ConfigError> {
        let Some((last, tables)) = self.path.split_last() else { return Ok(()) };
        let mut table = root;
        for part in tables {
            let next = table.entry(part.clone()).or_insert_with(|| Value::Table(Table::new()));
            table = next.as_table_mut().ok_or_else(|| ConfigError::Override {
                text: self.text.clone(),
                message: format!("`{part}` is no table"),
            })?;
        }
        table.insert(last.clone(), self.value.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn applied(file: &str, settings: &[&str]) -> String {
        let mut table: Table = toml::from_str(file).unwrap();
        for text in settings {
            text.parse::<Override>().unwrap().apply(&mut table).unwrap();
        }
        table.to_string()
    }

    #[test]
    fn values_are_toml_or_text() {
        let settings = ["a.b=1", "a.c=train.csv.gz", "a.d=\"x\"", "e=[1, 2]", "f=/no/toml", "g=1e-3", "h="];
        let expected =
            "e = [1, 2]\nf = \"/no/toml\"\ng = 0.001\nh = \"\"\n\n[a]\nb = 1\nc = \"train.csv.gz\"\nd = \"x\"\n";
        let table: Table = applied("a.b = 0", &settings).parse().unwrap();
        assert_eq!(table, expected.parse::<Table>().unwrap());
    }

    #[test]
    fn a_value_cannot_smuggle_a_second_key_in() {
        let setting: Override = "a=1\nb=2".parse().unwrap();
        assert_eq!(setting.value, Value::String("1\nb=2".to_owned()));
    }

    #[test]
    fn what_cannot_be_applied_is_refused() {
        let message = |text: &str| text.parse::<Override>().unwrap_err().to_string();
        assert_eq!(message("a.b"), "--set a.b: allowed: key.of.table=value");
        assert_eq!(message("a..b=1"), "--set a..b=1: the key has an empty part; allowed: key.of.table=value");
        let mut table: Table = toml::from_str("a = 1").unwrap();
        let error = "a.b=1".parse::<Override>().unwrap().apply(&mut table).unwrap_err();
        assert_eq!(error.to_string(), "--set a.b=1: `a` is no table");
    }
}
