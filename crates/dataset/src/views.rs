//! Rows that refer to users, items and events, which are kept once.

mod encode;
mod fit;
mod history;
mod negatives;
mod plan;
mod prepare;
mod rows;
mod tables;

pub(crate) use prepare::{ViewsJob, find_samples};
pub(crate) use rows::ViewRows;
pub(crate) use tables::Tables;
