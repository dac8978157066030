//! From a raw log of interactions, and the tables of users and items beside it, to a folder of samples.

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
mod prepare;
mod progress;
mod quantile;
mod record;
mod rules;
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
    CandidatesConfig, DrawConfig, HashSplit, HeldOut, HeldOutTimes, HistoryConfig, HistoryEvents, LastRows,
    LastValidation, NegativesConfig, PerUser, SampleOrigin, SamplesConfig, SplitConfig, SplitTime, TimeSplit,
    UserShare, UserSplit,
};
