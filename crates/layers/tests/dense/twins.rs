//! Both ways of computing give the same, up to rounding: output, gradients, running statistics.

use fain_layers::Execution;
use proptest::prelude::*;
use tch::Kind;

use crate::problem::{Problem, Subject, problems};

/// Holds each result to its twin, by the largest difference against the largest number.
fn compare(problem: &Problem, kind: Kind, tolerance: f64) {
    let (plain, fused) = (problem.run(Execution::Plain, kind), problem.run(Execution::Auto, kind));
    assert_eq!(plain.len(), fused.len());
    for ((name, plain), (_, fused)) in plain.iter().zip(&fused) {
        assert_eq!(plain.size(), fused.size(), "{name}");
        let largest = |tensor: &tch::Tensor| f64::try_from(tensor.abs().max().to_kind(Kind::Double)).unwrap();
        let (difference, scale) = (largest(&(plain - fused)), largest(plain));
        assert!(difference <= tolerance * (1.0 + scale), "{problem:?}: {name}: {difference} of {scale}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn fused_is_plain_in_double_precision(problem in problems()) {
        compare(&problem, Kind::Double, 1e-8);
    }
}

#[test]
fn fused_is_plain_in_single_precision() {
    for subject in Subject::all() {
        for (rows, width, seed) in [(3, 1, 1), (64, 16, 2), (500, 36, 3), (2000, 67, 4)] {
            compare(&Problem { subject: subject.clone(), rows, width, seed }, Kind::Float, 1e-2);
        }
    }
}
