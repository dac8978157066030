//! Adam, with weight decay in the gradient or apart from it.

use fain_kernels::{Correction, ElementRule, RowRule};
use tch::{Kind, TchError, Tensor};

use super::config::AdamConfig;
use super::rule::{Decay, Rule, Step, squares};
use super::tables::{BiasCorrection, Moments, Remembered};

/// Adam's means of one parameter.
#[derive(Debug)]
pub(super) struct Adam {
    config: AdamConfig,
    decay: Decay,
    epsilon: Epsilon,
    mean: Tensor,
    square: Tensor,
    /// `[V, 1]`, updates of each row, where the bias is corrected by them.
    count: Option<Tensor>,
    remembered: Remembered,
}

/// What epsilon is added to.
#[derive(Debug, Clone, Copy)]
enum Epsilon {
    /// The corrected root, as in algorithm 1 of the paper and PyTorch's `Adam`.
    CorrectedRoot,
    /// The root before its correction, as at the end of section 2 of the paper and in PyTorch's `SparseAdam`.
    Root,
}

impl Adam {
    /// Starts with zero means.
    pub(super) fn new(
        value: &Tensor,
        config: AdamConfig,
        decay: Decay,
        remembered: Remembered,
    ) -> Result<Self, TchError> {
        let mean = value.f_zeros_like()?.f_detach()?;
        let (square, count) = (remembered.second(value)?, remembered.count(value)?);
        Ok(Self { config, decay, epsilon: Epsilon::CorrectedRoot, mean, square, count, remembered })
    }

    /// `1 − β₁ᵗ` and `√(1 − β₂ᵗ)`: one number each, or one for each row.
    fn corrections(&mut self, number: u64) -> Result<(Tensor, Tensor), TchError> {
        let updates = match &mut self.count {
            None => Tensor::from(number as f64),
            Some(count) => count.f_add_scalar_(1.0)?.f_to_kind(Kind::Double)?,
        };
        let correction = |beta: f64| Tensor::f_pow_scalar(beta, &updates)?.f_neg()?.f_add_scalar(1.0);
        let (first, second) = (correction(self.config.beta1)?, correction(self.config.beta2)?.f_sqrt()?);
        Ok((first.f_to_kind(self.mean.kind())?, second.f_to_kind(self.mean.kind())?))
    }
}

impl Rule for Adam {
    fn state(&self) -> Vec<(&'static str, Tensor)> {
        let count = self.count.iter().map(|count| ("count", count.shallow_clone()));
        count.chain([("mean", self.mean.shallow_clone()), ("square", self.square.shallow_clone())]).collect()
    }

    fn of_rows(&self, rows: &Tensor) -> Result<Box<dyn Rule>, TchError> {
        let (mean, square) = (self.mean.f_index_select(0, rows)?, self.square.f_index_select(0, rows)?);
        let count = self.count.as_ref().map(|count| count.f_index_select(0, rows)).transpose()?;
        let Self { config, decay, remembered, .. } = *self;
        Ok(Box::new(Self { config, decay, epsilon: Epsilon::Root, mean, square, count, remembered }))
    }

    fn update(&mut self, value: &mut Tensor, gradient: &Tensor, step: &Step) -> Result<(), TchError> {
        let AdamConfig { beta1, beta2, epsilon } = self.config;
        let gradient = step.regularized(gradient, value, self.decay)?;
        if self.decay == Decay::Parameter && step.weight_decay != 0.0 {
            let _ = value.f_mul_scalar_(1.0 - step.learning_rate * step.weight_decay)?;
        }
        let _ = self.mean.f_lerp_(&gradient, 1.0 - beta1)?;
        let _ = self.square.f_lerp_(&squares(&gradient, &self.square)?, 1.0 - beta2)?;
        let (correction1, correction2) = self.corrections(step.number)?;
        let mut divisor = self.square.f_sqrt()?;
        let mut rate = correction1.f_reciprocal()?.f_mul_scalar(-step.learning_rate)?;
        match self.epsilon {
            Epsilon::CorrectedRoot => drop(divisor.f_div_(&correction2)?),
            Epsilon::Root => rate = rate.f_mul(&correction2)?,
        }
        let _ = divisor.f_add_scalar_(epsilon)?;
        let _ = value.f_addcdiv_(&self.mean.f_mul(&rate)?, &divisor)?;
        Ok(())
    }

    fn of_kernel(&self, number: u64) -> RowRule {
        let AdamConfig { beta1, beta2, epsilon } = self.config;
        let correction = if self.count.is_some() { Correction::Row } else { Correction::Step(number) };
        RowRule::Adam { beta1, beta2, epsilon, correction }
    }

    fn of_elements(&self, number: u64) -> Option<ElementRule> {
        let AdamConfig { beta1, beta2, epsilon } = self.config;
        let Remembered { moments, bias_correction } = self.remembered;
        let of_elements = moments == Moments::Element && bias_correction == BiasCorrection::Step;
        of_elements.then_some(ElementRule::Adam { beta1, beta2, epsilon, number })
    }

    fn decay(&self) -> Decay {
        self.decay
    }
}
