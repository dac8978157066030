//! Errors and panics of either pass reach the caller, with their text.

use fain_autograd::{AutogradError, Context, Function, Pass, apply};
use tch::{TchError, Tensor};

use crate::closures::{Gradients, Tensors, closures, leaf, values};

/// What a pass does instead of its work.
#[derive(Clone, Copy)]
enum Fault {
    Fail,
    Panic,
    Libtorch,
}

impl Fault {
    fn strike(self) -> Result<(), TchError> {
        match self {
            Self::Fail => Err(TchError::Convert("the width 3 is odd".to_owned())),
            Self::Panic => panic!("row {} is gone", 4),
            Self::Libtorch => Tensor::from_slice(&[1.0, 2.0]).f_view([3]).map(drop),
        }
    }
}

/// A function that fails.
struct Faulty {
    fault: Fault,
    pass: Pass,
}

impl Function for Faulty {
    type Error = TchError;

    fn forward(&mut self, _: &mut Context<'_>, inputs: &[Tensor]) -> Result<Tensors, TchError> {
        if self.pass == Pass::Forward {
            self.fault.strike()?;
        }
        Ok(vec![inputs[0].exp()])
    }

    fn backward(&mut self, _: &[Tensor], _: &[Option<Tensor>]) -> Result<Gradients, TchError> {
        self.fault.strike()?;
        Ok(vec![None])
    }
}

const NAME: &str = "bridge::failures::Faulty";

#[test]
fn what_fails_in_forward_is_returned() {
    for required in [true, false] {
        let x = leaf(&[1.0]).detach().set_requires_grad(required);
        let run = |fault| apply(Faulty { fault, pass: Pass::Forward }, &[&x]).unwrap_err();

        let error = run(Fault::Fail);
        assert!(matches!(error, AutogradError::Function { function: NAME, pass: Pass::Forward, .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.starts_with("forward of bridge::failures::Faulty failed: "), "{text}");
        assert!(text.ends_with("the width 3 is odd"), "{text}");

        let error = run(Fault::Panic);
        assert!(matches!(error, AutogradError::Panic { function: NAME, pass: Pass::Forward, .. }), "{error:?}");
        assert_eq!(error.to_string(), "forward of bridge::failures::Faulty panicked: row 4 is gone");

        let text = run(Fault::Libtorch).to_string();
        assert!(text.contains("shape '[3]' is invalid for input of size 2"), "{text}");
    }
}

#[test]
fn what_fails_in_backward_reaches_its_caller() {
    let x = leaf(&[1.0]);
    for (fault, text) in [
        (Fault::Fail, "the width 3 is odd"),
        (Fault::Panic, "backward of bridge::failures::Faulty panicked: row 4 is gone"),
        (Fault::Libtorch, "shape '[3]' is invalid for input of size 2"),
    ] {
        let run = || apply(Faulty { fault, pass: Pass::Backward }, &[&x]).unwrap()[0].sum(None);
        for error in
            [run().f_backward().unwrap_err(), Tensor::f_run_backward(&[run()], &[&x], false, false).unwrap_err()]
        {
            let error = error.to_string();
            assert!(error.contains(text), "{error}");
            assert!(error.contains("backward of bridge::failures::Faulty"), "{error}");
        }
    }
    // The thread can go on.
    (&x * 2.0).sum(None).backward();
    assert_eq!(values(&x.grad()), [2.0]);
}

#[test]
fn a_function_that_panicked_is_not_used_again() {
    let x = leaf(&[1.0]);
    let output = apply(Faulty { fault: Fault::Panic, pass: Pass::Backward }, &[&x]).unwrap()[0].sum(None);
    let run = || Tensor::f_run_backward(&[&output], &[&x], true, false).unwrap_err().to_string();
    assert!(run().contains("panicked: row 4 is gone"));
    assert!(run().contains("panicked: an earlier backward pass panicked"));
}

#[test]
fn the_number_of_gradients_is_checked() {
    let (x, y) = (leaf(&[1.0]), leaf(&[1.0]));
    for count in [0, 1, 3] {
        let function =
            closures(|_, inputs| Ok(vec![&inputs[0] * &inputs[1]]), move |_, _| Ok((0..count).map(|_| None).collect()));
        let error = apply(function, &[&x, &y]).unwrap()[0].f_backward().unwrap_err().to_string();
        assert!(error.contains(&format!("returned {count} gradients for 2 inputs")), "{error}");
    }
}

#[test]
fn the_shape_of_a_gradient_is_checked() {
    struct Reshaping;
    impl Function for Reshaping {
        type Error = TchError;

        fn forward(&mut self, _: &mut Context<'_>, inputs: &[Tensor]) -> Result<Tensors, TchError> {
            Ok(vec![inputs[0].exp()])
        }

        fn backward(&mut self, _: &[Tensor], _: &[Option<Tensor>]) -> Result<Gradients, TchError> {
            Ok(vec![Some(Tensor::from_slice(&[1.0, 2.0, 3.0]))])
        }
    }
    let error = apply(Reshaping, &[&leaf(&[1.0, 2.0])]).unwrap()[0].sum(None).f_backward().unwrap_err().to_string();
    assert!(error.contains("Reshaping returned an invalid gradient at index 0 - got [3]"), "{error}");
}

#[test]
fn outputs_are_checked() {
    for required in [true, false] {
        let x = leaf(&[1.0]).detach().set_requires_grad(required);
        let none = closures(|_, _| Ok(vec![]), |_, _| Ok(vec![None]));
        let error = apply(none, &[&x]).unwrap_err();
        assert!(matches!(error, AutogradError::NoOutput { .. }), "{error:?}");
        assert!(error.to_string().ends_with("returned 0 outputs; at least 1 is needed"), "{error}");

        let undefined = closures(|_, inputs| Ok(vec![inputs[0].exp(), Tensor::new()]), |_, _| Ok(vec![None]));
        let error = apply(undefined, &[&x]).unwrap_err();
        assert!(matches!(error, AutogradError::UndefinedOutput { index: 1, .. }), "{error:?}");
    }
}

#[test]
fn inputs_are_checked() {
    let x = leaf(&[1.0]);
    let function = || closures(|_, inputs| Ok(vec![inputs[0].exp()]), |_, _| Ok(vec![None, None]));
    let error = apply(function(), &[&x, &Tensor::new()]).unwrap_err();
    assert!(matches!(error, AutogradError::UndefinedInput { index: 1, .. }), "{error:?}");

    let changing = closures(|_, inputs| Ok(vec![inputs[1].shallow_clone().fill_(3.0)]), |_, _| Ok(vec![None, None]));
    let error = apply(changing, &[&x, &Tensor::from_slice(&[1.0])]).unwrap_err();
    assert!(matches!(error, AutogradError::InputChanged { index: 1, .. }), "{error:?}");
}
