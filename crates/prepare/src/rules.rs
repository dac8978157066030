//! The rules over one user's events, in order: which become samples, with which history, in which part.

mod apply;
mod check;
mod history_config;
mod negatives_config;
mod row_hash;
mod samples_config;
mod split;
mod split_config;
mod split_time;

pub use history_config::{HistoryConfig, HistoryEvents};
pub use negatives_config::{CandidatesConfig, DrawConfig, NegativesConfig};
pub use samples_config::{PerUser, SampleOrigin, SamplesConfig};
pub use split_config::{
    HashSplit, HeldOut, HeldOutTimes, LastRows, LastValidation, SplitConfig, TimeSplit, UserShare, UserSplit,
};
pub use split_time::SplitTime;

pub(crate) use apply::{LogEvent, Rules, UserSample, UserSamples};
pub(crate) use check::{RulesConfig, check};
pub(crate) use row_hash::RowHash;
pub(crate) use split::{TimeCuts, TimeRanks, TimeShares};
