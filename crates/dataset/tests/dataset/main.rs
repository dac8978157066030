//! Datasets from CSV to batches, through the public interface.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod batches;
mod damage;
mod encoders;
mod failures;
mod kinds;
mod origin;
mod prepare;
mod round_trip;
mod several_files;
mod support;
mod traps;
mod version_1;
mod version_2;
mod views;
mod views_damage;

#[path = "../../../samples/tests/samples/star.rs"]
mod star;
