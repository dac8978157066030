//! Which row of which file an encoded row came from.

use std::fmt;

use crate::dataset::Dataset;
use crate::manifest::SourceInfo;
use crate::routing::{Routing, Side};

/// A row of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file's name, without its folder.
    pub file: String,
    /// The row, counted from 1; the header and blank lines do not count.
    pub row: u64,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, row {}", self.file, self.row)
    }
}

impl Dataset {
    /// Where a row of the training split came from; rows of a split are counted from 0.
    ///
    /// `None` where rows were held out by the values of a column (`data.validation.by`), which only the file itself could
    /// tell, and for a row that the split does not have.
    pub fn train_origin(&self, row: u64) -> Option<Origin> {
        self.routed(Side::Train, row, self.train().rows())
    }

    /// Where a row of the validation split came from, as [`Dataset::train_origin`] has it.
    pub fn validation_origin(&self, row: u64) -> Option<Origin> {
        let rows = self.validation().rows();
        match &self.manifest().sources.validation {
            Some(source) => whole(source, row, rows),
            None => self.routed(Side::Validation, row, rows),
        }
    }

    /// Where a row of the test split came from, as [`Dataset::train_origin`] has it.
    pub fn test_origin(&self, row: u64) -> Option<Origin> {
        whole(self.manifest().sources.test.as_ref()?, row, self.test()?.rows())
    }

    /// A row of one side of the training file. The rule that parted the rows knows them by their numbers: going through
    /// these again takes no look at the file.
    fn routed(&self, side: Side, row: u64, rows: u64) -> Option<Origin> {
        let manifest = self.manifest();
        let routing = Routing::by_number(&manifest.validation)?;
        if row >= rows {
            return None;
        }
        let mut numbers =
            (1..=self.train().rows() + self.validation().rows()).filter(|&number| routing.side_of_row(number) == side);
        Some(Origin { file: manifest.sources.train.file.clone(), row: numbers.nth(usize::try_from(row).ok()?)? })
    }
}

/// A row of a split that has a file of its own.
fn whole(source: &SourceInfo, row: u64, rows: u64) -> Option<Origin> {
    (row < rows).then(|| Origin { file: source.file.clone(), row: row + 1 })
}
