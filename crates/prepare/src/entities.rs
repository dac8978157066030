//! The users or the items: their keys, and what a table of their own says about them.

use fain_samples::{CodeLists, Values};
use fain_tables::{Record, TermTable};

use crate::columns::{BoundColumn, Value, kinds};
use crate::config::AttributeTable;
use crate::error::PrepareError;
use crate::progress::{Phase, Reporter};
use crate::seen::Seen;
use crate::table::{Sources, Wanted};

/// What a key of a table of users or items must be.
const KEY: &str = "a key: the field is empty";
const NEW_KEY: &str = "new: an earlier row has this key";

/// The users or the items, numbered in the order of their table, then of the log.
#[derive(Debug, Default)]
pub(crate) struct Entities {
    keys: TermTable,
    /// Those that the table has; all, where there is none.
    described: usize,
    /// Those of which rows of the log say different things.
    contradicted: u64,
    columns: Vec<Values>,
    /// The texts of each column; of a column of numbers, none.
    terms: Vec<TermTable>,
}

impl Entities {
    /// Reads the table of a configuration; `section` is its name there. Returns the rows of each file, too.
    pub(crate) fn read(
        (config, key_column): (&AttributeTable, &str),
        section: &str,
        phase: Phase,
        sources: &Sources<'_>,
        reporter: &mut Reporter<'_>,
    ) -> Result<(Self, Vec<u64>), PrepareError> {
        let mut wanted = Wanted::default();
        let key = wanted.place(key_column, &format!("{section}.key"));
        let columns = BoundColumn::all(&config.columns, &format!("{section}.columns"), &mut wanted);
        let mut table = sources.open(&wanted)?;
        let mut entities = Self {
            columns: kinds(&config.columns).into_iter().map(Values::new).collect(),
            terms: vec![TermTable::default(); columns.len()],
            ..Self::default()
        };
        let mut record = Record::new();
        let mut list = Vec::new();
        while table.read(&mut record, phase, reporter)? {
            let text = record.get(key);
            if text.is_empty() {
                return Err(record.wrong(key_column, key, KEY).into());
            }
            let known = entities.keys.len();
            if (entities.code(text, key_column)? as usize) < known {
                return Err(record.wrong(key_column, key, NEW_KEY).into());
            }
            for ((column, values), terms) in columns.iter().zip(&mut entities.columns).zip(&mut entities.terms) {
                push(values, column.read(&record, terms, &mut list)?, &list);
            }
        }
        entities.described = entities.keys.len();
        Ok((entities, table.into_rows()))
    }

    /// The number of a key, which is added if it is new; `column` is the key's.
    pub(crate) fn code(&mut self, key: &str, column: &str) -> Result<u32, PrepareError> {
        self.keys.intern(key).ok_or_else(|| PrepareError::TooManyTerms { column: column.to_owned() })
    }

    /// The keys in the order of their numbers.
    pub(crate) fn keys(&self) -> &TermTable {
        &self.keys
    }

    /// Takes the columns of the log's rows.
    pub(crate) fn describe(&mut self, seen: Seen<'_>) -> Result<(), PrepareError> {
        self.described = self.keys.len();
        self.contradicted = seen.contradicted();
        (self.columns, self.terms) = seen.into_columns(self.described)?;
        Ok(())
    }

    /// How many the log has that the table does not.
    pub(crate) fn undescribed(&self) -> u64 {
        (self.keys.len() - self.described) as u64
    }

    /// Of how many rows of the log say different things.
    pub(crate) fn contradicted(&self) -> u64 {
        self.contradicted
    }

    /// The columns, with missing values for those that only the log has, and their texts.
    pub(crate) fn into_columns(mut self) -> Result<(TermTable, Vec<Values>, Vec<TermTable>), PrepareError> {
        let count = self.keys.len();
        for (values, terms) in self.columns.iter_mut().zip(&mut self.terms) {
            match values {
                Values::Number(numbers) => numbers.resize(count, f64::NAN),
                Values::Term(codes) if codes.len() < count => {
                    let missing =
                        terms.intern("").ok_or_else(|| PrepareError::TooManyTerms { column: String::new() })?;
                    codes.resize(count, missing);
                }
                Values::Term(_) => {}
                Values::Terms(lists) => pad(lists, count),
            }
        }
        Ok((self.keys, self.columns, self.terms))
    }
}

fn pad(lists: &mut CodeLists, count: usize) {
    while lists.len() < count {
        lists.push([]);
    }
}

fn push(values: &mut Values, value: Value, list: &[u32]) {
    match (values, value) {
        (Values::Term(codes), Value::Term(code)) => codes.push(code),
        (Values::Number(numbers), Value::Number(number)) => numbers.push(number),
        (Values::Terms(lists), Value::Terms) => lists.push(list.iter().copied()),
        // A column's values are of the kind that the configuration gives it.
        _ => {}
    }
}
