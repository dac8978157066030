//! What can go wrong with files of columns.

use std::io::ErrorKind as IoErrorKind;
use std::path::{Path, PathBuf};

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// A file that is not what its manifest says, or that this version does not read.
    #[error("{}: {what} is {found}; needed: {needed}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What was looked at.
        what: String,
        /// What was found.
        found: String,
        /// What is needed.
        needed: String,
    },
    /// A source that changed while it was read: its passes saw different bytes.
    #[error("{}: the file changed while it was read; run again when it is complete", file.display())]
    Changed {
        /// The source.
        file: PathBuf,
    },
    /// A file or folder cannot be read or written; a full disk is one cause.
    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// The system's answer.
        cause: std::io::Error,
    },
}

impl StorageError {
    /// A file that is not what it should be.
    pub fn damaged(
        file: &Path,
        what: impl Into<String>,
        found: impl std::fmt::Display,
        needed: impl std::fmt::Display,
    ) -> Self {
        Self::Damaged { file: file.to_owned(), what: what.into(), found: found.to_string(), needed: needed.to_string() }
    }

    /// A file that cannot be opened. A missing one is damage; anything else is the system's refusal.
    pub fn unreadable(file: &Path, cause: std::io::Error) -> Self {
        match cause.kind() {
            IoErrorKind::NotFound => Self::damaged(file, "the file", "missing", "a file of a dataset"),
            _ => Self::io("open", file, cause),
        }
    }

    /// What the system refused to do.
    pub fn io(action: &'static str, path: &Path, cause: std::io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), cause }
    }
}
