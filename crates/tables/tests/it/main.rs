//! The crate as its users see it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod configured;
mod files;
mod found;
mod mutated;
mod parquet_damage;
mod parquet_files;
mod parquet_values;
mod properties;
mod several;
mod table;
