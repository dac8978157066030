//! What an encoded row came from.

use std::fmt;

use crate::dataset::Dataset;
use crate::manifest::{Content, InlineInfo, SourceInfo};
use crate::routing::{Routing, Side};
use crate::split::Split;

/// What an encoded row came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A row of a file.
    Row {
        /// The file's name, without its folder.
        file: String,
        /// The row, counted from 1; the header and blank lines do not count.
        row: u64,
    },
    /// A sample of a samples folder.
    Sample {
        /// The user.
        user: String,
        /// The candidate of the stored sample.
        item: String,
        /// Seconds since 1970; `None` where the schema does not name the time.
        time: Option<i64>,
        /// Whether the row's own candidate is a negative drawn beside the stored sample.
        drawn: bool,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row { file, row } => write!(f, "{file}, row {row}"),
            Self::Sample { user, item, time, drawn } => {
                let drawn = if *drawn { "a negative drawn beside " } else { "" };
                write!(f, "{drawn}user \"{}\", item \"{}\"", user.escape_debug(), item.escape_debug())?;
                time.map_or(Ok(()), |time| write!(f, ", time {time}"))
            }
        }
    }
}

impl Dataset {
    /// What a row of the training split came from; rows of a split are counted from 0.
    ///
    /// `None` where rows were held out by the values of a column (`data.validation.by`), which only the files themselves
    /// could tell, and for a row that the split does not have.
    pub fn train_origin(&self, row: u64) -> Option<Origin> {
        match &self.manifest().content {
            Content::Inline(info) => self.routed(info, Side::Train, row, self.train().rows()),
            Content::Views(_) => sample(self.train(), row),
        }
    }

    /// What a row of the validation split came from, as [`Dataset::train_origin`] has it.
    pub fn validation_origin(&self, row: u64) -> Option<Origin> {
        let split = self.validation();
        match &self.manifest().content {
            Content::Inline(info) => match &info.sources.validation {
                Some(sources) => whole(sources, row, split.rows()),
                None => self.routed(info, Side::Validation, row, split.rows()),
            },
            Content::Views(_) => sample(split, row),
        }
    }

    /// What a row of the test split came from, as [`Dataset::train_origin`] has it.
    pub fn test_origin(&self, row: u64) -> Option<Origin> {
        let split = self.test()?;
        match &self.manifest().content {
            Content::Inline(info) => whole(info.sources.test.as_ref()?, row, split.rows()),
            Content::Views(_) => sample(split, row),
        }
    }

    /// A row of one side of the training files. The rule that parted the rows knows them by their numbers: going through
    /// these again takes no look at the files.
    fn routed(&self, info: &InlineInfo, side: Side, row: u64, rows: u64) -> Option<Origin> {
        let routing = Routing::by_number(&info.validation)?;
        if row >= rows {
            return None;
        }
        let of_file = info.sources.validation.is_none();
        let held_out = if of_file { self.validation().rows() } else { 0 };
        let mut numbers = (1..=self.train().rows() + held_out).filter(|&number| routing.side_of_row(number) == side);
        place(&info.sources.train, numbers.nth(usize::try_from(row).ok()?)?)
    }
}

/// A row of a split that has files of its own.
fn whole(sources: &[SourceInfo], row: u64, rows: u64) -> Option<Origin> {
    if row < rows { place(sources, row + 1) } else { None }
}

/// The row with a number that counts from 1 over all files.
fn place(sources: &[SourceInfo], number: u64) -> Option<Origin> {
    let mut row = number;
    for source in sources {
        match source.rows {
            Some(rows) if row > rows => row -= rows,
            _ => return Some(Origin::Row { file: source.file.clone(), row }),
        }
    }
    None
}

fn sample(split: &Split, row: u64) -> Option<Origin> {
    let (user, item, time, drawn) = split.views()?.origin(row)?;
    Some(Origin::Sample { user, item, time, drawn })
}
