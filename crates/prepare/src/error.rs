//! What can go wrong on the way from a log to samples.

use fain_tables::{TableError, TableErrorKind};

/// An error of this crate. [`PrepareError::kind`] says whose fault it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// A value of the configuration that is not allowed.
    #[error("{key} = {value}: {allowed}")]
    Config {
        /// The key as a user writes it, for example `log.user`.
        key: String,
        /// The value found, as TOML writes it.
        value: String,
        /// What is allowed.
        allowed: String,
    },
    /// A table that cannot be read, or whose content is wrong.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The caller asked to stop. Nothing was left behind.
    #[error("interrupted")]
    Interrupted,
}

/// Whose fault an error is; the command line turns it into an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The configuration is wrong.
    Config,
    /// The data is wrong.
    Data,
    /// The work failed.
    Work,
    /// The caller asked to stop.
    Interrupted,
}

impl PrepareError {
    /// Whose fault the error is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Config { .. } => ErrorKind::Config,
            Self::Table(error) => match error.kind() {
                TableErrorKind::Config => ErrorKind::Config,
                TableErrorKind::Unreadable | TableErrorKind::Content => ErrorKind::Data,
            },
            Self::Interrupted => ErrorKind::Interrupted,
        }
    }

    /// A value of the configuration that is not allowed; `value` as TOML writes it.
    pub(crate) fn config(key: impl Into<String>, value: impl std::fmt::Display, allowed: impl Into<String>) -> Self {
        Self::Config { key: key.into(), value: value.to_string(), allowed: allowed.into() }
    }
}

/// A text as TOML writes it.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_debug())
}
