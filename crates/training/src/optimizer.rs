//! From gradients to steps of the parameters.

mod adagrad;
mod adam;
mod config;
mod rule;
mod sgd;
mod sparse;

use tch::Tensor;

use crate::{ConfigError, TrainingError};

pub use config::{AdagradConfig, AdamConfig, OptimizerConfig, UpdateRule};
use rule::{Rule, Step};

/// Moves parameters by their gradients.
///
/// A parameter without a gradient in a step is left alone, with what the rule remembers of it.
///
/// # Sparse gradients
/// A gradient may be a sparse tensor (COO, one sparse dimension), such as a lookup with
/// [`sparse`](fain_layers::EmbeddingConfig::sparse) gives. Then the cost of the step grows with the rows that the
/// gradient holds, not with the table. Rows that it holds several times are summed first. The update is *lazy*:
/// - only the rows that the gradient holds move; for the others there is neither weight decay nor momentum, and their
///   means and sums stay;
/// - weight decay applies to the rows that the gradient holds, as if they were the whole table. (PyTorch refuses weight
///   decay with sparse gradients.)
/// - Adam's bias correction takes the step of the optimiser, however often a row was touched; epsilon is added before
///   the correction: `w ← w − η√(1 − β₂ᵗ)/(1 − β₁ᵗ) · m / (√v + ε)`, which is PyTorch's `SparseAdam`.
///
/// With stochastic gradient descent and with Adagrad, both without weight decay, that is the dense update: a row with a
/// zero gradient would not have moved. With Adam it is another method.
#[derive(Debug)]
pub struct Optimizer {
    config: OptimizerConfig,
    parameters: Vec<Parameter>,
    steps: u64,
}

#[derive(Debug)]
struct Parameter {
    name: String,
    value: Tensor,
    rule: Box<dyn Rule>,
}

impl Optimizer {
    /// Starts at step 0, with zero means and sums.
    ///
    /// # Errors
    /// [`ConfigError::Value`] names the setting that is out of its bounds; [`TrainingError::Torch`] when there is no
    /// memory for what the rule remembers.
    pub fn new(parameters: Vec<(String, Tensor)>, config: OptimizerConfig) -> Result<Self, TrainingError> {
        if let Some((key, value, allowed)) = config.refusal() {
            let (origin, key) = ("the optimiser".to_owned(), key.to_owned());
            return Err(ConfigError::Value { origin, key, value, allowed: allowed.to_owned() }.into());
        }
        let parameters = parameters
            .into_iter()
            .map(|(name, value)| {
                let rule: Box<dyn Rule> = match config.rule {
                    UpdateRule::Adam(config) => Box::new(adam::Adam::new(&value, config, adam::Decay::Gradient)?),
                    UpdateRule::AdamW(config) => Box::new(adam::Adam::new(&value, config, adam::Decay::Parameter)?),
                    UpdateRule::Adagrad(config) => Box::new(adagrad::Adagrad::new(&value, config)?),
                    UpdateRule::Sgd {} => Box::new(sgd::Sgd),
                };
                Ok(Parameter { name, value, rule })
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

    /// Moves every parameter by its gradient, dense or sparse, in the order of the parameters; an undefined gradient
    /// leaves its parameter alone.
    ///
    /// # Errors
    /// [`TrainingError::Shape`] when there are more or fewer gradients than parameters, a gradient has another shape
    /// than its parameter, or more than one sparse dimension; nothing has moved then. [`TrainingError::Torch`] when
    /// libtorch refuses.
    pub fn step(&mut self, gradients: &[Tensor]) -> Result<(), TrainingError> {
        self.check(gradients)?;
        let _guard = tch::no_grad_guard();
        self.steps += 1;
        let OptimizerConfig { learning_rate, weight_decay, .. } = self.config;
        let step = Step { learning_rate, weight_decay, number: self.steps };
        for (Parameter { value, rule, .. }, gradient) in self.parameters.iter_mut().zip(gradients) {
            if !gradient.defined() {
                continue;
            }
            if gradient.is_sparse() {
                sparse::update_rows(rule.as_mut(), value, gradient, &step)?;
            } else {
                rule.update(value, gradient, &step)?;
            }
        }
        Ok(())
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// What the rule remembers, for a checkpoint: `mean.{parameter}` and `square.{parameter}` of Adam and `AdamW`,
    /// `sum.{parameter}` of Adagrad, each of the parameter's shape; nothing of stochastic gradient descent.
    pub fn state(&self) -> Vec<(String, Tensor)> {
        let mut state: Vec<(&'static str, String, Tensor)> = Vec::new();
        for parameter in &self.parameters {
            let named = |(kind, tensor)| (kind, format!("{kind}.{}", parameter.name), tensor);
            state.extend(parameter.rule.state().into_iter().map(named));
        }
        // All means, then all squares: the order that checkpoints have.
        state.sort_by_key(|(kind, ..)| *kind);
        state.into_iter().map(|(_, name, tensor)| (name, tensor)).collect()
    }

    /// Goes on from a checkpoint: `state` gives the tensor of each name of [`Optimizer::state`].
    ///
    /// # Errors
    /// What `state` gives, or [`TrainingError::Shape`] when a tensor has another shape than its parameter.
    pub fn restore(
        &mut self,
        steps: u64,
        state: impl Fn(&str) -> Result<Tensor, TrainingError>,
    ) -> Result<(), TrainingError> {
        let _guard = tch::no_grad_guard();
        for (name, mut tensor) in self.state() {
            let value = state(&name)?;
            check_size(&name, &value, &tensor)?;
            tensor.f_copy_(&value)?;
        }
        self.steps = steps;
        Ok(())
    }

    /// The rules that remember the same share a name; checkpoints put it before the names of the state.
    pub(crate) fn state_family(&self) -> &'static str {
        match self.config.rule {
            UpdateRule::Adam(_) | UpdateRule::AdamW(_) => "adam",
            UpdateRule::Adagrad(_) => "adagrad",
            UpdateRule::Sgd {} => "sgd",
        }
    }

    /// An update would broadcast what does not fit.
    fn check(&self, gradients: &[Tensor]) -> Result<(), TrainingError> {
        if gradients.len() != self.parameters.len() {
            return Err(TrainingError::Shape {
                what: "the list of gradients".to_owned(),
                got: format!("length {}", gradients.len()),
                needed: format!("length {}", self.parameters.len()),
            });
        }
        for (Parameter { name, value, .. }, gradient) in self.parameters.iter().zip(gradients) {
            if !gradient.defined() {
                continue;
            }
            let what = format!("the gradient of {name}");
            check_size(&what, gradient, value)?;
            if gradient.is_sparse() && gradient.f_sparse_dim()? != 1 {
                let got = format!("{} sparse dimensions", gradient.f_sparse_dim()?);
                return Err(TrainingError::Shape { what, got, needed: "1 sparse dimension".to_owned() });
            }
        }
        Ok(())
    }
}

fn check_size(what: &str, got: &Tensor, needed: &Tensor) -> Result<(), TrainingError> {
    let (got, needed) = (got.size(), needed.size());
    if got == needed {
        return Ok(());
    }
    let (got, needed) = (format!("shape {got:?}"), format!("shape {needed:?}"));
    Err(TrainingError::Shape { what: what.to_owned(), got, needed })
}
