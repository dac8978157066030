//! Names of source files, as a configuration writes them.

use serde::{Deserialize, Serialize};

/// One or several source files: a name or a list of names, relative to the root. A name may be a pattern: `*` stands for
/// any characters but `/`, `?` for one of them, `[ab]` for one of those named, `**` for any folders between. The files of
/// a pattern are read in the order of their names, and all must have the same columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Files {
    /// One name or pattern.
    One(String),
    /// Several, which are read in this order.
    Several(Vec<String>),
}

impl Files {
    /// The names, as written.
    pub fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Several(names) => names,
        }
    }

    /// As TOML writes them.
    pub(crate) fn quoted(&self) -> String {
        match self {
            Self::One(name) => quoted(name),
            Self::Several(names) => {
                format!("[{}]", names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl From<&str> for Files {
    fn from(name: &str) -> Self {
        Self::One(name.to_owned())
    }
}

/// A text as TOML writes it.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_debug())
}
