//! The shop as its users see it: configuration, files, log and ceiling.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod ceiling;
mod config;
mod files;
mod log;
mod negatives;
mod rows;
