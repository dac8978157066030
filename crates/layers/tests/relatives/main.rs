//! The layers of DIN's relatives against their definitions in plain loops, and what every reader of a history promises.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod batch;
mod bst;
mod dsin;
mod fields;
mod gradients;
mod naive;
mod positions;
mod promises;
mod sessions;
mod transformer;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// The same problems in every run: a gradient next to a kink must not fail once in a thousand runs.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() }
}

/// Fails where a number differs from the expected one by more than `1e-10` of `1 + |expected|`, or is NaN.
#[track_caller]
fn assert_close(got: &[f64], expected: &[f64]) {
    assert_eq!(got.len(), expected.len());
    for (index, (got, expected)) in got.iter().zip(expected).enumerate() {
        let difference = (got - expected).abs() / (1.0 + expected.abs());
        assert!(difference < 1e-10, "entry {index} is {got}, but should be {expected}");
    }
}
