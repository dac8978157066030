//! Files with wrong bytes: whatever they hold, they are read rightly or refused, without a panic and without an end that
//! never comes.
//!
//! Each test breaks small sound files in many ways. `FAIN_CASES` says in how many; `cargo xtask fuzz` sets it to a
//! million.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod folders;
mod mutate;
mod tables;
