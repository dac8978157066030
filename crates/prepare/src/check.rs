//! Conflicts in a configuration, found before any data is read.

use indexmap::IndexMap;

use crate::config::{AttributeTable, ColumnKind, FileNames, LogConfig, PrepareConfig};
use crate::error::{PrepareError, quoted};
use crate::rules;
use crate::time::TimeFormat;

const COLUMN: &str = "must be the name of a column";
const FILE: &str = "must be the name of a file";
const SEPARATOR: &str = "must be the text between two terms";

impl PrepareConfig {
    /// Looks for conflicts, without reading anything.
    ///
    /// # Errors
    /// [`PrepareError::Config`] names the key, its value and what is allowed; [`PrepareError::Samples`] the name that two
    /// columns of the samples would have.
    pub fn check(&self) -> Result<(), PrepareError> {
        self.log.check()?;
        for (section, table) in [("users", &self.users), ("items", &self.items)] {
            if let Some(table) = table {
                table.check(section)?;
            }
        }
        rules::check(&self.rules())?;
        Ok(self.layout().check()?)
    }
}

impl LogConfig {
    fn check(&self) -> Result<(), PrepareError> {
        check_files("log.files", &self.files)?;
        self.csv.check("log.csv")?;
        not_empty("log.user", &self.user, COLUMN)?;
        not_empty("log.item", &self.item, COLUMN)?;
        if self.item == self.user {
            return Err(PrepareError::config("log.item", quoted(&self.item), "must be another column than log.user"));
        }
        match (&self.time, &self.order) {
            (Some(time), None) => {
                not_empty("log.time", time.column(), COLUMN)?;
                TimeFormat::of(time)?;
            }
            (None, Some(order)) => not_empty("log.order", order, COLUMN)?,
            (None, None) => {
                return Err(PrepareError::config(
                    "log",
                    "{ … }",
                    "must have either time or order; it has none of them",
                ));
            }
            (Some(_), Some(order)) => {
                return Err(PrepareError::config("log.order", quoted(order), "must not stand beside log.time"));
            }
        }
        for (place, condition) in self.only.iter().enumerate() {
            condition.check(&format!("log.only[{place}]"))?;
        }
        check_columns("log.event", &self.event)?;
        for (name, kind) in &self.event {
            if let ColumnKind::Terms(separator) = kind {
                let value = format!("{{ terms = {} }}", quoted(separator));
                let allowed = "must be \"term\" or \"number\": an event keeps one value, not several";
                return Err(PrepareError::config(format!("log.event.{name}"), value, allowed));
            }
        }
        check_columns("log.row", &self.row)
    }
}

impl AttributeTable {
    fn check(&self, section: &str) -> Result<(), PrepareError> {
        check_files(&format!("{section}.files"), &self.files)?;
        self.csv.check(&format!("{section}.csv"))?;
        not_empty(&format!("{section}.key"), &self.key, COLUMN)?;
        check_columns(&format!("{section}.columns"), &self.columns)
    }
}

fn check_files(key: &str, files: &FileNames) -> Result<(), PrepareError> {
    if files.as_slice().is_empty() {
        return Err(PrepareError::config(key, "[]", FILE));
    }
    files.as_slice().iter().try_for_each(|name| not_empty(key, name, FILE))
}

fn check_columns(key: &str, columns: &IndexMap<String, ColumnKind>) -> Result<(), PrepareError> {
    for (name, kind) in columns {
        let key = format!("{key}.{name}");
        not_empty(&key, name, COLUMN)?;
        match kind {
            ColumnKind::Term | ColumnKind::Number => {}
            ColumnKind::Terms(separator) => not_empty(&format!("{key}.terms"), separator, SEPARATOR)?,
            ColumnKind::First { separator, of } => {
                not_empty(&format!("{key}.first"), separator, SEPARATOR)?;
                not_empty(&format!("{key}.of"), of, COLUMN)?;
            }
        }
    }
    Ok(())
}

fn not_empty(key: &str, text: &str, allowed: &str) -> Result<(), PrepareError> {
    if text.is_empty() { Err(PrepareError::config(key, quoted(""), allowed)) } else { Ok(()) }
}
