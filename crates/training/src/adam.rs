//! The Adam optimiser.

use tch::Tensor;

use crate::TrainingError;

/// The settings of [`Adam`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamConfig {
    /// Step size.
    pub learning_rate: f64,
    /// Decay of the mean of the gradients.
    pub beta1: f64,
    /// Decay of the mean of their squares.
    pub beta2: f64,
    /// Added to the root of the mean square.
    pub epsilon: f64,
    /// L2 regularisation: this times the parameter is added to its gradient.
    pub weight_decay: f64,
}

impl Default for AdamConfig {
    fn default() -> Self {
        Self { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 }
    }
}

/// Adam with bias correction, <https://arxiv.org/abs/1412.6980>, algorithm 1, as PyTorch's `Adam` computes it.
///
/// A parameter without a gradient in a step is left alone, with its means.
#[derive(Debug)]
pub struct Adam {
    config: AdamConfig,
    parameters: Vec<Parameter>,
    steps: u64,
}

#[derive(Debug)]
struct Parameter {
    name: String,
    value: Tensor,
    mean: Tensor,
    square: Tensor,
}

impl Adam {
    /// Starts at step 0 with zero means.
    ///
    /// # Errors
    /// [`TrainingError::Torch`] when there is no memory for the means.
    pub fn new(parameters: Vec<(String, Tensor)>, config: AdamConfig) -> Result<Self, TrainingError> {
        let parameters = parameters
            .into_iter()
            .map(|(name, value)| {
                let zeros = || value.f_zeros_like()?.f_detach();
                Ok(Parameter { mean: zeros()?, square: zeros()?, name, value })
            })
            .collect::<Result<_, tch::TchError>>()?;
        Ok(Self { config, parameters, steps: 0 })
    }

    /// Takes the gradients of `loss`, a scalar, and moves every parameter.
    ///
    /// # Errors
    /// [`TrainingError::Torch`] when libtorch refuses.
    pub fn backward_step(&mut self, loss: &Tensor) -> Result<(), TrainingError> {
        let values: Vec<&Tensor> = self.parameters.iter().map(|parameter| &parameter.value).collect();
        let gradients = Tensor::f_run_backward(&[loss], &values, false, false)?;
        self.step(&gradients)
    }

    /// Moves every parameter by its gradient; an undefined gradient leaves its parameter alone.
    ///
    /// # Errors
    /// [`TrainingError::Torch`] when a gradient's shape differs.
    pub fn step(&mut self, gradients: &[Tensor]) -> Result<(), TrainingError> {
        let _guard = tch::no_grad_guard();
        self.steps += 1;
        let AdamConfig { learning_rate, beta1, beta2, epsilon, weight_decay } = self.config;
        let power = self.steps as f64;
        let (correction1, correction2) = (1.0 - beta1.powf(power), 1.0 - beta2.powf(power));
        for (parameter, gradient) in self.parameters.iter_mut().zip(gradients) {
            if !gradient.defined() {
                continue;
            }
            let gradient = if weight_decay == 0.0 {
                gradient.shallow_clone()
            } else {
                gradient.f_add(&parameter.value.f_mul_scalar(weight_decay)?)?
            };
            let _ = parameter.mean.f_lerp_(&gradient, 1.0 - beta1)?;
            let _ = parameter.square.f_lerp_(&gradient.f_square()?, 1.0 - beta2)?;
            let mut divisor = parameter.square.f_sqrt()?;
            let _ = divisor.f_div_scalar_(correction2.sqrt())?.f_add_scalar_(epsilon)?;
            let step = parameter.mean.f_mul_scalar(-learning_rate / correction1)?;
            let _ = parameter.value.f_addcdiv_(&step, &divisor)?;
        }
        Ok(())
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The running means, named `mean.{parameter}` and `square.{parameter}`, for a checkpoint.
    pub fn state(&self) -> Vec<(String, Tensor)> {
        let named = |prefix: &str, name: &str, tensor: &Tensor| (format!("{prefix}.{name}"), tensor.shallow_clone());
        let means = self.parameters.iter().map(|each| named("mean", &each.name, &each.mean));
        let squares = self.parameters.iter().map(|each| named("square", &each.name, &each.square));
        means.chain(squares).collect()
    }

    /// Goes on from a checkpoint: `state` gives the tensor of each name of [`Adam::state`].
    ///
    /// # Errors
    /// What `state` gives, or [`TrainingError::Torch`] when a shape differs.
    pub fn restore(
        &mut self,
        steps: u64,
        state: impl Fn(&str) -> Result<Tensor, TrainingError>,
    ) -> Result<(), TrainingError> {
        let _guard = tch::no_grad_guard();
        for parameter in &mut self.parameters {
            parameter.mean.f_copy_(&state(&format!("mean.{}", parameter.name))?)?;
            parameter.square.f_copy_(&state(&format!("square.{}", parameter.name))?)?;
        }
        self.steps = steps;
        Ok(())
    }
}
