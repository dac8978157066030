//! Which rows of the training file are held out for validation.

use std::path::Path;

use fain_features::Record;
use fain_tables::find_column;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::config::ValidationConfig;
use crate::error::DatasetError;

/// Where a row of the training file goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Train,
    Validation,
}

/// A rule that needs no memory: it hashes the row's number, or one of its values, and compares.
#[derive(Debug, Clone)]
pub(crate) struct Routing {
    /// Hashes below this are validation rows.
    limit: u64,
    seed: u64,
    column: Option<usize>,
}

impl Routing {
    pub(crate) fn new(config: &ValidationConfig, header: &[String], file: &Path) -> Result<Self, DatasetError> {
        let column = config.by.as_ref().map(|by| find_column(by, "data.validation.by", header, file)).transpose()?;
        Ok(Self { limit: limit(config), seed: config.seed, column })
    }

    /// The rule where it goes by the rows' numbers; `None` where it goes by the values of a column.
    pub(crate) fn by_number(config: &ValidationConfig) -> Option<Self> {
        config.by.is_none().then(|| Self { limit: limit(config), seed: config.seed, column: None })
    }

    /// The side of a row; rows are counted from 1, over all files.
    pub(crate) fn side(&self, record: &Record, row: u64) -> Side {
        match self.column {
            Some(column) => self.side_of(record.get(column).as_bytes()),
            None => self.side_of_row(row),
        }
    }

    /// The side of a row by its number, which counts from 1.
    pub(crate) fn side_of_row(&self, row: u64) -> Side {
        self.side_of(&row.to_le_bytes())
    }

    fn side_of(&self, key: &[u8]) -> Side {
        if xxh3_64_with_seed(key, self.seed) < self.limit { Side::Validation } else { Side::Train }
    }
}

fn limit(config: &ValidationConfig) -> u64 {
    // 2^64 is exact in f64; a fraction of at most one half stays far from the end of u64.
    (config.fraction.unwrap_or(0.0) * 18_446_744_073_709_551_616.0) as u64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn routing(fraction: Option<f64>, by: Option<&str>, seed: u64) -> Routing {
        let config = ValidationConfig { fraction, by: by.map(str::to_owned), seed, file: None };
        let header = ["user", "item"].map(str::to_owned);
        Routing::new(&config, &header, Path::new("log.csv")).unwrap()
    }

    fn held_out(routing: &Routing, rows: u64) -> Vec<u64> {
        (1..=rows).filter(|row| routing.side_of(&row.to_le_bytes()) == Side::Validation).collect()
    }

    #[test]
    fn the_share_is_the_fraction() {
        for (fraction, seed) in [(0.01, 1), (0.1, 2), (0.5, 3)] {
            let rows = 100_000;
            let count = held_out(&routing(Some(fraction), None, seed), rows).len() as f64;
            let expected = fraction * rows as f64;
            let deviation = (expected * (1.0 - fraction)).sqrt();
            assert!((count - expected).abs() < 5.0 * deviation, "{count} of {expected}");
        }
    }

    #[test]
    fn seeds_draw_different_rows() {
        let first = held_out(&routing(Some(0.1), None, 1), 1000);
        assert_eq!(first, held_out(&routing(Some(0.1), None, 1), 1000));
        assert_ne!(first, held_out(&routing(Some(0.1), None, 2), 1000));
    }

    #[test]
    fn without_a_fraction_every_row_trains() {
        assert_eq!(held_out(&routing(None, None, 1), 10_000), Vec::<u64>::new());
    }

    #[test]
    fn columns_are_found_by_name() {
        assert_eq!(routing(Some(0.1), Some("item"), 1).column, Some(1));
        let message = |by: &str, header: &[&str]| {
            let config = ValidationConfig { by: Some(by.to_owned()), ..ValidationConfig::default() };
            let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
            Routing::new(&config, &header, Path::new("log.csv")).unwrap_err().to_string()
        };
        assert_eq!(
            message("usr", &["user", "item"]),
            "log.csv: no column \"usr\", which data.validation.by names; the header has: user, item"
        );
        assert_eq!(
            message("user", &["user", "item", "user"]),
            "log.csv: the header has the column \"user\", which data.validation.by names, 2 times"
        );
    }
}
