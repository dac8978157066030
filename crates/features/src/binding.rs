//! Where in a file the columns of a schema are.

use std::path::{Path, PathBuf};

use fain_tables::{Record, TableError, find_column};

use crate::checked::{FeatureKind, Schema};
use crate::error::DataError;
use crate::samples::Parts;

/// The places of a schema's columns in one file.
#[derive(Debug, Clone)]
pub struct Binding {
    path: PathBuf,
    width: usize,
    pub(crate) label: Option<Place>,
    pub(crate) group: Option<Place>,
    pub(crate) time: Option<Place>,
    /// Blind, optimal.
    pub(crate) ceiling: Option<(Place, Place)>,
    /// In the order of the features; nothing for one that is left out.
    pub(crate) features: Vec<Option<Place>>,
}

/// One column of a file.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) index: usize,
    pub(crate) column: String,
}

impl Binding {
    /// Finds the columns of the features, and those of the parts asked for, in a header.
    ///
    /// # Errors
    /// [`TableError::MissingColumn`](fain_tables::TableError::MissingColumn) lists what the header has;
    /// [`TableError::RepeatedColumn`](fain_tables::TableError::RepeatedColumn); [`DataError::Config`] for a part that the schema does not name.
    pub fn new(schema: &Schema, parts: Parts, header: &[String], path: &Path) -> Result<Self, DataError> {
        Self::leaving_out(&[], schema, parts, header, path)
    }

    /// As [`Binding::new`], but the sequence and times features named in `unread` are not read: their lists are empty in every
    /// row, whether the file has their columns or not. It is for rows to score, where a model reads some features in
    /// training only.
    ///
    /// # Errors
    /// Those of [`Binding::new`]; [`DataError::Config`] for a name that is no sequence or times feature of the schema.
    pub fn leaving_out(
        unread: &[String],
        schema: &Schema,
        parts: Parts,
        header: &[String],
        path: &Path,
    ) -> Result<Self, DataError> {
        check_unread(unread, schema)?;
        let find = |column: &str, key: &str| find(column, key, header, path);
        let label = parts.labels.then(|| find(schema.label(), "schema.label")).transpose()?;
        let named = |wanted: bool, column: Option<&str>, key: &str| match (wanted, column) {
            (false, _) => Ok(None),
            (true, Some(column)) => find(column, key).map(Some),
            (true, None) => Err(not_named(key)),
        };
        let group = named(parts.groups, schema.group(), "schema.group")?;
        let time = named(parts.times, schema.time(), "schema.time")?;
        let ceiling = match (parts.ceiling, schema.ceiling()) {
            (false, _) => None,
            (true, Some(ceiling)) => {
                Some((find(&ceiling.blind, "schema.ceiling.blind")?, find(&ceiling.optimal, "schema.ceiling.optimal")?))
            }
            (true, None) => return Err(not_named("schema.ceiling")),
        };
        let features = schema
            .features()
            .iter()
            .map(|feature| {
                let wanted = !unread.contains(&feature.name);
                wanted.then(|| find(&feature.column, &format!("schema.features.{}", feature.name))).transpose()
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { path: path.to_path_buf(), width: header.len(), label, group, time, ceiling, features })
    }

    /// A record of another file would be read at the wrong places.
    pub(crate) fn check(&self, record: &Record, features: usize) -> Result<(), DataError> {
        if self.features.len() != features {
            return Err(DataError::Mismatch { what: "binding" });
        }
        if record.len() != self.width {
            return Err(DataError::Mismatch { what: "record" });
        }
        Ok(())
    }

    pub(crate) fn run_too_long(&self, record: &Record, place: &Place) -> DataError {
        DataError::RunTooLong { file: self.path.clone(), row: record.row(), column: place.column.clone() }
    }
}

impl Place {
    /// Reads one field; the error of `read` says what is allowed.
    pub(crate) fn value<T>(
        &self,
        record: &Record,
        read: impl FnOnce(&str) -> Result<T, &'static str>,
    ) -> Result<T, DataError> {
        read(record.get(self.index)).map_err(|allowed| record.wrong(&self.column, self.index, allowed).into())
    }

    /// The error of one term in a list; `allowed` says what would be right.
    pub(crate) fn wrong_term(&self, record: &Record, term: &str, allowed: &'static str) -> DataError {
        let mut error = record.wrong(&self.column, self.index, allowed);
        // The list may be long, and only this term is wrong.
        if let TableError::Value { value, .. } = &mut error {
            term.clone_into(value);
        }
        error.into()
    }
}

/// Only a list has a value that says nothing: the one without terms.
fn check_unread(unread: &[String], schema: &Schema) -> Result<(), DataError> {
    let is_list = |name: &str| {
        let kind = schema.feature(name).map(|(_, feature)| &feature.kind);
        matches!(kind, Some(FeatureKind::Sequence { .. } | FeatureKind::Times { .. }))
    };
    match unread.iter().find(|name| !is_list(name)) {
        None => Ok(()),
        Some(name) => Err(DataError::Config {
            key: "unread".to_owned(),
            value: format!("\"{name}\""),
            allowed: "only sequence and times features of the schema can be left out".to_owned(),
        }),
    }
}

fn find(column: &str, key: &str, header: &[String], path: &Path) -> Result<Place, DataError> {
    let index = find_column(column, key, header, path)?;
    Ok(Place { index, column: column.to_owned() })
}

fn not_named(key: &str) -> DataError {
    DataError::Config {
        key: key.to_owned(),
        value: "(not set)".to_owned(),
        allowed: "must be set, since this part of the samples is asked for".to_owned(),
    }
}
