//! Rows that refer to users, items and events, which are kept once.

mod drawn;
mod encode;
mod fit;
mod history;
mod plan;
mod prepare;
mod rows;
mod tables;

/// Rows of a samples folder between two times that the memory of its files is given back: some hundred MiB.
const RELEASE: u64 = 1 << 22;

pub(crate) use prepare::{FoundSamples, ViewsJob, find_samples};
pub(crate) use rows::ViewRows;
pub(crate) use tables::Tables;
