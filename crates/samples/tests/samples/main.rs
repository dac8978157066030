//! Samples folders, through the public interface.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod damage;
mod export;
mod layout;
mod negatives;
mod round_trip;
mod sizes;
mod star;
mod summary;
mod support;
mod times;
mod unsound;
mod version_1;
