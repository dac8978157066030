//! Conflicts in a configuration, found before any data is read.

use fain_tables::CsvConfig;
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
        let of = |key: &str| format!("{section}.{key}");
        let alone = |key: &str, value: String| {
            let allowed = format!("must stand beside {section}.files; without these, the columns are those of the log");
            Err(PrepareError::config(of(key), value, allowed))
        };
        match (&self.files, &self.key) {
            (Some(files), Some(key)) => {
                check_files(&of("files"), files)?;
                not_empty(&of("key"), key, COLUMN)?;
            }
            (Some(_), None) => {
                let allowed = "must have a key beside files: the column of the user or item";
                return Err(PrepareError::config(section, "{ … }", allowed));
            }
            (None, Some(key)) => return alone("key", quoted(key)),
            (None, None) if self.csv != CsvConfig::default() => return alone("csv", "{ … }".to_owned()),
            (None, None) if self.columns.is_empty() => {
                return Err(PrepareError::config(of("columns"), "{}", "must name at least one column of the log"));
            }
            (None, None) => {}
        }
        self.csv.check(&of("csv"))?;
        check_columns(&of("columns"), &self.columns)
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
