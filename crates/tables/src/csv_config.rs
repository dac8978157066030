//! How a CSV file is written.

use serde::{Deserialize, Serialize};

use crate::error::TableError;

/// How a CSV file is written: TOML `[data.csv]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CsvConfig {
    /// The character between two fields, ASCII: `,` by default; `"\t"`, `";"` and `"|"` are common.
    pub separator: char,
    /// The character around a field that holds separators or line breaks, ASCII: `"` by default.
    /// Doubled inside such a field, it stands for itself.
    /// A character that the file never uses, such as `"\u0000"`, turns quoting off.
    pub quote: char,
    /// The encoding of the text.
    pub encoding: Encoding,
}

/// The encoding of a file's text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    #[default]
    Utf8,
    /// ISO-8859-1: every byte is the code point of the same number.
    Latin1,
}

impl Default for CsvConfig {
    fn default() -> Self {
        Self { separator: ',', quote: '"', encoding: Encoding::Utf8 }
    }
}

impl CsvConfig {
    /// Finds what no CSV file can be written with.
    ///
    /// # Errors
    /// [`TableError::Config`] names the key, the value and what is allowed.
    pub fn check(&self) -> Result<(), TableError> {
        for (key, value) in [("data.csv.separator", self.separator), ("data.csv.quote", self.quote)] {
            if !value.is_ascii() || value == '\n' || value == '\r' {
                return Err(problem(key, value, "one ASCII character other than a line break is needed"));
            }
        }
        if self.separator == self.quote {
            return Err(problem("data.csv.quote", self.quote, "a character other than data.csv.separator is needed"));
        }
        Ok(())
    }
}

fn problem(key: &str, value: char, allowed: &str) -> TableError {
    TableError::Config {
        key: key.to_owned(),
        value: format!("\"{}\"", value.escape_debug()),
        allowed: allowed.to_owned(),
    }
}
