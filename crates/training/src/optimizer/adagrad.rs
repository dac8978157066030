//! Adagrad.

use fain_kernels::{ElementRule, RowRule};
use tch::{TchError, Tensor};

use super::config::AdagradConfig;
use super::rule::{Rule, Step, squares};
use super::tables::{Moments, Remembered};

/// Adagrad's sum of squares of one parameter.
#[derive(Debug)]
pub(super) struct Adagrad {
    config: AdagradConfig,
    sum: Tensor,
    moments: Moments,
}

impl Adagrad {
    /// Starts with a zero sum.
    pub(super) fn new(value: &Tensor, config: AdagradConfig, remembered: Remembered) -> Result<Self, TchError> {
        Ok(Self { config, sum: remembered.second(value)?, moments: remembered.moments })
    }
}

impl Rule for Adagrad {
    fn state(&self) -> Vec<(&'static str, Tensor)> {
        vec![("sum", self.sum.shallow_clone())]
    }

    fn of_rows(&self, rows: &Tensor) -> Result<Box<dyn Rule>, TchError> {
        let sum = self.sum.f_index_select(0, rows)?;
        Ok(Box::new(Self { config: self.config, sum, moments: self.moments }))
    }

    fn update(&mut self, value: &mut Tensor, gradient: &Tensor, step: &Step) -> Result<(), TchError> {
        let gradient = step.regularized(gradient, value, self.decay())?;
        let _ = self.sum.f_add_(&squares(&gradient, &self.sum)?)?;
        let mut divisor = self.sum.f_sqrt()?;
        let _ = divisor.f_add_scalar_(self.config.epsilon)?;
        let _ = value.f_addcdiv_(&gradient.f_mul_scalar(-step.learning_rate)?, &divisor)?;
        Ok(())
    }

    fn of_kernel(&self, _number: u64) -> RowRule {
        RowRule::Adagrad { epsilon: self.config.epsilon }
    }

    fn of_elements(&self, _number: u64) -> Option<ElementRule> {
        (self.moments == Moments::Element).then_some(ElementRule::Adagrad { epsilon: self.config.epsilon })
    }
}
