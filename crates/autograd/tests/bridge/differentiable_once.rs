//! A gradient cannot be differentiated again: that is an error, never a wrong number.

use fain_autograd::apply;
use tch::Tensor;

use crate::closures::{leaf, square, values};

#[test]
fn a_second_derivative_is_refused() {
    let x = leaf(&[3.0]);
    let output = apply(square(), &[&x]).unwrap()[0].sum(None);
    let first = Tensor::run_backward(&[output], &[&x], true, true).remove(0);
    assert_eq!(values(&first), [6.0], "the first one is right");
    assert!(first.requires_grad());
    let error = Tensor::f_run_backward(&[first.sum(None)], &[&x], false, false).unwrap_err().to_string();
    assert!(error.contains("cannot be differentiated twice"), "{error}");
    assert!(error.contains("bridge::closures::Closures"), "{error}");
}

/// Were the gradient taken for a constant, the other term would hide that its part is missing.
#[test]
fn a_second_derivative_is_refused_as_a_part_of_another() {
    let x = leaf(&[3.0]);
    let output = apply(square(), &[&x]).unwrap()[0].sum(None) + x.pow_tensor_scalar(3).sum(None);
    let first = Tensor::run_backward(&[output], &[&x], true, true).remove(0);
    assert_eq!(values(&first), [6.0 + 27.0]);
    for error in [
        first.sum(None).f_backward().unwrap_err(),
        Tensor::f_run_backward(&[first.sum(None)], &[&x], false, false).map(drop).unwrap_err(),
    ] {
        assert!(error.to_string().contains("cannot be differentiated twice"), "{error}");
    }
}

/// `y·x²`: the gradient `2·x·y` depends on `y` by the gradient that flows back alone.
#[test]
fn a_second_derivative_is_refused_by_way_of_what_flows_back() {
    let (x, y) = (leaf(&[3.0]), leaf(&[5.0]));
    let output = (&apply(square(), &[&x]).unwrap()[0] * &y).sum(None);
    let first = Tensor::run_backward(&[output], &[&x], true, true).remove(0);
    assert_eq!(values(&first), [30.0]);
    let error = Tensor::f_run_backward(&[first.sum(None)], &[&y], false, false).unwrap_err().to_string();
    assert!(error.contains("cannot be differentiated twice"), "{error}");
}

/// A graph that is built but not used for a second derivative does no harm.
#[test]
fn the_graph_of_a_gradient_may_be_built() {
    let (x, y) = (leaf(&[3.0]), leaf(&[2.0]));
    let output = apply(square(), &[&x]).unwrap()[0].sum(None) + y.pow_tensor_scalar(3).sum(None);
    let first = Tensor::run_backward(&[output], &[&x, &y], true, true);
    assert_eq!(first.iter().map(values).collect::<Vec<_>>(), [[6.0], [12.0]]);
    // 3y² → 6y
    let second = Tensor::run_backward(&[first[1].sum(None)], &[&y], false, false);
    assert_eq!(values(&second[0]), [12.0]);
}
