//! Trainings from a CSV file to a report.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod histories;
mod precision;
mod pretrained;
mod runs;
mod support;
