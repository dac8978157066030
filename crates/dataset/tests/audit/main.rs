//! The audit: each planted fault is found and named, and a clean dataset has none.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod clean;
mod columns;
mod duplicates;
mod histories;
mod invariance;
mod settings;
mod shop;
mod splits;
