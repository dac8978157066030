//! Where the data lies, as written in a configuration file.

use std::path::{Path, PathBuf};

use fain_features::CsvConfig;
use serde::{Deserialize, Serialize};

use crate::error::DatasetError;
use crate::files::{Files, quoted};

/// The sources of a dataset and the folder that keeps it encoded.
///
/// In TOML, with files whose rows hold all their columns:
/// ```
/// # use fain_dataset::DataConfig;
/// let config: DataConfig = toml::from_str(
///     r#"
///     root = "data/movielens"
///     train = "train.csv.gz"
///     test = ["test/*.csv.gz", "late.csv"]
///     validation = { fraction = 0.1, by = "userId" }
///     csv = { separator = "\t" }
///     "#,
/// )?;
/// assert!(config.check().is_ok());
/// # Ok::<(), toml::de::Error>(())
/// ```
/// or with a samples folder, which has its own parts:
/// ```
/// # use fain_dataset::DataConfig;
/// let config: DataConfig = toml::from_str(r#"samples = "data/movielens/samples""#)?;
/// assert!(config.check().is_ok());
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// Folder of the sources. Default: the working directory.
    #[serde(default = "default_root")]
    pub root: PathBuf,
    /// Samples folder, relative to `root`. It holds training, validation and test rows, and stands in the place of
    /// `train`, `test`, `validation` and `csv`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<String>,
    /// Files of the training rows, relative to `root`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train: Option<Files>,
    /// Files of the test rows, relative to `root`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Files>,
    /// Where the validation rows come from.
    #[serde(default, skip_serializing_if = "is_default")]
    pub validation: ValidationConfig,
    /// Folder of encoded datasets, relative to the working directory. Default: `.fain/datasets`.
    #[serde(default = "default_cache")]
    pub cache: PathBuf,
    /// How the source files are written.
    #[serde(default, skip_serializing_if = "is_default")]
    pub csv: CsvConfig,
    /// Encoders that are there already, to be used in the place of fitted ones. Default: they are fitted on the training
    /// rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoders: Option<EncodersConfig>,
}

/// Where encoders come from that are not fitted anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncodersConfig {
    /// A file of encoders, or the folder of a dataset or of a run, which holds one as `encoders.json`; relative to the
    /// working directory. Their schema must be the experiment's.
    pub from: PathBuf,
    /// Whether the terms of the training rows that these encoders do not know are added to them. Known terms keep their
    /// ids. Default: false, and such terms are unknown.
    #[serde(default)]
    pub grow: bool,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Where validation rows come from: files of their own, or a fraction of the training rows. Exactly one of `file` and
/// `fraction` is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidationConfig {
    /// Files of the validation rows, relative to [`DataConfig::root`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Files>,
    /// Expected share of the training files' rows (or, with `by`, of the column's values) that is held out, above 0
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
        if self.cache.as_os_str().is_empty() {
            return Err(DatasetError::config("data.cache", "\"\"", "must be the name of a folder"));
        }
        if self.encoders.as_ref().is_some_and(|encoders| encoders.from.as_os_str().is_empty()) {
            return Err(DatasetError::config("data.encoders.from", "\"\"", "must be the name of a file or folder"));
        }
        match &self.samples {
            Some(samples) => self.check_samples(samples),
            None => self.check_files(),
        }
    }

    fn check_samples(&self, samples: &str) -> Result<(), DatasetError> {
        if samples.is_empty() {
            return Err(DatasetError::config("data.samples", "\"\"", "must be the name of a folder"));
        }
        let others = [
            ("data.train", self.train.as_ref().map(Files::quoted)),
            ("data.test", self.test.as_ref().map(Files::quoted)),
            ("data.validation", (!is_default(&self.validation)).then(|| "{ .. }".to_owned())),
            ("data.csv", (!is_default(&self.csv)).then(|| "{ .. }".to_owned())),
        ];
        match others.into_iter().find_map(|(key, value)| Some((key, value?))) {
            Some((key, value)) => {
                Err(DatasetError::config(key, value, "must be left out where data.samples is given, which has its own"))
            }
            None => Ok(()),
        }
    }

    fn check_files(&self) -> Result<(), DatasetError> {
        if self.train.is_none() {
            let allowed = "must be given, or data.samples in its place";
            return Err(DatasetError::config("data.train", "(not set)", allowed));
        }
        let files = self.files();
        for (key, files) in &files {
            if files.names().is_empty() || files.names().iter().any(String::is_empty) {
                return Err(DatasetError::config(
                    *key,
                    files.quoted(),
                    "must be the name of a file, or a list of names",
                ));
            }
        }
        let names = || files.iter().flat_map(|(key, files)| files.names().iter().map(move |name| (*key, name)));
        for (later, (key, name)) in names().enumerate() {
            for (other, earlier) in names().take(later) {
                if self.path(name) == self.path(earlier) {
                    return Err(same_file(key, name, other));
                }
            }
        }
        self.csv.check("data.csv")?;
        self.validation.check()
    }

    /// The sources that are given, with their keys, in a fixed order.
    pub(crate) fn files(&self) -> Vec<(&'static str, &Files)> {
        let files =
            [("data.train", &self.train), ("data.validation.file", &self.validation.file), ("data.test", &self.test)];
        files.into_iter().filter_map(|(key, files)| Some((key, files.as_ref()?))).collect()
    }

    /// Where a source lies.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        if Path::new(file).is_absolute() { PathBuf::from(file) } else { self.root.join(file) }
    }
}

/// Rows that are in two splits make the measured quality a lie.
pub(crate) fn same_file(key: &str, file: &str, other: &str) -> DatasetError {
    let allowed =
        if key == other { "must be named once".to_owned() } else { format!("must be another file than {other}") };
    DatasetError::config(key, quoted(file), allowed)
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
        for config in
            [config, parse("samples = 's'"), parse("train = ['a', 'b']\nencoders = { from = 'e', grow = true }")]
        {
            let text = toml::to_string(&config).unwrap();
            assert_eq!(parse(&text), config);
        }
    }

    #[test]
    fn misspelt_keys_are_refused() {
        let unknown = |text: &str| toml::from_str::<DataConfig>(text).unwrap_err().to_string();
        assert!(unknown("train = 'a'\ntrian = 'b'").contains("unknown field `trian`"));
        assert!(unknown("train = 'a'\n[validation]\nshare = 1").contains("unknown field `share`"));
        assert!(unknown("train = 'a'\nencoders = { from = 'b', growth = true }").contains("unknown field `growth`"));
    }

    #[test]
    fn conflicts_are_refused() {
        let cases = [
            ("root = 'a'", "data.train = (not set): must be given, or data.samples in its place"),
            ("train = ''", "data.train = \"\": must be the name of a file, or a list of names"),
            ("train = []", "data.train = []: must be the name of a file, or a list of names"),
            ("train = ['a', '']", "data.train = [\"a\", \"\"]: must be the name of a file, or a list of names"),
            ("train = ['a', 'b', './a']", "data.train = \"./a\": must be named once"),
            ("train = 'a'\nencoders.from = ''", "data.encoders.from = \"\": must be the name of a file or folder"),
            ("samples = ''", "data.samples = \"\": must be the name of a folder"),
            (
                "samples = 's'\ntrain = 'a'",
                "data.train = \"a\": must be left out where data.samples is given, which has its own",
            ),
            (
                "samples = 's'\ntest = ['a', 'b']",
                "data.test = [\"a\", \"b\"]: must be left out where data.samples is given, which has its own",
            ),
            (
                "samples = 's'\nvalidation.fraction = 0.1",
                "data.validation = { .. }: must be left out where data.samples is given, which has its own",
            ),
            (
                "samples = 's'\ncsv.separator = ';'",
                "data.csv = { .. }: must be left out where data.samples is given, which has its own",
            ),
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
