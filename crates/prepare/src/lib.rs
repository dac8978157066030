//! From a raw log of interactions, and the tables of users and items beside it, to a folder of samples.

#![deny(missing_docs)]

mod condition;
mod config;
mod error;
mod rules;

pub use condition::{Condition, Scalar};
pub use config::{AttributeTable, ColumnKind, DateColumn, FileNames, LogConfig, PrepareConfig, TimeConfig};
pub use error::{ErrorKind, PrepareError};
pub use rules::{
    CandidatesConfig, DrawConfig, HashSplit, HeldOut, HeldOutTimes, HistoryConfig, HistoryEvents, LastRows,
    LastValidation, NegativesConfig, PerUser, SampleOrigin, SamplesConfig, SplitConfig, SplitTime, TimeSplit,
    UserShare, UserSplit,
};
