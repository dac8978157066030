//! What rows of the log say about their users or items.

use fain_samples::{CodeLists, Kind, Values};
use fain_tables::{Record, TermTable};
use indexmap::IndexMap;

use crate::columns::{BoundColumn, Value, kinds};
use crate::config::ColumnKind;
use crate::error::PrepareError;
use crate::table::Wanted;

/// The columns of users or items that are taken of the log: of each, the value of the first row that has one.
#[derive(Debug, Clone)]
pub(crate) struct Seen<'a> {
    columns: Vec<SeenColumn<'a>>,
    /// Whether rows had different values, for each user or item.
    contradicted: Vec<bool>,
    list: Vec<u32>,
}

#[derive(Debug, Clone)]
struct SeenColumn<'a> {
    column: BoundColumn<'a>,
    /// All texts of the rows.
    terms: TermTable,
    values: SeenValues,
}

/// A value for each user or item, as far as rows had one.
#[derive(Debug, Clone)]
enum SeenValues {
    Term(Vec<Option<u32>>),
    /// NaN where there is none yet.
    Number(Vec<f64>),
    /// Empty where there is none yet.
    Terms(Vec<Box<[u32]>>),
}

impl<'a> Seen<'a> {
    /// Of the columns of a configuration; `key` is where they stand there.
    pub(crate) fn new(columns: &'a IndexMap<String, ColumnKind>, key: &str, wanted: &mut Wanted<'a>) -> Self {
        let values = kinds(columns).into_iter().map(|kind| match kind {
            Kind::Term => SeenValues::Term(Vec::new()),
            Kind::Number => SeenValues::Number(Vec::new()),
            Kind::Terms => SeenValues::Terms(Vec::new()),
        });
        let columns = BoundColumn::all(columns, key, wanted).into_iter().zip(values);
        let columns = columns.map(|(column, values)| SeenColumn { column, terms: TermTable::default(), values });
        Self { columns: columns.collect(), contradicted: Vec::new(), list: Vec::new() }
    }

    /// Looks at a row of the user or item with this number. Numbers begin at 0, and a new one is the next.
    pub(crate) fn add(&mut self, number: u32, record: &Record) -> Result<(), PrepareError> {
        let number = number as usize;
        if self.contradicted.len() <= number {
            self.contradicted.resize(number + 1, false);
        }
        for SeenColumn { column, terms, values } in &mut self.columns {
            let value = column.read(record, terms, &mut self.list)?;
            self.contradicted[number] |= !values.keep(number, value, &self.list, is_missing(value, terms));
        }
        Ok(())
    }

    /// Adds what later rows say; `numbers` has the number here of each of theirs.
    pub(crate) fn append(&mut self, later: Self, numbers: &[u32]) -> Result<(), PrepareError> {
        let count = numbers.iter().map(|number| *number as usize + 1).max().unwrap_or(0);
        if self.contradicted.len() < count {
            self.contradicted.resize(count, false);
        }
        for (contradicted, number) in later.contradicted.into_iter().zip(numbers) {
            self.contradicted[*number as usize] |= contradicted;
        }
        for (ours, theirs) in self.columns.iter_mut().zip(later.columns) {
            let SeenColumn { column, terms, values } = ours;
            let mut code = |code: u32| {
                let text = theirs.terms.get(code as usize).unwrap_or_default();
                terms.intern(text).ok_or_else(|| column.too_many())
            };
            for (place, number) in numbers.iter().enumerate() {
                self.list.clear();
                let value = match &theirs.values {
                    SeenValues::Term(kept) => match kept.get(place).copied().flatten() {
                        Some(kept) => Value::Term(code(kept)?),
                        None => continue,
                    },
                    SeenValues::Number(kept) => Value::Number(kept.get(place).copied().unwrap_or(f64::NAN)),
                    SeenValues::Terms(kept) => {
                        for term in kept.get(place).into_iter().flatten() {
                            self.list.push(code(*term)?);
                        }
                        Value::Terms
                    }
                };
                self.contradicted[*number as usize] |= !values.keep(*number as usize, value, &self.list, false);
            }
        }
        Ok(())
    }

    /// How many users or items have rows with different values.
    pub(crate) fn contradicted(&self) -> u64 {
        self.contradicted.iter().filter(|contradicted| **contradicted).count() as u64
    }

    /// The columns of so many users or items, with missing values where no row has one, and their texts in the order of
    /// the users or items.
    pub(crate) fn into_columns(self, count: usize) -> Result<(Vec<Values>, Vec<TermTable>), PrepareError> {
        let mut all = Vec::with_capacity(self.columns.len());
        for SeenColumn { column, terms, values } in self.columns {
            let mut kept = TermTable::default();
            let mut code = |code: Option<u32>| {
                let text = code.and_then(|code| terms.get(code as usize)).unwrap_or_default();
                kept.intern(text).ok_or_else(|| column.too_many())
            };
            let values = match values {
                SeenValues::Term(mut codes) => {
                    codes.resize(count, None);
                    Values::Term(codes.into_iter().map(code).collect::<Result<_, _>>()?)
                }
                SeenValues::Number(mut numbers) => {
                    numbers.resize(count, f64::NAN);
                    Values::Number(numbers)
                }
                SeenValues::Terms(mut lists) => {
                    lists.resize(count, Box::default());
                    let mut kept = CodeLists::default();
                    for list in lists {
                        let codes = list.iter().map(|term| code(Some(*term)));
                        kept.push(codes.collect::<Result<Vec<_>, _>>()?);
                    }
                    Values::Terms(kept)
                }
            };
            all.push((values, kept));
        }
        Ok(all.into_iter().unzip())
    }
}

impl SeenValues {
    /// Keeps a value if there is none; false if there is another one. `list` holds the terms of a list; `missing` says that
    /// a term is the empty text.
    fn keep(&mut self, number: usize, value: Value, list: &[u32], missing: bool) -> bool {
        match (self, value) {
            (Self::Term(kept), Value::Term(code)) => {
                let kept = at(kept, number, None);
                missing || *kept.get_or_insert(code) == code
            }
            (Self::Number(kept), Value::Number(value)) => {
                let kept = at(kept, number, f64::NAN);
                if kept.is_nan() {
                    *kept = value;
                }
                value.is_nan() || kept.to_bits() == value.to_bits()
            }
            (Self::Terms(kept), Value::Terms) => {
                let kept = at(kept, number, Box::default());
                if kept.is_empty() {
                    *kept = list.into();
                }
                list.is_empty() || **kept == *list
            }
            // A column's values are of the kind that the configuration gives it.
            _ => true,
        }
    }
}

fn is_missing(value: Value, terms: &TermTable) -> bool {
    matches!(value, Value::Term(code) if terms.get(code as usize) == Some(""))
}

/// A place of a list, which is made long enough.
fn at<T: Clone>(values: &mut Vec<T>, place: usize, missing: T) -> &mut T {
    if values.len() <= place {
        values.resize(place + 1, missing);
    }
    &mut values[place]
}
