//! A configuration file, changed from outside, as the settings of a type.

use std::path::Path;

use serde::de::DeserializeOwned;
use toml::Table;

use crate::{ConfigError, Override};

/// Reads a TOML file, applies overrides, and reads the result as settings.
///
/// # Errors
/// [`ConfigError`] names the file and the key, and says what is wrong.
pub fn read_settings<T: DeserializeOwned>(file: &Path, overrides: &[Override]) -> Result<T, ConfigError> {
    let origin = file.display().to_string();
    settings_of(table_of(&text_of(file)?, &origin, overrides)?, &origin)
}

pub(crate) fn text_of(file: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(file).map_err(|cause| ConfigError::Io { file: file.to_owned(), cause })
}

/// The text as TOML, with the overrides applied; `origin` names it in messages.
pub(crate) fn table_of(text: &str, origin: &str, overrides: &[Override]) -> Result<Table, ConfigError> {
    let mut table: Table = text.parse().map_err(|error: toml::de::Error| ConfigError::Syntax {
        origin: origin.to_owned(),
        message: error.to_string().trim_end().to_owned(),
    })?;
    for setting in overrides {
        setting.apply(&mut table)?;
    }
    Ok(table)
}

pub(crate) fn settings_of<T: DeserializeOwned>(table: Table, origin: &str) -> Result<T, ConfigError> {
    serde_path_to_error::deserialize(table).map_err(|error| {
        let key = error.path().to_string();
        ConfigError::Key {
            origin: origin.to_owned(),
            key: if key == "." { "the file".to_owned() } else { key },
            message: error.into_inner().to_string().trim_end().replace('\n', " "),
        }
    })
}
