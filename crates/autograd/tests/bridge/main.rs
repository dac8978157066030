//! The bridge to libtorch's graph and threads, from the outside.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod autocast;
mod background;
mod closures;
mod differentiable_once;
mod failures;
mod formula;
mod gradient_check;
mod memory;
mod number_of_threads;
mod outputs;
mod parallel;
mod threads;
mod upload;
