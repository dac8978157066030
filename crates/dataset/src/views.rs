//! Rows that refer to users, items and events, which are kept once.

mod drawn;
mod encode;
mod fit;
mod history;
mod plan;
mod prepare;
mod rows;
mod tables;

pub(crate) use prepare::{FoundSamples, ViewsJob, find_samples};
pub(crate) use rows::ViewRows;
pub(crate) use tables::Tables;
