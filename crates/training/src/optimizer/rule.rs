//! What every optimiser does with one parameter.

use std::fmt::Debug;

use fain_kernels::{ElementRule, RowRule};
use tch::{TchError, Tensor};

/// A rule with what it remembers of one parameter.
pub(super) trait Rule: Debug + Send {
    /// What it remembers, each with its name; the tensors themselves, not copies. Each has a row for every row of the
    /// parameter, of the parameter's width or of width 1.
    fn state(&self) -> Vec<(&'static str, Tensor)>;

    /// The rule for some rows of the parameter, with copies of what it remembers of them.
    fn of_rows(&self, rows: &Tensor) -> Result<Box<dyn Rule>, TchError>;

    /// Moves a parameter by its gradient.
    fn update(&mut self, value: &mut Tensor, gradient: &Tensor, step: &Step) -> Result<(), TchError>;

    /// The rule of [`of_rows`](Self::of_rows) for a kernel.
    fn of_kernel(&self, number: u64) -> RowRule;

    /// The rule of [`update`](Self::update) for a kernel; nothing where rows have moments or corrections of their own.
    fn of_elements(&self, number: u64) -> Option<ElementRule>;

    /// Where weight decay goes.
    fn decay(&self) -> Decay {
        Decay::Gradient
    }
}

/// Where weight decay goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decay {
    /// Into the gradient, and through it into means and sums: L2.
    Gradient,
    /// Into the parameter: `AdamW`.
    Parameter,
}

/// What is the same for all rows of a parameter in a step.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) learning_rate: f64,
    pub(super) weight_decay: f64,
    /// Steps taken, with this one.
    pub(super) number: u64,
    /// `[V, 1]`: this times a row is added to its gradient.
    pub(super) l2_of_rows: Option<Tensor>,
}

impl Step {
    /// The gradient with that of the L2 regularisation.
    pub(super) fn regularized(&self, gradient: &Tensor, value: &Tensor, decay: Decay) -> Result<Tensor, TchError> {
        let mut gradient = gradient.shallow_clone();
        if self.weight_decay != 0.0 && decay == Decay::Gradient {
            gradient = gradient.f_add(&value.f_mul_scalar(self.weight_decay)?)?;
        }
        match &self.l2_of_rows {
            None => Ok(gradient),
            Some(l2) => gradient.f_add(&value.f_mul(l2)?),
        }
    }
}

/// The squares of a gradient as a second moment takes them in: of each element, or the mean of each row's, `[V, 1]`.
pub(super) fn squares(gradient: &Tensor, second: &Tensor) -> Result<Tensor, TchError> {
    let squares = gradient.f_square()?;
    if squares.size() == second.size() {
        return Ok(squares);
    }
    squares.f_mean_dim(&[1i64][..], true, None::<tch::Kind>)
}
