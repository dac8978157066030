//! What the recurrences promise, on random layers and batches: every kind, in plain operations and fused.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod bi_lstm;
mod definition;
mod derivatives;
mod extremes;
mod fused;
mod invariance;
mod layers;
mod naive;
mod problem;
mod unrolled;
