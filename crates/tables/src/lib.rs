//! Tables in files, row by row.
//!
//! ```
//! use fain_tables::{CsvConfig, Record, TableReader};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("clicks.csv");
//! std::fs::write(&path, "label,title\n1,\"Alien, Director's Cut\"\n")?;
//!
//! let mut table = TableReader::open(&path, &CsvConfig::default())?;
//! let mut record = Record::new();
//! while table.read(&mut record)? {
//!     assert_eq!((record.row(), record.get(1)), (1, "Alien, Director's Cut"));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![deny(missing_docs)]

mod csv_config;
mod error;
mod source;
mod table;
mod terms;

pub use csv_config::{CsvConfig, Encoding};
pub use error::{TableError, TableErrorKind};
pub use table::{Record, TableReader, find_column};
pub use terms::TermTable;
