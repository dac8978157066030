//! Columns by their names.

use std::path::Path;

use crate::error::TableError;

/// A column that is wanted, and the setting that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedColumn<'a> {
    /// The name in the header.
    pub name: &'a str,
    /// The setting, such as `log.user`; errors name it.
    pub key: &'a str,
}

/// The place of the one column with a name; `key` is the setting that names it.
///
/// # Errors
/// [`TableError::MissingColumn`] lists what the header has; [`TableError::RepeatedColumn`] says how often it is there.
pub fn find_column(column: &str, key: &str, header: &[String], path: &Path) -> Result<usize, TableError> {
    let (file, column, key) = (path.to_path_buf(), column.to_owned(), key.to_owned());
    let times = header.iter().filter(|&name| *name == column).count();
    match header.iter().position(|name| *name == column) {
        Some(place) if times == 1 => Ok(place),
        Some(_) => Err(TableError::RepeatedColumn { file, column, key, times }),
        None => Err(TableError::MissingColumn { file, column, key, header: header.to_vec() }),
    }
}

/// Which fields of a file its records have, and in which order.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    /// Places in the file.
    pub(crate) places: Vec<usize>,
    /// The names there.
    pub(crate) names: Vec<String>,
    /// Whether the records have the fields as the file has them.
    pub(crate) all: bool,
}

impl Selection {
    /// The wanted columns, or all.
    pub(crate) fn new(wanted: Option<&[WantedColumn<'_>]>, header: &[String], file: &Path) -> Result<Self, TableError> {
        let places: Vec<usize> = match wanted {
            None => (0..header.len()).collect(),
            Some(wanted) => wanted
                .iter()
                .map(|column| find_column(column.name, column.key, header, file))
                .collect::<Result<_, _>>()?,
        };
        let all = places.len() == header.len() && places.iter().enumerate().all(|(place, &wanted)| place == wanted);
        let names = places.iter().map(|&place| header[place].clone()).collect();
        Ok(Self { places, names, all })
    }
}
