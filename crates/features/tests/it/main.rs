//! The crate as its users see it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::float_cmp, reason = "a test fails by panicking; values are exact")]

mod encoding;
mod files;
mod fitted;
mod golden;
mod growth;
mod histories;
mod kinds;
mod pieces;
mod properties;
mod schema;
mod stored;
mod unread;
mod vectors;
