//! How a CSV file is written.

use serde::{Deserialize, Serialize};

use crate::error::TableError;

/// How CSV files are written: TOML `[data.csv]`. It says nothing about Parquet files, which describe themselves.
///
/// ```
/// use fain_tables::CsvConfig;
///
/// // MovieLens-1M's ratings.dat has lines such as 1::1193::5::978300760.
/// let ratings = CsvConfig {
///     separator: "::".to_owned(),
///     quote: String::new(),
///     columns: Some(["userId", "movieId", "rating", "timestamp"].map(str::to_owned).to_vec()),
///     ..CsvConfig::default()
/// };
/// ratings.check("log.csv")?;
/// # Ok::<(), fain_tables::TableError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct CsvConfig {
    /// What stands between two fields, ASCII: `,` by default; `"\t"`, `";"` and `"|"` are common.
    /// Several characters, such as `::`, work without quoting only: [`CsvConfig::quote`] must be empty then.
    pub separator: String,
    /// The character around a field that holds separators or line breaks, ASCII. Doubled inside such a field, it
    /// stands for itself. Empty for none: then it is a character as any other, and no field can hold a line break.
    /// Left out in TOML, it is `"` beside a separator of one character, and none beside a longer one.
    pub quote: String,
    /// The encoding of the text.
    pub encoding: Encoding,
    /// The names of the columns of a file without header, in its order: its first line is a row then.
    /// Left out, the first line is the header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
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

/// The settings as written: what the quote is by default depends on the separator.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    separator: String,
    quote: Option<String>,
    encoding: Encoding,
    columns: Option<Vec<String>>,
}

impl Default for Written {
    fn default() -> Self {
        Self { separator: ",".to_owned(), quote: None, encoding: Encoding::Utf8, columns: None }
    }
}

impl From<Written> for CsvConfig {
    fn from(written: Written) -> Self {
        let Written { separator, quote, encoding, columns } = written;
        let usual = if separator.len() > 1 { "" } else { "\"" };
        Self { separator, quote: quote.unwrap_or_else(|| usual.to_owned()), encoding, columns }
    }
}

impl Default for CsvConfig {
    fn default() -> Self {
        Written::default().into()
    }
}

impl CsvConfig {
    /// Finds what no CSV file can be written with. `key` is where the settings stand, such as `data.csv`.
    ///
    /// # Errors
    /// [`TableError::Config`] names the key, the value and what is allowed.
    pub fn check(&self, key: &str) -> Result<(), TableError> {
        let problem = |name: &str, value: &str, allowed: String| TableError::Config {
            key: format!("{key}.{name}"),
            value: format!("{value:?}"),
            allowed,
        };
        let usable = |text: &str| text.is_ascii() && !text.contains(['\n', '\r']);
        if self.separator.is_empty() || !usable(&self.separator) {
            let allowed = "ASCII characters other than line breaks are needed, mostly one";
            return Err(problem("separator", &self.separator, allowed.to_owned()));
        }
        if self.quote.len() > 1 || !usable(&self.quote) {
            let allowed = "one ASCII character other than a line break is needed, or none";
            return Err(problem("quote", &self.quote, allowed.to_owned()));
        }
        if self.separator.len() > 1 && !self.quote.is_empty() {
            let allowed = format!("must be empty where {key}.separator has several characters");
            return Err(problem("quote", &self.quote, allowed));
        }
        if self.separator == self.quote {
            let allowed = format!("a character other than {key}.separator is needed");
            return Err(problem("quote", &self.quote, allowed));
        }
        self.check_columns(key)
    }

    fn check_columns(&self, key: &str) -> Result<(), TableError> {
        let Some(columns) = &self.columns else { return Ok(()) };
        let repeated = columns.iter().enumerate().find(|(place, name)| columns[..*place].contains(name));
        let allowed = match repeated {
            Some((_, name)) => format!("\"{name}\" stands there twice; every column needs a name of its own"),
            None if columns.is_empty() => "at least one name is needed".to_owned(),
            None => return Ok(()),
        };
        Err(TableError::Config { key: format!("{key}.columns"), value: format!("{columns:?}"), allowed })
    }
}
