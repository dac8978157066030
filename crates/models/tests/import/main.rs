//! Weights of other programs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod imports;
mod refusals;
mod support;
