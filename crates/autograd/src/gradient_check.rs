//! Gradients against central differences.

mod differences;
mod projection;

use std::fmt::Display;

use tch::{Kind, TchError, Tensor};
use thiserror::Error;

use differences::{Constant, Leaf, walk};

/// How a gradient is checked.
///
/// An entry passes when `|analytic − numeric| ≤ absolute + relative·|numeric|`. Where [`kinks`](Self::kinks) are allowed,
/// `numeric` may be anything between the slopes to both sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GradientCheck {
    /// How far an entry is moved to either side; above 0.
    pub step: f64,
    /// The absolute tolerance; not below 0.
    pub absolute: f64,
    /// The relative tolerance; not below 0.
    pub relative: f64,
    /// The most entries of a tensor that are moved, spread over it; above 0.
    pub entries: usize,
    /// Whether the function may have kinks, as `relu` at 0: there the slopes to both sides differ, and either is right.
    pub kinks: bool,
}

impl Default for GradientCheck {
    /// Every entry, without kinks: a step of 1e-6, absolute tolerance 1e-7, relative tolerance 1e-6. Rounding of outputs
    /// near 1 makes an error of about 1e-10 with this step.
    fn default() -> Self {
        Self { step: 1e-6, absolute: 1e-7, relative: 1e-6, entries: usize::MAX, kinks: false }
    }
}

/// What a check that passed has seen.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct GradientReport {
    /// The number of entries checked.
    pub entries: usize,
    /// The largest `|analytic − numeric|`; with kinks, the largest distance from what lies between the slopes.
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
        /// The input, counted from 0, or the leaf by its name.
        input: String,
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
        /// The input, counted from 0, or the leaf by its name.
        input: String,
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

/// Checks the gradients of a function in float64 against differences.
///
/// The outputs are projected to one number with fixed weights, `L = Σ w·y`, so that one backward pass gives the whole
/// gradient; then each entry `x` of each input that requires a gradient is moved, and `∂L/∂x` is held to
/// `(L(x + step) − L(x − step)) / (2·step)`. That is two calls of the function per entry. The weights depend on nothing
/// but the place of an output's entry: no random numbers are drawn, and the same call gives the same report.
///
/// The function gets contiguous copies: the caller's inputs and their gradients stay as they are. Outputs that do not
/// require a gradient are left out. Where the function has a kink within a step of an entry, the mean slope is no measure:
/// allow for [`kinks`](GradientCheck::kinks), or choose inputs away from it.
///
/// # Errors
/// [`GradientError::Mismatch`] names the first wrong entry; a NaN on either side is wrong. The others say why the check
/// could not be made.
pub fn check_gradients<E: Display>(
    function: impl Fn(&[Tensor]) -> Result<Vec<Tensor>, E>,
    inputs: &[Tensor],
    options: &GradientCheck,
) -> Result<GradientReport, GradientError> {
    let copies = inputs.iter().map(copy).collect::<Result<Vec<_>, TchError>>()?;
    let leaves: Vec<Leaf<'_>> = copies.iter().enumerate().map(|(input, copy)| (input.to_string(), copy)).collect();
    walk(&call(|| function(&copies)), &leaves, options, Constant::Refused)
}

/// As [`check_gradients`], with respect to leaves that the function knows already, as the variables of a layer.
///
/// The leaves are contiguous float64 tensors with names. Their entries are moved in place, and are as before when this
/// returns; their gradients are not touched. A function that depends on none of them must have slopes of zero.
///
/// # Errors
/// As [`check_gradients`].
pub fn check_leaves<E: Display>(
    function: impl Fn() -> Result<Tensor, E>,
    leaves: &[(&str, &Tensor)],
    options: &GradientCheck,
) -> Result<GradientReport, GradientError> {
    let leaves: Vec<Leaf<'_>> = leaves.iter().map(|&(name, leaf)| (name.to_owned(), leaf)).collect();
    walk(&call(|| Ok::<_, E>(vec![function()?])), &leaves, options, Constant::Zero)
}

/// The function with its error as text.
fn call<E: Display>(function: impl Fn() -> Result<Vec<Tensor>, E>) -> impl Fn() -> Result<Vec<Tensor>, GradientError> {
    move || function().map_err(|error| GradientError::Function { message: error.to_string() })
}

/// A contiguous copy that starts a graph of its own.
fn copy(input: &Tensor) -> Result<Tensor, TchError> {
    let mut copy = Tensor::f_zeros(input.size().as_slice(), (input.f_kind()?, input.device()))?;
    copy.f_copy_(&input.f_detach()?)?;
    copy.f_set_requires_grad(input.requires_grad())
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
        if self.entries == 0 {
            return Err(GradientError::Option { option: "number of entries", bound: "above 0", got: 0.0 });
        }
        Ok(())
    }
}
