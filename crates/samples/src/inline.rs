//! One column of a sample as text.

use std::fmt::Write;

use fain_storage::{Chunks, ListChunks, TextChunks};

use crate::export::CsvExport;
use crate::folder::SamplesFolder;
use crate::logical::{Field, Logical, LogicalColumn, Past};
use crate::part::Part;
use crate::tables::StoredColumn;

/// A column that samples show, with what its values are looked up in.
pub(crate) struct InlineColumn<'a> {
    pub(crate) name: String,
    pub(crate) whose: Whose,
    values: Values<'a>,
}

/// Whose values a column has: the rows that it is looked up by.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whose {
    Row,
    User,
    Item,
    /// The events of the history.
    Events,
    /// The items of the events of the history.
    EventItems,
    /// The items beside the events of the history.
    Negatives,
}

/// What a row is looked up in.
enum Values<'a> {
    /// The sample's own: a negative candidate has another than its stored row.
    Label,
    /// The texts by row: the column of a key.
    Keys(&'a TextChunks),
    Times(&'a Chunks<i64>),
    Numbers(&'a Chunks<f64>),
    Terms(&'a Chunks<u32>, &'a TextChunks),
    Lists(&'a ListChunks<u32>, &'a TextChunks),
}

/// A value that cannot be written in line, and why.
pub(crate) struct Problem {
    pub(crate) value: String,
    pub(crate) reason: &'static str,
}

impl<'a> InlineColumn<'a> {
    /// `None` for a column that the folder does not have.
    pub(crate) fn of(folder: &'a SamplesFolder, part: Part, column: LogicalColumn) -> Option<Self> {
        let texts = column.meaning.term_table(folder.layout()).and_then(|table| folder.terms(table));
        let field = |columns: &'a [StoredColumn], field| match field {
            Field::Key => Some(Values::Keys(texts?)),
            Field::Column(number) => Values::of(columns.get(number)?, texts),
        };
        let rows = folder.rows(part);
        let (whose, values) = match column.meaning {
            Logical::Label => (Whose::Row, Values::Label),
            Logical::Time => (Whose::Row, Values::Times(rows.times.as_ref()?)),
            Logical::Row(number) => (Whose::Row, Values::of(rows.columns.get(number)?, texts)?),
            Logical::User(of) => (Whose::User, field(&folder.users().columns, of)?),
            Logical::Item(of) => (Whose::Item, field(&folder.items().columns, of)?),
            Logical::History(Past::Item(of)) => (Whose::EventItems, field(&folder.items().columns, of)?),
            Logical::History(Past::Time) => (Whose::Events, Values::Times(folder.events().times.as_ref()?)),
            Logical::History(Past::Event(number)) => {
                (Whose::Events, Values::of(folder.events().columns.get(number)?, texts)?)
            }
            Logical::Negative(of) => (Whose::Negatives, field(&folder.items().columns, of)?),
        };
        Some(Self { name: column.name, whose, values })
    }

    /// Appends what a row has.
    pub(crate) fn value(&self, row: u64, label: u8, export: &CsvExport, out: &mut String) -> Result<(), Problem> {
        match &self.values {
            Values::Label => show(label, out),
            Values::Lists(lists, texts) => {
                let codes = lists.list(row).iter().map(|code| u64::from(*code));
                return join(codes, export, out, |code, out| out.push_str(texts.get(code).unwrap_or_default()));
            }
            _ => self.single(row, out),
        }
        Ok(())
    }

    /// Appends what each of the rows has.
    pub(crate) fn list(
        &self,
        rows: impl Iterator<Item = u64>,
        export: &CsvExport,
        out: &mut String,
    ) -> Result<(), Problem> {
        join(rows, export, out, |row, out| self.single(row, out))
    }

    /// Appends the one value that a row has, nothing where it is missing.
    fn single(&self, row: u64, out: &mut String) {
        match &self.values {
            Values::Keys(texts) => out.push_str(texts.get(row).unwrap_or_default()),
            Values::Terms(codes, texts) => out.push_str(texts.get(u64::from(codes.at(row))).unwrap_or_default()),
            Values::Times(times) => show(times.at(row), out),
            Values::Numbers(numbers) if !numbers.at(row).is_nan() => show(numbers.at(row), out),
            Values::Numbers(_) | Values::Label | Values::Lists(..) => {}
        }
    }
}

impl<'a> Values<'a> {
    fn of(column: &'a StoredColumn, texts: Option<&'a TextChunks>) -> Option<Self> {
        Some(match column {
            StoredColumn::Term(codes) => Self::Terms(codes, texts?),
            StoredColumn::Number(numbers) => Self::Numbers(numbers),
            StoredColumn::Terms(lists) => Self::Lists(lists, texts?),
        })
    }
}

/// Appends values with separators between them.
fn join(
    rows: impl Iterator<Item = u64>,
    export: &CsvExport,
    out: &mut String,
    mut single: impl FnMut(u64, &mut String),
) -> Result<(), Problem> {
    let mut count = 0_u64;
    for row in rows {
        if count > 0 {
            out.push(export.separator);
        }
        count += 1;
        let start = out.len();
        single(row, out);
        if out.len() == start {
            out.push_str(&export.missing);
        }
        if out[start..].contains(export.separator) {
            return Err(Problem { value: out[start..].to_owned(), reason: "holds the separator of lists" });
        }
    }
    if count == 1 && out.is_empty() {
        let reason = "is the only value of a list: in line it would read as a list without values";
        return Err(Problem { value: String::new(), reason });
    }
    Ok(())
}

/// Appends a number; the shortest text that reads as the same number.
fn show(value: impl std::fmt::Display, out: &mut String) {
    // Writing to a text does not fail.
    let _ = write!(out, "{value}");
}
