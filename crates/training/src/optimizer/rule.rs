//! What every optimiser does with one parameter.

use std::fmt::Debug;

use tch::{TchError, Tensor};

/// A rule with what it remembers of one parameter.
pub(super) trait Rule: Debug + Send {
    /// What it remembers, each with its name and of the parameter's shape; the tensors themselves, not copies.
    fn state(&self) -> Vec<(&'static str, Tensor)>;

    /// The rule for some rows of the parameter, with copies of what it remembers of them.
    fn of_rows(&self, rows: &Tensor) -> Result<Box<dyn Rule>, TchError>;

    /// Moves a parameter by its gradient.
    fn update(&mut self, value: &mut Tensor, gradient: &Tensor, step: &Step) -> Result<(), TchError>;
}

/// What is the same for all parameters in a step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) learning_rate: f64,
    pub(super) weight_decay: f64,
    /// Steps taken, with this one.
    pub(super) number: u64,
}

impl Step {
    /// The gradient with that of the L2 regularisation.
    pub(super) fn regularized(&self, gradient: &Tensor, value: &Tensor) -> Result<Tensor, TchError> {
        if self.weight_decay == 0.0 {
            return Ok(gradient.shallow_clone());
        }
        gradient.f_add(&value.f_mul_scalar(self.weight_decay)?)
    }
}
