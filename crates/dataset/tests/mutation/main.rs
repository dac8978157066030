//! Files with wrong bytes: whatever they hold, they are read rightly or refused, without a panic and without an end that
//! never comes.
//!
//! Each test breaks small sound files in many ways. `FAIN_CASES` says in how many; `cargo xtask fuzz` sets it to a
//! million, and shows how many were refused and how many were rightly accepted.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod arrow_files;
mod cases;
mod datasets;
mod folder;
mod mutate;
mod parquet_files;
#[path = "../../../tables/src/quiet.rs"]
mod quiet;
mod samples;
mod tables;
