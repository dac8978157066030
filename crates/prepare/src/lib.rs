//! From a raw log of interactions, and the tables of users and items beside it, to a folder of samples.
//!
//! ```
//! use std::ops::ControlFlow;
//!
//! use fain_prepare::{PrepareConfig, prepare};
//! use fain_samples::Part;
//!
//! let folder = tempfile::tempdir()?;
//! let root = folder.path();
//! std::fs::write(root.join("log.csv"), "user,item,seconds,stars\nu,a,1,5\nu,b,2,5\nu,c,3,1\nu,d,4,5\n")?;
//! let text = r#"
//!     log = { files = "log.csv", user = "user", item = "item", time = "seconds" }
//!     label = { column = "stars", at_least = 4 }
//!     history = { max_length = 50, min_length = 1 }
//!     split = { last = { test = 1, validation = 1 } }
//! "#;
//! let config = PrepareConfig { root: root.to_owned(), ..toml::from_str(text)? };
//! let prepared = prepare(&config, &root.join("samples"), &mut |_| ControlFlow::Continue(()))?;
//! let parts = Part::ALL.map(|part| prepared.samples.rows(part).rows);
//! assert_eq!((prepared.summary.rows, parts), (4, [1, 1, 1]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The way of the data: the tables of users and items become numbers and columns in memory; the log is read once, in
//! blocks that threads read side by side, and of each row that counts a record of some 20 bytes stays; the records are
//! sorted by user, time and row, on the disk where they are many; user by user the rules make samples of them, which are
//! written at once.

#![deny(missing_docs)]

mod check;
mod columns;
mod condition;
mod config;
mod entities;
mod error;
mod log;
mod merge;
mod number;
mod piece;
mod prepare;
mod progress;
mod quantile;
mod record;
mod rules;
mod seen;
mod sort;
mod table;
mod time;
mod write;

pub use condition::{Condition, Scalar};
pub use config::{AttributeTable, ColumnKind, DateColumn, FileNames, LogConfig, PrepareConfig, TimeConfig};
pub use error::{ErrorKind, PrepareError};
pub use prepare::{Prepared, Summary, prepare};
pub use progress::{Phase, Progress};
pub use rules::{
    CandidatesConfig, DrawConfig, EventChoice, FollowedBy, HashSplit, HeldOut, HeldOutTimes, HistoryConfig,
    LabelConfig, LastRows, LastValidation, NegativesConfig, PerUser, SamplesConfig, SplitConfig, SplitTime, TimeSplit,
    UserShare, UserSplit,
};

#[cfg(test)]
mod tests;
