//! A block of the log's rows as records whose codes are the block's own, so that blocks are read side by side.

use fain_tables::{Rows, TermTable};

use crate::error::PrepareError;
use crate::log::Binding;
use crate::record::{Codes, RecordFormat};
use crate::seen::Seen;

/// What a block of rows holds. Texts are numbered in the order in which the block's rows have them.
#[derive(Debug)]
pub(crate) struct Piece<'a> {
    /// The records of the rows that count, one behind the other.
    pub(crate) records: Vec<u8>,
    pub(crate) texts: Texts,
    /// What the rows say of users and items that have no table.
    pub(crate) users: Option<Seen<'a>>,
    pub(crate) items: Option<Seen<'a>>,
    /// What is wrong with the row behind the last record.
    pub(crate) failed: Option<PrepareError>,
}

/// The texts that codes stand for.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    pub(crate) users: TermTable,
    pub(crate) items: TermTable,
    /// Those of the columns of events, then of rows; of a column of numbers, none.
    pub(crate) columns: Vec<TermTable>,
}

impl<'a> Piece<'a> {
    /// Reads the rows of a block, up to the first wrong one.
    pub(crate) fn read(binding: &Binding<'a>, format: &RecordFormat, rows: &Rows) -> Self {
        let (users, items) = (binding.users.clone(), binding.items.clone());
        let columns = vec![TermTable::default(); binding.columns.len()];
        let texts = Texts { columns, ..Texts::default() };
        let mut piece = Self { records: Vec::new(), texts, users, items, failed: None };
        piece.failed = piece.add_all(binding, format, rows).err();
        piece
    }

    fn add_all(&mut self, binding: &Binding<'a>, format: &RecordFormat, rows: &Rows) -> Result<(), PrepareError> {
        let Self { records, texts, users, items, .. } = self;
        let mut hash = binding.hash.clone();
        let mut list = Vec::new();
        for record in rows.iter() {
            if !binding.counts(&record)? {
                continue;
            }
            let head = binding.head(&record, texts)?;
            if let Some(seen) = users {
                seen.add(head.user, &record)?;
            }
            if let Some(seen) = items {
                seen.add(head.item, &record)?;
            }
            let hash = hash.as_mut().map_or(0, |(hash, places)| hash.of(places.iter().map(|place| record.get(*place))));
            let start = records.len();
            format.begin(head, hash, records);
            for (column, terms) in binding.columns.iter().zip(&mut texts.columns) {
                // A row that fails leaves half a record, and nobody reads on.
                let value = column.read(&record, terms, &mut list)?;
                RecordFormat::push(value, &list, records);
            }
            format.finish(start, records);
        }
        Ok(())
    }

    /// Gives every code of the records the number that `codes` has for it.
    pub(crate) fn recode(&mut self, format: &RecordFormat, codes: &Codes) {
        let mut rest = self.records.as_mut_slice();
        while !rest.is_empty() {
            let length = format.length(rest);
            let (record, behind) = rest.split_at_mut(length);
            format.recode(record, codes);
            rest = behind;
        }
    }
}
