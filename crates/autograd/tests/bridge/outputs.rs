//! Which outputs and inputs take part in a gradient.

use fain_autograd::apply;
use tch::{Kind, Tensor};

use crate::closures::{closures, gradient, leaf, square, values};

#[test]
fn an_input_may_get_no_gradient() {
    let (x, y) = (leaf(&[3.0]), leaf(&[5.0]));
    let function = closures(
        |_, inputs| Ok(vec![&inputs[0] + &inputs[1]]),
        |_, gradients| Ok(vec![None, gradients[0].as_ref().map(|gradient| gradient * 7.0)]),
    );
    let output = apply(function, &[&x, &y]).unwrap().remove(0);
    output.backward();
    assert!(!x.grad().defined());
    assert_eq!(values(&y.grad()), [7.0]);
}

#[test]
fn a_gradient_for_an_input_that_requires_none_is_dropped() {
    let (x, y) = (Tensor::from_slice(&[3.0]), leaf(&[5.0]));
    let function = closures(
        |_, inputs| Ok(vec![&inputs[0] + &inputs[1]]),
        |_, gradients| Ok([(); 2].map(|()| gradients[0].as_ref().map(Tensor::shallow_clone)).into()),
    );
    apply(function, &[&x, &y]).unwrap()[0].backward();
    assert!(!x.grad().defined());
    assert_eq!(values(&y.grad()), [1.0]);
}

/// Three outputs `x`, `2x`, `3x`; an output's gradient counts ten times when it is there.
fn three() -> impl fain_autograd::Function<Error = String> {
    closures(
        |_, inputs| Ok((1..=3).map(|factor| &inputs[0] * f64::from(factor)).collect()),
        |saved, gradients| {
            assert!(saved.is_empty());
            assert_eq!(gradients.len(), 3);
            let mut total = Tensor::from_slice(&[0.0]);
            for (gradient, factor) in gradients.iter().zip([10.0, 100.0, 1000.0]) {
                if let Some(gradient) = gradient {
                    total += gradient * factor;
                }
            }
            Ok(vec![Some(total)])
        },
    )
}

#[test]
fn an_output_that_is_not_used_has_no_gradient() {
    let x = leaf(&[1.0]);
    let outputs = apply(three(), &[&x]).unwrap();
    assert_eq!(outputs.iter().map(values).collect::<Vec<_>>(), [[1.0], [2.0], [3.0]]);
    assert_eq!(gradient(&outputs[0], &x), [10.0]);
    assert_eq!(gradient(&outputs[2], &x), [1000.0]);
    assert_eq!(gradient(&(&outputs[0] * 2.0 + &outputs[1]), &x), [120.0]);
    assert_eq!(gradient(&(&outputs[0] + &outputs[1] + &outputs[2]), &x), [1110.0]);
}

#[test]
fn outputs_without_a_gradient_stay_out_of_the_graph() {
    let x = leaf(&[4.0, 9.0]);
    let function = closures(
        |context, inputs| {
            let rounded = inputs[0].round();
            context.mark_non_differentiable(&[&rounded]);
            Ok(vec![rounded, inputs[0].sqrt(), inputs[0].to_kind(Kind::Int64)])
        },
        |_, gradients| {
            assert_eq!(gradients.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, false]);
            Ok(vec![gradients[1].as_ref().map(|gradient| gradient * 3.0)])
        },
    );
    let outputs = apply(function, &[&x]).unwrap();
    assert_eq!(outputs.iter().map(Tensor::requires_grad).collect::<Vec<_>>(), [false, true, false]);
    // A marked output is a constant for what comes after it.
    assert_eq!(gradient(&(&outputs[0] * &outputs[1]), &x), [12.0, 27.0]);
    assert_eq!(Vec::<i64>::try_from(&outputs[2]).unwrap(), [4, 9]);
}

#[test]
fn a_function_may_have_many_outputs() {
    let x = leaf(&[1.0]);
    let function = closures(
        |_, inputs| Ok((0..300).map(|factor| &inputs[0] * f64::from(factor)).collect()),
        |_, gradients| {
            let terms = gradients.iter().enumerate();
            let terms = terms.map(|(factor, gradient)| gradient.as_ref().unwrap() * factor as f64);
            Ok(vec![Some(terms.sum())])
        },
    );
    let outputs = apply(function, &[&x]).unwrap();
    assert_eq!(outputs.len(), 300);
    let total: Tensor = outputs.iter().sum();
    assert_eq!(gradient(&total, &x), [f64::from(299 * 300 / 2)]);
}

#[test]
fn an_output_may_be_an_input_or_saved() {
    let x = leaf(&[2.0]);
    let function = closures(
        |context, inputs| {
            let exponential = inputs[0].exp();
            context.save_for_backward(&[&exponential, &Tensor::new()]);
            Ok(vec![inputs[0].shallow_clone(), exponential])
        },
        |saved, gradients| {
            assert!(!saved[1].defined());
            let [Some(same), Some(exponential)] = gradients else { return Err("two gradients".to_owned()) };
            Ok(vec![Some(same + exponential * &saved[0])])
        },
    );
    let outputs = apply(function, &[&x]).unwrap();
    assert_eq!(gradient(&(&outputs[0] + &outputs[1]), &x), [1.0 + 2.0_f64.exp()]);
    assert!(x.is_leaf(), "the input itself is as it was");
}

#[test]
fn a_gradient_may_be_sparse() {
    let table = leaf(&[1.0, 2.0, 4.0]);
    let row = closures(
        |_, inputs| Ok(vec![inputs[0].get(2)]),
        |_, gradients| {
            let (index, value) = (Tensor::from_slice(&[2_i64]).view([1, 1]), gradients[0].as_ref().unwrap().view([1]));
            let options = (Kind::Double, tch::Device::Cpu);
            Ok(vec![Some(Tensor::sparse_coo_tensor_indices_size(&index, &value, [3], options, false))])
        },
    );
    (apply(row, &[&table]).unwrap().remove(0) * 5.0).backward();
    assert!(table.grad().is_sparse());
    assert_eq!(values(&table.grad().to_dense(None, false)), [0.0, 0.0, 5.0]);
}

#[test]
fn functions_are_chained() {
    let x = leaf(&[1.5]);
    let mut output = x.shallow_clone();
    for _ in 0..3 {
        output = apply(square(), &[&output]).unwrap().remove(0);
    }
    assert_eq!(values(&output), [1.5_f64.powi(8)]);
    assert_eq!(gradient(&output, &x), [8.0 * 1.5_f64.powi(7)]);
}

#[test]
fn a_function_without_inputs_is_a_constant() {
    let function = closures(|_, _| Ok(vec![Tensor::from_slice(&[7.0])]), |_, _| Ok(vec![]));
    let output = apply(function, &[]).unwrap().remove(0);
    assert_eq!(values(&output), [7.0]);
    assert!(!output.requires_grad());
}

#[test]
fn empty_tensors_have_empty_gradients() {
    let x = leaf(&[]);
    let output = apply(square(), &[&x]).unwrap().remove(0);
    assert_eq!(output.size(), [0]);
    output.sum(None).backward();
    assert_eq!(x.grad().size(), [0]);
}
