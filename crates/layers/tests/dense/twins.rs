//! Both ways of computing give the same, up to rounding: output, gradients, running statistics.

use fain_layers::Execution;
use proptest::prelude::*;
use tch::{Kind, Tensor};

use crate::problem::{Problem, Subject, problems};

/// Runs the problem both ways and holds each result to its twin, with `size` for the size of a difference.
fn compare(problem: &Problem, kind: Kind, size: impl Fn(&Tensor) -> Tensor, tolerance: f64) {
    let (plain, fused) = (problem.run(Execution::Plain, kind), problem.run(Execution::Auto, kind));
    assert_eq!(plain.len(), fused.len());
    for ((name, plain), (_, fused)) in plain.iter().zip(&fused) {
        assert_eq!(plain.size(), fused.size(), "{name}");
        let size = |tensor: &Tensor| f64::try_from(size(&tensor.abs().to_kind(Kind::Double))).unwrap();
        let (difference, scale) = (size(&(plain - fused)), size(plain));
        assert!(difference <= tolerance * (1.0 + scale), "{problem:?}: {name}: {difference} of {scale}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn fused_is_plain_in_double_precision(problem in problems()) {
        compare(&problem, Kind::Double, Tensor::max, 1e-8);
    }
}

/// Where there is a kink, by the mean: rounding may put a number on the other side of it, and then the gradients of its row
/// and its unit differ by as much as they are large.
#[test]
fn fused_is_plain_in_single_precision() {
    for subject in Subject::all() {
        let size = |tensor: &Tensor| if subject.has_kinks() { tensor.mean(Kind::Double) } else { tensor.max() };
        for (rows, width, seed) in [(3, 1, 1), (64, 16, 2), (500, 36, 3), (2000, 67, 4)] {
            compare(&Problem { subject: subject.clone(), rows, width, seed }, Kind::Float, size, 1e-2);
        }
    }
}
