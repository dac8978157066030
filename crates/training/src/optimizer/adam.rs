//! Adam, with weight decay in the gradient or apart from it.

use tch::{TchError, Tensor};

use super::config::AdamConfig;
use super::rule::{Rule, Step};

/// Adam's means of one parameter.
#[derive(Debug)]
pub(super) struct Adam {
    config: AdamConfig,
    decay: Decay,
    epsilon: Epsilon,
    mean: Tensor,
    square: Tensor,
}

/// Where weight decay goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Decay {
    /// Into the gradient, and through it into the means: Adam.
    Gradient,
    /// Into the parameter: `AdamW`.
    Parameter,
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
    pub(super) fn new(value: &Tensor, config: AdamConfig, decay: Decay) -> Result<Self, TchError> {
        let zeros = || value.f_zeros_like()?.f_detach();
        Ok(Self { config, decay, epsilon: Epsilon::CorrectedRoot, mean: zeros()?, square: zeros()? })
    }
}

impl Rule for Adam {
    fn state(&self) -> Vec<(&'static str, Tensor)> {
        vec![("mean", self.mean.shallow_clone()), ("square", self.square.shallow_clone())]
    }

    fn of_rows(&self, rows: &Tensor) -> Result<Box<dyn Rule>, TchError> {
        let (mean, square) = (self.mean.f_index_select(0, rows)?, self.square.f_index_select(0, rows)?);
        Ok(Box::new(Self { config: self.config, decay: self.decay, epsilon: Epsilon::Root, mean, square }))
    }

    fn update(&mut self, value: &mut Tensor, gradient: &Tensor, step: &Step) -> Result<(), TchError> {
        let AdamConfig { beta1, beta2, epsilon } = self.config;
        let gradient = match self.decay {
            Decay::Gradient => step.regularized(gradient, value)?,
            Decay::Parameter => {
                if step.weight_decay != 0.0 {
                    let _ = value.f_mul_scalar_(1.0 - step.learning_rate * step.weight_decay)?;
                }
                gradient.shallow_clone()
            }
        };
        let _ = self.mean.f_lerp_(&gradient, 1.0 - beta1)?;
        let _ = self.square.f_lerp_(&gradient.f_square()?, 1.0 - beta2)?;
        let power = step.number as f64;
        let (correction1, correction2) = (1.0 - beta1.powf(power), (1.0 - beta2.powf(power)).sqrt());
        let mut divisor = self.square.f_sqrt()?;
        let rate = match self.epsilon {
            Epsilon::CorrectedRoot => {
                let _ = divisor.f_div_scalar_(correction2)?;
                step.learning_rate / correction1
            }
            Epsilon::Root => step.learning_rate * correction2 / correction1,
        };
        let _ = divisor.f_add_scalar_(epsilon)?;
        let _ = value.f_addcdiv_(&self.mean.f_mul_scalar(-rate)?, &divisor)?;
        Ok(())
    }
}
