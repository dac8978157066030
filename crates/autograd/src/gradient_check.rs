//! Gradients against central differences.

mod projection;

use std::fmt::Display;

use tch::{Kind, TchError, Tensor};
use thiserror::Error;

use projection::Projection;

/// How a gradient is checked.
///
/// An entry passes when `|analytic − numeric| ≤ absolute + relative·|numeric|`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GradientCheck {
    /// How far an entry is moved to either side; above 0.
    pub step: f64,
    /// The absolute tolerance; not below 0.
    pub absolute: f64,
    /// The relative tolerance; not below 0.
    pub relative: f64,
}

impl Default for GradientCheck {
    /// A step of 1e-6, absolute tolerance 1e-7, relative tolerance 1e-6. Rounding of outputs near 1 makes an error of
    /// about 1e-10 with this step.
    fn default() -> Self {
        Self { step: 1e-6, absolute: 1e-7, relative: 1e-6 }
    }
}

/// What a check that passed has seen.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct GradientReport {
    /// The number of entries checked.
    pub entries: usize,
    /// The largest `|analytic − numeric|`.
    pub largest_difference: f64,
}

/// Why a check did not pass.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GradientError {
    /// An option is out of its bounds.
    #[error("the {option} of a gradient check is {got}; it must be finite and {bound}")]
    Option {
        /// The name of the field.
        option: &'static str,
        /// Its bound.
        bound: &'static str,
        /// Its value.
        got: f64,
    },
    /// An input is not in float64: rounding would hide what is looked for.
    #[error("input {input} is of kind {kind:?}; a gradient check needs Double")]
    Kind {
        /// The input, from 0.
        input: usize,
        /// Its kind.
        kind: Kind,
    },
    /// No input requires a gradient.
    #[error("no input requires a gradient, so there is nothing to check")]
    NoInput,
    /// No output requires a gradient, although an input does.
    #[error("no output of the function depends on an input that requires a gradient")]
    NoOutput,
    /// The function failed.
    #[error("the function failed: {message}")]
    Function {
        /// Its own error, as text.
        message: String,
    },
    /// The number or a shape of the outputs changed between two calls.
    #[error("output {output} changes its shape, or is not there, when an input is moved by a step")]
    Shape {
        /// The output, from 0.
        output: usize,
    },
    /// The gradient is wrong.
    #[error("the gradient of input {input} at {entry:?} is {analytic}, and by differences {numeric}")]
    Mismatch {
        /// The input, from 0.
        input: usize,
        /// The entry, one index per dimension.
        entry: Vec<i64>,
        /// What backward gave.
        analytic: f64,
        /// What central differences gave.
        numeric: f64,
    },
    /// libtorch refused, most often in the backward pass.
    #[error(transparent)]
    Libtorch(#[from] TchError),
}

/// Checks the gradients of a function in float64 against central differences.
///
/// The outputs are projected to one number with fixed weights, `L = Σ w·y`, so that one backward pass gives the whole
/// gradient; then each entry `x` of each input that requires a gradient is moved, and `∂L/∂x` is held to
/// `(L(x + step) − L(x − step)) / (2·step)`. That is two calls of the function per entry. The weights depend on nothing
/// but the place of an output's entry: no random numbers are drawn, and the same call gives the same report.
///
/// The function gets contiguous copies: the caller's inputs and their gradients stay as they are. Outputs that do not
/// require a gradient are left out. Where the function has a kink (as `relu` at 0) within a step of an entry, differences
/// are no measure; choose inputs away from it.
///
/// # Errors
/// [`GradientError::Mismatch`] names the first wrong entry; a NaN on either side is wrong. The others say why the check
/// could not be made.
pub fn check_gradients<E: Display>(
    function: impl Fn(&[Tensor]) -> Result<Vec<Tensor>, E>,
    inputs: &[Tensor],
    options: &GradientCheck,
) -> Result<GradientReport, GradientError> {
    options.check()?;
    for (input, tensor) in inputs.iter().enumerate() {
        let kind = tensor.f_kind()?;
        if kind != Kind::Double {
            return Err(GradientError::Kind { input, kind });
        }
    }
    if !inputs.iter().any(Tensor::requires_grad) {
        return Err(GradientError::NoInput);
    }
    let call = |inputs: &[Tensor]| {
        let outputs = function(inputs);
        outputs.map_err(|error| GradientError::Function { message: error.to_string() })
    };

    let (projection, gradients) = tch::with_grad(|| analytic(&call, inputs))?;
    let mut report = GradientReport { entries: 0, largest_difference: 0.0 };
    let _not_recorded = tch::no_grad_guard();
    for (input, gradient) in gradients.iter().enumerate() {
        let Some(gradient) = gradient else { continue };
        for (flat, &analytic) in gradient.iter().enumerate() {
            let outputs_at = |offset: f64| call(&moved(inputs, input, flat, offset)?);
            let difference = projection.difference(&outputs_at(options.step)?, &outputs_at(-options.step)?)?;
            let numeric = difference / (2.0 * options.step);
            let error = (analytic - numeric).abs();
            // Written so that a NaN does not pass.
            let passes = error <= options.absolute + options.relative * numeric.abs();
            if !passes {
                let entry = entry(&inputs[input].size(), flat);
                return Err(GradientError::Mismatch { input, entry, analytic, numeric });
            }
            report.entries += 1;
            report.largest_difference = report.largest_difference.max(error);
        }
    }
    Ok(report)
}

impl GradientCheck {
    fn check(&self) -> Result<(), GradientError> {
        if !(self.step.is_finite() && self.step > 0.0) {
            return Err(GradientError::Option { option: "step", bound: "above 0", got: self.step });
        }
        for (option, got) in [("absolute tolerance", self.absolute), ("relative tolerance", self.relative)] {
            if !(got.is_finite() && got >= 0.0) {
                return Err(GradientError::Option { option, bound: "not below 0", got });
            }
        }
        Ok(())
    }
}

/// The projection that fits the outputs, and its gradient for each input that requires one.
type Analytic = (Projection, Vec<Option<Vec<f64>>>);

fn analytic(
    call: &impl Fn(&[Tensor]) -> Result<Vec<Tensor>, GradientError>,
    inputs: &[Tensor],
) -> Result<Analytic, GradientError> {
    let leaves = copies(inputs)?;
    let outputs = call(&leaves)?;
    let projection = Projection::new(&outputs)?.ok_or(GradientError::NoOutput)?;
    let checked: Vec<&Tensor> = leaves.iter().filter(|leaf| leaf.requires_grad()).collect();
    let gradients = Tensor::f_run_backward(&[projection.apply(&outputs)?], &checked, false, false)?;
    let mut gradients = gradients.into_iter();
    let mut next = |leaf: &Tensor| match gradients.next() {
        Some(gradient) if gradient.defined() => values(&gradient),
        // Nothing flowed back: that says the derivative is 0.
        _ => Ok(vec![0.0; leaf.numel()]),
    };
    let gradients = leaves.iter().map(|leaf| leaf.requires_grad().then(|| next(leaf)).transpose());
    Ok((projection, gradients.collect::<Result<_, TchError>>()?))
}

/// Contiguous copies of the inputs that start a graph of their own.
fn copies(inputs: &[Tensor]) -> Result<Vec<Tensor>, TchError> {
    let copy = |input: &Tensor| {
        let mut copy = Tensor::f_zeros(input.size().as_slice(), (Kind::Double, input.device()))?;
        copy.f_copy_(&input.f_detach()?)?;
        copy.f_set_requires_grad(input.requires_grad())
    };
    inputs.iter().map(copy).collect()
}

/// Copies of the inputs in which one entry of one input is moved.
fn moved(inputs: &[Tensor], input: usize, flat: usize, offset: f64) -> Result<Vec<Tensor>, TchError> {
    let copies = copies(inputs)?;
    let _moved = copies[input].f_detach()?.f_view([-1])?.f_get(flat as i64)?.f_add_scalar_(offset)?;
    Ok(copies)
}

/// The entries in the order of the indices.
fn values(tensor: &Tensor) -> Result<Vec<f64>, TchError> {
    Vec::try_from(tensor.f_to_device(tch::Device::Cpu)?.f_contiguous()?.f_view([-1])?)
}

/// The indices of an entry from its place in the contiguous tensor.
fn entry(size: &[i64], flat: usize) -> Vec<i64> {
    let mut rest = flat as i64;
    let mut indices: Vec<i64> = size
        .iter()
        .rev()
        .map(|&length| {
            let index = rest % length;
            rest /= length;
            index
        })
        .collect();
    indices.reverse();
    indices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_found_again() {
        assert_eq!(entry(&[2, 3, 4], 0), [0, 0, 0]);
        assert_eq!(entry(&[2, 3, 4], 23), [1, 2, 3]);
        assert_eq!(entry(&[2, 3, 4], 17), [1, 1, 1]);
        assert!(entry(&[], 0).is_empty());
    }
}
