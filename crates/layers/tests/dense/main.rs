//! Batch normalisation, Dice and the networks made of them: the fused functions against plain operations.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod auxiliary;
mod extremes;
mod hidden;
mod problem;
mod twins;
