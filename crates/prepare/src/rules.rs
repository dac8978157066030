//! The rules over one user's events, in order: which become samples, with which history, in which part.

mod config;

pub use config::{
    HashSplit, HeldOut, HeldOutTimes, HistoryConfig, HistoryEvents, LastRows, PerUser, SampleOrigin, SamplesConfig,
    SplitConfig, SplitTime, TimeSplit, UserSplit,
};
