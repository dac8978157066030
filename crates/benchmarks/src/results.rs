//! All figures of one call.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::figures::Row;
use crate::machine::Machine;

/// The figures of one call: the JSON document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    /// Which samples were trained on.
    pub(crate) rows: String,
    pub(crate) rounds: u16,
    /// Whether other programs were measured.
    pub(crate) peers: bool,
    /// Whether the rounds were short.
    pub(crate) quick: bool,
    pub(crate) sections: Vec<Section>,
}

/// A line of the table with its pieces of work.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Section {
    /// Its name on the command line.
    pub(crate) line: String,
    /// What is measured, in a sentence or more.
    pub(crate) about: String,
    pub(crate) rows: Vec<Row>,
}

impl Results {
    /// Writes the figures as JSON.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        }
        fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
    }
}
