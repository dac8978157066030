//! The gradient check finds what is wrong, and says where.

use fain_autograd::{GradientCheck, GradientError, apply, check_gradients, check_leaves};
use tch::{Kind, TchError, Tensor};

use crate::closures::{closures, leaf, square, values};

fn check(
    function: impl Fn(&[Tensor]) -> Result<Vec<Tensor>, TchError>,
    inputs: &[Tensor],
) -> Result<fain_autograd::GradientReport, GradientError> {
    check_gradients(function, inputs, &GradientCheck::default())
}

#[test]
fn libtorchs_own_derivatives_pass() {
    let x = Tensor::from_slice(&[0.3, -0.7, 1.1, 0.2, 0.9, -1.3]).view([2, 3]).set_requires_grad(true);
    let scale = Tensor::from_slice(&[2.0, 3.0, 4.0]);
    let function = |inputs: &[Tensor]| {
        let softmax = inputs[0].f_softmax(1, None)?;
        Ok(vec![softmax.f_mul(&inputs[1])?, inputs[0].f_argmax(1, false)?, inputs[0].f_tanh()?.f_sum(None)?])
    };
    let report = check(function, &[x.shallow_clone(), scale]).unwrap();
    assert_eq!(report.entries, 6, "the second input requires no gradient");
    assert!(report.largest_difference < 1e-8, "{report:?}");
    assert!(!x.grad().defined(), "the caller's gradient is not touched");
    assert_eq!(values(&x), [0.3, -0.7, 1.1, 0.2, 0.9, -1.3]);
}

/// `x²` with a gradient that is wrong at one entry by a factor.
fn wrong_at(place: i64, factor: f64) -> impl Fn(&[Tensor]) -> Result<Vec<Tensor>, fain_autograd::AutogradError> {
    move |inputs| {
        let function = closures(
            |context, inputs| {
                context.save_for_backward(&[&inputs[0]]);
                Ok(vec![inputs[0].square()])
            },
            move |saved, gradients| {
                let right = gradients[0].as_ref().unwrap() * &saved[0] * 2.0;
                let _scaled = right.view([-1]).get(place).f_mul_scalar_(factor).unwrap();
                Ok(vec![Some(right)])
            },
        );
        apply(function, &[&inputs[1]])
    }
}

#[test]
fn a_wrong_entry_is_named_with_both_values() {
    let unused = leaf(&[1.0]);
    let x = Tensor::from_slice(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).view([2, 3]).set_requires_grad(true);
    let inputs = [unused, x];
    let report = check_gradients(wrong_at(4, 1.0), &inputs, &GradientCheck::default()).unwrap();
    assert_eq!(report.entries, 7, "an input that nothing flows back to is checked, too");

    let error = check_gradients(wrong_at(4, 1.01), &inputs, &GradientCheck::default()).unwrap_err();
    let GradientError::Mismatch { ref input, ref entry, analytic, numeric } = error else { panic!("{error:?}") };
    assert_eq!((input.as_str(), entry.as_slice()), ("1", [1, 1].as_slice()));
    assert!((analytic / numeric - 1.01).abs() < 1e-6, "{analytic} and {numeric}");
    let text = error.to_string();
    assert!(text.starts_with("the gradient of input 1 at [1, 1] is "), "{text}");

    let loose = GradientCheck { relative: 0.02, ..GradientCheck::default() };
    let report = check_gradients(wrong_at(4, 1.01), &inputs, &loose).unwrap();
    assert!((report.largest_difference / (analytic - numeric) - 1.0).abs() < 1e-6, "{report:?}");
    let loose = GradientCheck { absolute: 0.2, ..GradientCheck::default() };
    assert!(check_gradients(wrong_at(4, 1.01), &inputs, &loose).is_ok());
}

#[test]
fn a_gradient_that_is_missing_or_not_a_number_is_wrong() {
    let missing = |inputs: &[Tensor]| {
        let function = closures(|_, inputs| Ok(vec![inputs[0].square()]), |_, _| Ok(vec![None]));
        apply(function, &[&inputs[0]])
    };
    let error = check_gradients(missing, &[leaf(&[2.0])], &GradientCheck::default()).unwrap_err();
    assert!(matches!(error, GradientError::Mismatch { analytic: 0.0, .. }), "{error:?}");

    let error = check(|inputs| Ok(vec![inputs[0].f_sqrt()?]), &[leaf(&[-1.0])]).unwrap_err();
    assert!(matches!(error, GradientError::Mismatch { analytic, .. } if analytic.is_nan()), "{error:?}");
}

/// The derivatives of the outputs of a softmax add up to zero: with equal weights nothing would be seen.
#[test]
fn each_output_counts_on_its_own() {
    let detached = |inputs: &[Tensor]| {
        let function = closures(
            |_, inputs| Ok(vec![inputs[0].softmax(0, None)]),
            |_, gradients| Ok(vec![gradients[0].as_ref().map(Tensor::zeros_like)]),
        );
        apply(function, &[&inputs[0]])
    };
    let error = check_gradients(detached, &[leaf(&[0.1, 0.2])], &GradientCheck::default()).unwrap_err();
    assert!(matches!(error, GradientError::Mismatch { analytic: 0.0, .. }), "{error:?}");
}

#[test]
fn the_same_call_gives_the_same_report() {
    let run = || {
        let x = Tensor::from_slice(&[0.5, 1.5, 2.5, 3.5]).view([2, 2]).tr().set_requires_grad(true);
        assert!(!x.is_contiguous());
        check_gradients(|inputs| apply(square(), &[&inputs[0]]), &[x], &GradientCheck::default()).unwrap()
    };
    tch::manual_seed(1);
    let first = run();
    tch::manual_seed(2);
    assert_eq!(run(), first);
    assert_eq!(tch::no_grad(run), first, "also where gradients are not recorded");
}

#[test]
fn what_cannot_be_checked_is_refused() {
    let identity = |inputs: &[Tensor]| Ok(vec![inputs[0].f_mul_scalar(1.0)?]);
    let single = leaf(&[1.0]).detach().to_kind(Kind::Float).set_requires_grad(true);
    let error = check(identity, &[leaf(&[1.0]), single]).unwrap_err();
    assert!(matches!(&error, GradientError::Kind { input, kind: Kind::Float } if input == "1"), "{error:?}");

    let error = check(identity, &[leaf(&[1.0]).detach()]).unwrap_err();
    assert!(matches!(error, GradientError::NoInput), "{error:?}");

    let error = check(|inputs| Ok(vec![inputs[0].f_detach()?]), &[leaf(&[1.0])]).unwrap_err();
    assert!(matches!(error, GradientError::NoOutput), "{error:?}");

    let error = check(|_| Err(TchError::Convert("no luck".to_owned())), &[leaf(&[1.0])]).unwrap_err();
    assert!(matches!(&error, GradientError::Function { message } if message.contains("no luck")), "{error:?}");

    let growing = |inputs: &[Tensor]| {
        let length = if values(&inputs[0])[0] > 1.0 { 2 } else { 1 };
        Ok(vec![inputs[0].f_expand([length], false)?])
    };
    let error = check(growing, &[leaf(&[1.0])]).unwrap_err();
    assert!(matches!(error, GradientError::Shape { output: 0 }), "{error:?}");
}

#[test]
fn options_are_checked() {
    let run = |options: GradientCheck| {
        check_gradients(|inputs| apply(square(), &[&inputs[0]]), &[leaf(&[1.0])], &options).unwrap_err().to_string()
    };
    let default = GradientCheck::default();
    assert_eq!(
        run(GradientCheck { step: 0.0, ..default }),
        "the step of a gradient check is 0; it must be finite and above 0"
    );
    assert_eq!(
        run(GradientCheck { absolute: f64::NAN, ..default }),
        "the absolute tolerance of a gradient check is NaN; it must be finite and not below 0"
    );
    assert_eq!(
        run(GradientCheck { relative: -1.0, ..default }),
        "the relative tolerance of a gradient check is -1; it must be finite and not below 0"
    );
    assert_eq!(
        run(GradientCheck { entries: 0, ..default }),
        "the number of entries of a gradient check is 0; it must be finite and above 0"
    );
}

#[test]
fn an_empty_input_has_nothing_wrong() {
    let inputs = [leaf(&[]), leaf(&[2.0])];
    let report = check(|inputs| Ok(vec![inputs[0].f_exp()?, inputs[1].f_exp()?]), &inputs).unwrap();
    assert_eq!(report.entries, 1);
}

#[test]
fn at_a_kink_either_slope_is_right() {
    let relu = |inputs: &[Tensor]| Ok(vec![inputs[0].f_relu()?]);
    let error = check(relu, &[leaf(&[0.0])]).unwrap_err();
    assert!(matches!(error, GradientError::Mismatch { analytic: 0.0, numeric, .. } if numeric > 0.2), "{error:?}");
    let kinks = GradientCheck { kinks: true, ..GradientCheck::default() };
    assert_eq!(check_gradients(relu, &[leaf(&[0.0])], &kinks).unwrap().entries, 1);
    let error = check_gradients(wrong_at(0, 1.01), &[leaf(&[1.0]), leaf(&[3.0])], &kinks).unwrap_err();
    assert!(matches!(&error, GradientError::Mismatch { input, .. } if input == "1"), "{error:?}");
    // The function is not defined to the left of 0.
    let error = check_gradients(|inputs| Ok::<_, TchError>(vec![inputs[0].f_sqrt()?]), &[leaf(&[0.0])], &kinks);
    assert!(matches!(error, Err(GradientError::Mismatch { .. })), "{error:?}");
}

#[test]
fn leaves_are_moved_in_place_and_stay_as_they_were() {
    let (first, other) = (leaf(&[0.1, -0.7, 1.3]), leaf(&[3.0]));
    let leaves = [("first", &first), ("other", &other)];
    let options = GradientCheck { entries: 2, ..GradientCheck::default() };
    // Two of three entries, and the only one of what nothing depends on.
    let report = check_leaves(|| first.f_square(), &leaves, &options).unwrap();
    assert_eq!(report.entries, 3);
    assert_eq!(values(&first), [0.1, -0.7, 1.3]);
    assert!(!first.grad().defined());
    // Half of the square does not flow back.
    let wrong = || first.f_mul(&first.f_detach()?);
    let error = check_leaves(wrong, &leaves, &options).unwrap_err().to_string();
    assert!(error.starts_with("the gradient of input first at [0] is "), "{error}");
    assert_eq!(values(&first), [0.1, -0.7, 1.3]);
}

#[test]
fn what_says_to_depend_on_nothing_must_not() {
    let x = leaf(&[2.0]);
    let leaves = [("x", &x)];
    let options = GradientCheck::default();
    let constant = Tensor::from_slice(&[5.0]);
    assert_eq!(check_leaves(|| Ok::<_, TchError>(constant.shallow_clone()), &leaves, &options).unwrap().entries, 1);
    let error = check_leaves(|| x.f_detach()?.f_square(), &leaves, &options).unwrap_err();
    assert!(matches!(error, GradientError::Mismatch { analytic: 0.0, .. }), "{error:?}");
}
