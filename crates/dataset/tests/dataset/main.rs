//! Datasets from CSV to batches, through the public interface.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod batches;
mod damage;
mod failures;
mod kinds;
mod origin;
mod prepare;
mod round_trip;
mod support;
mod version_1;
mod views;

#[path = "../../../samples/tests/samples/star.rs"]
mod star;
