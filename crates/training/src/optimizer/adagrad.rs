//! Adagrad.

use fain_kernels::RowRule;
use tch::{TchError, Tensor};

use super::config::AdagradConfig;
use super::rule::{Rule, Step, squares};
use super::tables::Remembered;

/// Adagrad's sum of squares of one parameter.
#[derive(Debug)]
pub(super) struct Adagrad {
    config: AdagradConfig,
    sum: Tensor,
}

impl Adagrad {
    /// Starts with a zero sum.
    pub(super) fn new(value: &Tensor, config: AdagradConfig, remembered: Remembered) -> Result<Self, TchError> {
        Ok(Self { config, sum: remembered.second(value)? })
    }
}

impl Rule for Adagrad {
    fn state(&self) -> Vec<(&'static str, Tensor)> {
        vec![("sum", self.sum.shallow_clone())]
    }

    fn of_rows(&self, rows: &Tensor) -> Result<Box<dyn Rule>, TchError> {
        Ok(Box::new(Self { config: self.config, sum: self.sum.f_index_select(0, rows)? }))
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
}
