//! What the layers of DIEN promise, on random layers and batches.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod auxiliary;
mod interest;
mod problem;
