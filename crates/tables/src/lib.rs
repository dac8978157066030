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

mod block;
mod columns;
mod csv_config;
mod csv_draft;
mod csv_quotes;
mod csv_syntax;
mod csv_table;
mod csv_window;
mod error;
mod files;
mod format;
mod input;
mod open_table;
mod parquet_block;
mod parquet_file;
mod parquet_table;
mod parquet_text;
mod parsing;
mod quiet;
mod read_ahead;
mod record;
mod table;
mod term;
mod term_list;
mod terms;

pub use columns::{WantedColumn, find_column};
pub use csv_config::{CsvConfig, Encoding};
pub use error::{RowPlace, TableError, TableErrorKind};
pub use files::find_files;
pub use format::Format;
pub use record::{Record, Rows};
pub use table::{TablePlan, TableReader};
pub use term::Term;
pub use term_list::visit_terms;
pub use terms::TermTable;
