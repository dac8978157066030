//! Stochastic gradient descent.

use fain_kernels::{ElementRule, RowRule};
use tch::{TchError, Tensor};

use super::rule::{Rule, Step};

/// Remembers nothing.
#[derive(Debug)]
pub(super) struct Sgd;

impl Rule for Sgd {
    fn state(&self) -> Vec<(&'static str, Tensor)> {
        Vec::new()
    }

    fn of_rows(&self, _rows: &Tensor) -> Result<Box<dyn Rule>, TchError> {
        Ok(Box::new(Self))
    }

    fn update(&mut self, value: &mut Tensor, gradient: &Tensor, step: &Step) -> Result<(), TchError> {
        let gradient = step.regularized(gradient, value, self.decay())?;
        let _ = value.f_sub_(&gradient.f_mul_scalar(step.learning_rate)?)?;
        Ok(())
    }

    fn of_kernel(&self, _number: u64) -> RowRule {
        RowRule::Sgd
    }

    fn of_elements(&self, _number: u64) -> Option<ElementRule> {
        Some(ElementRule::Sgd)
    }
}
