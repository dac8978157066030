//! Checked rules that part the rows of a log.

use fain_samples::Part;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::error::PrepareError;

/// How rows are parted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SplitRule {
    Last(LastRule),
    Time(TimeRule),
    /// By the hash of the user's key.
    User(HashShares),
    /// By the hash of columns.
    Hash(HashShares),
}

/// The test is made of each user's last rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum LastRule {
    /// Validation has the rows before those.
    Rows { test: u32, validation: u32 },
    /// Validation has all other rows of some users.
    Users { test: u32, validation: HashShares },
}

/// The held-out parts are the latest.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TimeRule {
    Cuts(TimeCuts),
    /// The cuts are found by looking at all times of the log.
    Shares(TimeShares),
}

/// Where the held-out parts begin, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeCuts {
    pub(crate) validation_from: i64,
    pub(crate) test_from: i64,
}

impl TimeCuts {
    pub(crate) fn part(self, time: i64) -> Part {
        if time >= self.test_from {
            Part::Test
        } else if time >= self.validation_from {
            Part::Validation
        } else {
            Part::Train
        }
    }
}

/// The shares of the log's rows that are held out, each above 0, together below 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TimeShares {
    pub(crate) validation: f64,
    pub(crate) test: f64,
}

/// The places, from 0, of two rows among all rows of the log in ascending order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeRanks {
    /// The row at whose time validation begins.
    pub(crate) validation_from: u64,
    /// The row at whose time the test begins.
    pub(crate) test_from: u64,
}

impl TimeShares {
    /// Which rows' times are the cuts, among `rows` rows of the log.
    ///
    /// # Errors
    /// There are so few rows that a part would be empty.
    pub(crate) fn ranks(self, rows: u64) -> Result<TimeRanks, PrepareError> {
        let count = |share: f64| (share * rows as f64).round() as u64;
        let (validation, test) = (count(self.validation), count(self.test));
        if validation == 0 || test == 0 || validation + test >= rows {
            return Err(self.refused(format!("must leave rows for each part; the log has {rows}")));
        }
        Ok(TimeRanks { validation_from: rows - test - validation, test_from: rows - test })
    }

    /// The cuts at the times of the rows that [`TimeShares::ranks`] names; `first` is the earliest time of the log.
    ///
    /// # Errors
    /// So many rows have the same time that a part would be empty.
    pub(crate) fn cuts(self, first: i64, cuts: TimeCuts) -> Result<TimeCuts, PrepareError> {
        let TimeCuts { validation_from, test_from } = cuts;
        if first < validation_from && validation_from < test_from {
            return Ok(cuts);
        }
        Err(self.refused(format!(
            "must leave rows for each part; the log begins at {first}, validation would begin at {validation_from} and \
             the test at {test_from}, and rows of the same time are not parted"
        )))
    }

    fn refused(self, allowed: String) -> PrepareError {
        let value = format!("{{ validation = {}, test = {} }}", self.validation, self.test);
        PrepareError::config("split.time", value, allowed)
    }
}

/// Shares of all 64-bit hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HashShares {
    seed: u64,
    /// Hashes below this are for the test, so that the share of validation does not change the test.
    test_end: u64,
    /// The others below this are for validation.
    validation_end: u64,
}

impl HashShares {
    pub(crate) fn new(validation: f64, test: f64, seed: u64) -> Self {
        // 2^64 is exact in f64, and shares are below 1.
        let end = |share: f64| (share * 18_446_744_073_709_551_616.0) as u64;
        Self { seed, test_end: end(test), validation_end: end(test + validation) }
    }

    pub(crate) fn seed(self) -> u64 {
        self.seed
    }

    pub(crate) fn part(self, hash: u64) -> Part {
        if hash < self.test_end {
            Part::Test
        } else if hash < self.validation_end {
            Part::Validation
        } else {
            Part::Train
        }
    }

    pub(crate) fn part_of_text(self, text: &str) -> Part {
        self.part(xxh3_64_with_seed(text.as_bytes(), self.seed))
    }
}
