//! Where the data lies, as written in a configuration file.

use std::path::{Path, PathBuf};

use fain_features::CsvConfig;
use serde::{Deserialize, Serialize};

use crate::error::DatasetError;

/// The sources of a dataset and the folder that keeps it encoded.
///
/// In TOML:
/// ```
/// # use fain_dataset::DataConfig;
/// let config: DataConfig = toml::from_str(
///     r#"
///     root = "data/movielens"
///     train = "train.csv.gz"
///     test = "test.csv.gz"
///     validation = { fraction = 0.1, by = "userId" }
///     csv = { separator = "\t" }
///     "#,
/// )?;
/// assert!(config.check().is_ok());
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// Folder of the source files. Default: the working directory.
    #[serde(default = "default_root")]
    pub root: PathBuf,
    /// File of the training rows, relative to `root`; CSV, plain or gzip.
    pub train: String,
    /// File of the test rows, relative to `root`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<String>,
    /// Where the validation rows come from.
    #[serde(default)]
    pub validation: ValidationConfig,
    /// Folder of encoded datasets, relative to the working directory. Default: `.fain/datasets`.
    #[serde(default = "default_cache")]
    pub cache: PathBuf,
    /// How the source files are written.
    #[serde(default)]
    pub csv: CsvConfig,
}

/// Where validation rows come from: a file of their own, or a fraction of the training file. Exactly one of `file` and
/// `fraction` is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidationConfig {
    /// File of the validation rows, relative to [`DataConfig::root`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Expected share of the training file's rows (or, with `by`, of the column's values) that is held out, above 0
    /// and at most 0.5. Each one is drawn by a hash, so the share found differs from it by chance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fraction: Option<f64>,
    /// Column whose values are drawn instead of rows: all rows with one value go to the same side. For a user column,
    /// no user is in both training and validation. Only with `fraction`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Seed of the draw. Only with `fraction`. Default: 1.
    #[serde(default = "default_seed")]
    pub seed: u64,
}

impl Default for ValidationConfig {
    fn default() -> Self {
        Self { file: None, fraction: None, by: None, seed: default_seed() }
    }
}

fn default_root() -> PathBuf {
    PathBuf::from(".")
}

fn default_cache() -> PathBuf {
    PathBuf::from(".fain/datasets")
}

fn default_seed() -> u64 {
    1
}

impl DataConfig {
    /// Looks for conflicts, without reading anything.
    ///
    /// # Errors
    /// [`DatasetError::Config`] names the key, its value and what is allowed.
    pub fn check(&self) -> Result<(), DatasetError> {
        let files = self.files();
        for (key, file) in &files {
            if file.is_empty() {
                return Err(DatasetError::config(*key, "\"\"", "must be the name of a file"));
            }
        }
        for (later, (key, file)) in files.iter().enumerate() {
            for (other, earlier) in &files[..later] {
                if self.path(file) == self.path(earlier) {
                    return Err(same_file(key, file, other));
                }
            }
        }
        if self.cache.as_os_str().is_empty() {
            return Err(DatasetError::config("data.cache", "\"\"", "must be the name of a folder"));
        }
        self.csv.check("data.csv")?;
        self.validation.check()
    }

    /// The sources that are given, with their keys, in a fixed order.
    fn files(&self) -> Vec<(&'static str, &str)> {
        let mut files = vec![("data.train", self.train.as_str())];
        files.extend(self.validation.file.as_deref().map(|file| ("data.validation.file", file)));
        files.extend(self.test.as_deref().map(|file| ("data.test", file)));
        files
    }

    /// Where a source lies.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        if Path::new(file).is_absolute() { PathBuf::from(file) } else { self.root.join(file) }
    }
}

/// Rows that are in two splits make the measured quality a lie.
pub(crate) fn same_file(key: &str, file: &str, other: &str) -> DatasetError {
    DatasetError::config(key, quoted(file), format!("must be another file than {other}"))
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_debug())
}

impl ValidationConfig {
    fn check(&self) -> Result<(), DatasetError> {
        match (&self.file, self.fraction) {
            (None, None) => {
                Err(DatasetError::config("data.validation", "{}", "must have exactly one of file and fraction"))
            }
            (Some(_), Some(_)) => Err(DatasetError::config(
                "data.validation",
                "{ file, fraction }",
                "must have exactly one of file and fraction",
            )),
            (Some(_), None) => {
                if let Some(by) = &self.by {
                    return Err(DatasetError::config(
                        "data.validation.by",
                        quoted(by),
                        "is for data.validation.fraction only",
                    ));
                }
                if self.seed != default_seed() {
                    return Err(DatasetError::config(
                        "data.validation.seed",
                        self.seed,
                        "is for data.validation.fraction only",
                    ));
                }
                Ok(())
            }
            (None, Some(fraction)) => {
                if !(fraction > 0.0 && fraction <= 0.5) {
                    return Err(DatasetError::config(
                        "data.validation.fraction",
                        fraction,
                        "must be above 0 and at most 0.5",
                    ));
                }
                if self.by.as_deref() == Some("") {
                    return Err(DatasetError::config("data.validation.by", "\"\"", "must be the name of a column"));
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn parse(text: &str) -> DataConfig {
        toml::from_str(text).unwrap()
    }

    fn refusal(text: &str) -> String {
        parse(text).check().unwrap_err().to_string()
    }

    #[test]
    fn defaults() {
        let config = parse("train = 'a.csv'\n[validation]\nfraction = 0.1");
        assert_eq!(config.root, PathBuf::from("."));
        assert_eq!(config.cache, PathBuf::from(".fain/datasets"));
        assert_eq!(config.test, None);
        assert_eq!(config.validation.seed, 1);
        assert_eq!(config.csv, CsvConfig::default());
        config.check().unwrap();
    }

    #[test]
    fn what_is_written_is_read_back() {
        let config = parse(
            "root = 'r'\ntrain = 'a'\ntest = 'b'\ncache = 'c'\n[validation]\nfraction = 0.25\nby = 'u'\nseed = 7",
        );
        let text = toml::to_string(&config).unwrap();
        assert_eq!(parse(&text), config);
    }

    #[test]
    fn misspelt_keys_are_refused() {
        let unknown = |text: &str| toml::from_str::<DataConfig>(text).unwrap_err().to_string();
        assert!(unknown("train = 'a'\ntrian = 'b'").contains("unknown field `trian`"));
        assert!(unknown("train = 'a'\n[validation]\nshare = 1").contains("unknown field `share`"));
        assert!(unknown("root = 'a'").contains("missing field `train`"));
    }

    #[test]
    fn conflicts_are_refused() {
        let cases = [
            ("train = ''", "data.train = \"\": must be the name of a file"),
            ("train = 'a'\ntest = './a'", "data.test = \"./a\": must be another file than data.train"),
            (
                "train = 'a'\nvalidation.file = 'a'",
                "data.validation.file = \"a\": must be another file than data.train",
            ),
            (
                "train = 'a'\ntest = 'b'\nvalidation.file = 'b'",
                "data.test = \"b\": must be another file than data.validation.file",
            ),
            ("train = 'a'\ncache = ''\nvalidation.fraction = 0.1", "data.cache = \"\": must be the name of a folder"),
            ("train = 'a'", "data.validation = {}: must have exactly one of file and fraction"),
            (
                "train = 'a'\nvalidation = { file = 'b', fraction = 0.1 }",
                "data.validation = { file, fraction }: must have exactly one of file and fraction",
            ),
            (
                "train = 'a'\nvalidation = { file = 'b', by = 'u' }",
                "data.validation.by = \"u\": is for data.validation.fraction only",
            ),
            (
                "train = 'a'\nvalidation = { file = 'b', seed = 3 }",
                "data.validation.seed = 3: is for data.validation.fraction only",
            ),
            (
                "train = 'a'\nvalidation = { fraction = 0.1, by = '' }",
                "data.validation.by = \"\": must be the name of a column",
            ),
        ];
        for (text, message) in cases {
            assert_eq!(refusal(text), message, "{text}");
        }
        for fraction in ["0.0", "-0.1", "0.500001", "1.0", "nan", "inf"] {
            let message = refusal(&format!("train = 'a'\nvalidation.fraction = {fraction}"));
            assert!(message.ends_with(": must be above 0 and at most 0.5"), "{message}");
        }
        parse("train = 'a'\nvalidation.fraction = 0.5").check().unwrap();
    }

    #[test]
    fn relative_files_are_joined_to_the_root() {
        let config = parse("root = 'r'\ntrain = 'a'\nvalidation.fraction = 0.1");
        assert_eq!(config.path("a/b.csv"), PathBuf::from("r/a/b.csv"));
        assert_eq!(config.path("/a/b.csv"), PathBuf::from("/a/b.csv"));
    }
}
