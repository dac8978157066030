//! The columns that are kept of a table: how a row's values are read.

use fain_samples::Kind;
use fain_tables::{Record, TermTable};
use indexmap::IndexMap;

use crate::config::ColumnKind;
use crate::error::PrepareError;
use crate::number::{NUMBER, parse_number};
use crate::table::Wanted;

/// A column that is kept, and its place in the records.
#[derive(Debug, Clone)]
pub(crate) struct BoundColumn<'a> {
    name: &'a str,
    kind: &'a ColumnKind,
    place: usize,
}

/// What a row has in a column. Terms are numbers in the column's table of terms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    /// One term.
    Term(u32),
    /// A number, or NaN.
    Number(f64),
    /// Several terms, which lie in a list of their own.
    Terms,
}

impl<'a> BoundColumn<'a> {
    /// The columns of a configuration; `key` is where they stand there.
    pub(crate) fn all(columns: &'a IndexMap<String, ColumnKind>, key: &str, wanted: &mut Wanted<'a>) -> Vec<Self> {
        let mut bind = |(name, kind): (&'a String, &'a ColumnKind)| {
            let source = match kind {
                ColumnKind::First { of, .. } => of,
                _ => name,
            };
            Self { name, kind, place: wanted.place(source, &format!("{key}.{name}")) }
        };
        columns.iter().map(&mut bind).collect()
    }

    /// The error of too many texts.
    pub(crate) fn too_many(&self) -> PrepareError {
        PrepareError::TooManyTerms { column: self.name.to_owned() }
    }

    /// Reads a row's value. New terms are added to `terms`; those of a list replace what `list` held.
    pub(crate) fn read(
        &self,
        record: &Record,
        terms: &mut TermTable,
        list: &mut Vec<u32>,
    ) -> Result<Value, PrepareError> {
        let text = record.get(self.place);
        let mut code = |term: &str| terms.intern(term).ok_or_else(|| self.too_many());
        match self.kind {
            ColumnKind::Term => code(text).map(Value::Term),
            ColumnKind::First { separator, .. } => {
                // A Parquet list has its own items.
                let first = match record.list(self.place) {
                    Some(mut items) => items.next(),
                    None => text.split(separator.as_str()).next(),
                };
                code(first.unwrap_or_default()).map(Value::Term)
            }
            ColumnKind::Number => {
                parse_number(text).map(Value::Number).ok_or_else(|| record.wrong(self.name, self.place, NUMBER).into())
            }
            ColumnKind::Terms(separator) => {
                list.clear();
                match record.list(self.place) {
                    Some(items) => list.extend(items.map(code).collect::<Result<Vec<_>, _>>()?),
                    None if text.is_empty() => {}
                    None => {
                        for term in text.split(separator.as_str()) {
                            list.push(code(term)?);
                        }
                    }
                }
                Ok(Value::Terms)
            }
        }
    }
}

/// What the columns hold, as samples keep it.
pub(crate) fn kinds(columns: &IndexMap<String, ColumnKind>) -> Vec<Kind> {
    columns.values().map(ColumnKind::stored).collect()
}
