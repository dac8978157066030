//! The rules over one user's events, in order: which become samples, with which history, in which part.

mod apply;
mod check;
mod event_choice;
mod follow;
mod history_config;
mod label_config;
mod negatives_config;
mod row_hash;
mod samples_config;
mod split;
mod split_config;
mod split_time;

pub use event_choice::EventChoice;
pub use history_config::HistoryConfig;
pub use label_config::{FollowedBy, LabelConfig};
pub use negatives_config::{CandidatesConfig, DrawConfig, NegativesConfig};
pub use samples_config::{PerUser, SamplesConfig};
pub use split_config::{
    HashSplit, HeldOut, HeldOutTimes, LastRows, LastValidation, SplitConfig, TimeSplit, UserShare, UserSplit,
};
pub use split_time::SplitTime;

pub(crate) use apply::{LogEvent, Rules, UserSamples};
pub(crate) use check::{NOT_TIMED, RulesConfig, check};
pub(crate) use follow::Follow;
pub(crate) use row_hash::RowHash;
pub(crate) use split::{TimeCuts, TimeShares};

#[cfg(test)]
mod tests;
