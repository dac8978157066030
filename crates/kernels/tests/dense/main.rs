//! Normalisation and Dice against their definition, what must not change them, and their errors.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod case;
mod definition;
mod errors;
mod invariance;
