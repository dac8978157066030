//! `tanh(x·W + b)` by hand, held to libtorch's own derivative.

use fain_autograd::{Context, Function, GradientCheck, apply, check_gradients};
use proptest::collection::vec;
use proptest::prelude::*;
use tch::{Kind, TchError, Tensor};

use crate::closures::{closures, leaf, values};

struct TanhLinear;

impl Function for TanhLinear {
    type Error = TchError;

    fn forward(&mut self, context: &mut Context<'_>, inputs: &[Tensor]) -> Result<Vec<Tensor>, TchError> {
        let output = inputs[2].f_addmm(&inputs[0], &inputs[1])?.f_tanh()?;
        context.save_for_backward(&[&inputs[0], &inputs[1], &output]);
        Ok(vec![output])
    }

    fn backward(&mut self, saved: &[Tensor], gradients: &[Option<Tensor>]) -> Result<Vec<Option<Tensor>>, TchError> {
        let Some(gradient) = &gradients[0] else { return Ok(vec![None, None, None]) };
        let [x, weight, output] = saved else { return Err(TchError::Shape("three tensors were saved".to_owned())) };
        let before_tanh = gradient.f_mul(&(1.0 - output * output))?;
        Ok(vec![
            Some(before_tanh.f_matmul(&weight.f_tr()?)?),
            Some(x.f_tr()?.f_matmul(&before_tanh)?),
            Some(before_tanh.f_sum_dim_intlist(0, false, None)?),
        ])
    }
}

fn ours(inputs: &[Tensor]) -> Tensor {
    apply(TanhLinear, &[&inputs[0], &inputs[1], &inputs[2]]).unwrap().remove(0)
}

fn libtorchs(inputs: &[Tensor]) -> Tensor {
    inputs[2].addmm(&inputs[0], &inputs[1]).tanh()
}

/// The output, then the gradients of `Σ y·(1 + y)`, so that the gradient that flows back is not constant.
fn outcome(function: fn(&[Tensor]) -> Tensor, inputs: &[Tensor]) -> Vec<Vec<f64>> {
    let output = function(inputs);
    let loss = (&output * (&output + 1.0)).sum(None);
    let gradients = Tensor::run_backward(&[loss], inputs, false, false);
    std::iter::once(&output).chain(&gradients).map(values).collect()
}

#[derive(Debug)]
struct Case {
    size: [i64; 3],
    values: Vec<f64>,
}

impl Case {
    /// `x [B, D]`, `W [D, H]` (stored transposed), `b [H]`.
    fn inputs(&self, kind: Kind) -> Vec<Tensor> {
        let [samples, width, outputs] = self.size;
        let all = Tensor::from_slice(&self.values).to_kind(kind);
        let parts = all.split_with_sizes([samples * width, width * outputs, outputs], 0);
        let x = parts[0].reshape([samples, width]);
        let weight = parts[1].reshape([outputs, width]).tr();
        let bias = parts[2].reshape([outputs]);
        [x, weight, bias].map(|tensor| tensor.detach().set_requires_grad(true)).into()
    }
}

fn case() -> impl Strategy<Value = Case> {
    (0..5_i64, 1..5_i64, 1..5_i64).prop_flat_map(|(samples, width, outputs)| {
        let count = samples * width + width * outputs + outputs;
        vec(-1.5..1.5, count as usize).prop_map(move |values| Case { size: [samples, width, outputs], values })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn equals_libtorchs_own_derivative(case in case()) {
        for (kind, tolerance) in [(Kind::Float, 1e-4), (Kind::Double, 1e-12)] {
            let inputs = case.inputs(kind);
            let (found, expected) = (outcome(ours, &inputs), outcome(libtorchs, &inputs));
            for (found, expected) in found.iter().zip(&expected) {
                prop_assert_eq!(found.len(), expected.len());
                for (found, expected) in found.iter().zip(expected) {
                    prop_assert!((found - expected).abs() <= tolerance, "{} is not {}", found, expected);
                }
            }
        }
    }

    #[test]
    fn passes_the_gradient_check(case in case()) {
        let inputs = case.inputs(Kind::Double);
        let function = |inputs: &[Tensor]| apply(TanhLinear, &[&inputs[0], &inputs[1], &inputs[2]]);
        let report = check_gradients(function, &inputs, &GradientCheck::default()).unwrap();
        prop_assert_eq!(report.entries, case.values.len());
        prop_assert!(report.largest_difference < 1e-7);
    }
}

/// Runs the function on inputs of which some require a gradient, and gives what forward was told and the output.
fn asked(required: [bool; 2]) -> (Vec<bool>, Tensor) {
    let (sender, receiver) = std::sync::mpsc::channel();
    let inputs = required.map(|required| Tensor::from_slice(&[2.0]).set_requires_grad(required));
    let product = closures(
        move |context, inputs| {
            sender.send((0..3).map(|index| context.needs_gradient(index)).collect()).unwrap();
            Ok(vec![&inputs[0] * &inputs[1]])
        },
        |_, _| Ok(vec![None, None]),
    );
    let output = apply(product, &[&inputs[0], &inputs[1]]).unwrap().remove(0);
    (receiver.recv().unwrap(), output)
}

#[test]
fn forward_knows_which_inputs_need_a_gradient() {
    let (needed, output) = asked([false, true]);
    assert_eq!(needed, [false, true, false], "there is no third input");
    assert!(output.requires_grad());

    let (needed, output) = asked([false, false]);
    assert_eq!(needed, [false, false, false]);
    assert!(!output.requires_grad());

    let (needed, output) = tch::no_grad(|| asked([true, true]));
    assert_eq!(needed, [false, false, false]);
    assert!(!output.requires_grad());
    assert_eq!(values(&output), [4.0]);
}

#[test]
fn recording_is_switched_back_on_after_a_forward_pass() {
    let x = leaf(&[1.0]);
    for fails in [false, true] {
        let function = closures(
            move |_, inputs| {
                assert!(!(&inputs[0] * 2.0).requires_grad(), "forward is not recorded");
                if fails { Err("no".to_owned()) } else { Ok(vec![inputs[0].exp()]) }
            },
            |_, _| Ok(vec![None]),
        );
        assert_eq!(apply(function, &[&x]).is_err(), fails);
        assert!((&x * 2.0).requires_grad());
    }
}
