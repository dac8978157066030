//! From gradients to steps of the parameters.

mod adagrad;
mod adam;
mod config;
mod dense;
mod rule;
mod sgd;
mod sparse;
mod tables;

use fain_autograd::prefer_huge_pages;
use fain_kernels::Lookups;
use tch::Tensor;

use crate::{ConfigError, TrainingError};

pub use config::{AdagradConfig, AdamConfig, OptimizerConfig, UpdateRule};
use dense::Dense;
use rule::{Decay, Rule, Step};
use tables::Remembered;
pub use tables::{BiasCorrection, Moments, TablesConfig, TrainedTable};

/// Moves parameters by their gradients.
///
/// A parameter without a gradient in a step is left alone, with what the rule remembers of it. Dense parameters of
/// float32 and float64 on the CPU are moved by a kernel, all in one pass.
///
/// # Sparse gradients
/// A gradient may be a sparse tensor (COO, one sparse dimension), such as a lookup with
/// [`sparse`](fain_layers::EmbeddingConfig::sparse) gives. Then the cost of the step grows with the rows that the
/// gradient holds, not with the table. Rows that it holds several times are summed first. The update is *lazy*:
/// - only the rows that the gradient holds move; for the others there is neither weight decay nor momentum, and their
///   means and sums stay;
/// - weight decay applies to the rows that the gradient holds, as if they were the whole table. (PyTorch refuses weight
///   decay with sparse gradients.)
/// - Adam's bias correction takes the step of the optimiser, however often a row was touched, or the row's own updates
///   ([`TablesConfig::bias_correction`]); epsilon is added before the correction:
///   `w ← w − η√(1 − β₂ᵗ)/(1 − β₁ᵗ) · m / (√v + ε)`, which is PyTorch's `SparseAdam`.
///
/// With stochastic gradient descent and with Adagrad, both without weight decay, that is the dense update: a row with a
/// zero gradient would not have moved. With Adam it is another method.
///
/// Tables of float32 and float64 on the CPU are moved in place by a kernel: it sums a row's gradients, adds the
/// regularisation and moves the row in one pass, with the same bits for any number of threads.
#[derive(Debug)]
pub struct Optimizer {
    config: OptimizerConfig,
    parameters: Vec<Parameter>,
    steps: u64,
    /// Memory of the last step, for the next one.
    lookups: Lookups,
}

#[derive(Debug)]
struct Parameter {
    name: String,
    value: Tensor,
    rule: Box<dyn Rule>,
    /// `[V, 1]`, `λ/n` of the mini-batch aware regularisation.
    l2_of_rows: Option<Tensor>,
}

impl Optimizer {
    /// Starts at step 0, with zero means and sums. Embedding tables are treated as any other parameter.
    ///
    /// # Errors
    /// [`ConfigError::Value`] names the setting that is out of its bounds; [`TrainingError::Torch`] when there is no
    /// memory for what the rule remembers.
    pub fn new(parameters: Vec<(String, Tensor)>, config: OptimizerConfig) -> Result<Self, TrainingError> {
        Self::with_tables(parameters, config, TablesConfig::default(), &[])
    }

    /// Starts at step 0, with zero means and sums, and with settings of their own for embedding tables.
    ///
    /// # Errors
    /// As [`Optimizer::new`]; [`TrainingError::Shape`] when a table is not among the parameters, has not two dimensions,
    /// or has no occurrence for each row although [`TablesConfig::mini_batch_aware`] is above 0.
    pub fn with_tables(
        parameters: Vec<(String, Tensor)>,
        config: OptimizerConfig,
        tables_config: TablesConfig,
        tables: &[TrainedTable],
    ) -> Result<Self, TrainingError> {
        if let Some((key, value, allowed)) = config.refusal().or_else(|| tables_config.refusal(config.rule)) {
            let (origin, key) = ("the optimiser".to_owned(), key.to_owned());
            return Err(ConfigError::Value { origin, key, value, allowed: allowed.to_owned() }.into());
        }
        for table in tables {
            check_table(table, &parameters, tables_config)?;
        }
        let of_tables = Remembered { moments: tables_config.moments, bias_correction: tables_config.bias_correction };
        let parameters = parameters
            .into_iter()
            .map(|(name, value)| {
                let table = tables.iter().find(|table| table.parameter == name);
                let remembered = if table.is_some() { of_tables } else { Remembered::default() };
                let rule: Box<dyn Rule> = match config.rule {
                    UpdateRule::Adam(config) => Box::new(adam::Adam::new(&value, config, Decay::Gradient, remembered)?),
                    UpdateRule::AdamW(config) => {
                        Box::new(adam::Adam::new(&value, config, Decay::Parameter, remembered)?)
                    }
                    UpdateRule::Adagrad(config) => Box::new(adagrad::Adagrad::new(&value, config, remembered)?),
                    UpdateRule::Sgd {} => Box::new(sgd::Sgd),
                };
                let lambda = tables_config.mini_batch_aware;
                let counts = table.and_then(|table| table.occurrences.as_ref()).filter(|_| lambda > 0.0);
                let l2_of_rows = counts.map(|counts| l2_of_rows(lambda, counts, &value)).transpose()?;
                for (_, tensor) in rule.state().iter().chain([("", value.shallow_clone())].iter()) {
                    let _advised = prefer_huge_pages(tensor);
                }
                Ok(Parameter { name, value, rule, l2_of_rows })
            })
            .collect::<Result<_, tch::TchError>>()?;
        Ok(Self { config, parameters, steps: 0, lookups: Lookups::default() })
    }

    /// Takes the gradients of `loss`, a scalar, and moves every parameter.
    ///
    /// # Errors
    /// [`TrainingError::Torch`] when libtorch refuses.
    pub fn backward_step(&mut self, loss: &Tensor) -> Result<(), TrainingError> {
        self.backward_step_of_sum(&[loss])
    }

    /// As [`Optimizer::backward_step`] with the sum of some losses. Their numbers are not read before the backward pass.
    ///
    /// # Errors
    /// [`TrainingError::Torch`] when libtorch refuses.
    pub fn backward_step_of_sum(&mut self, losses: &[&Tensor]) -> Result<(), TrainingError> {
        let values: Vec<&Tensor> = self.parameters.iter().map(|parameter| &parameter.value).collect();
        let gradients = Tensor::f_run_backward(losses, &values, false, false)?;
        self.step(&gradients)
    }

    /// Moves every parameter by its gradient, dense or sparse; an undefined gradient leaves its parameter alone.
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
        let mut gradients = gradients.iter();
        let mut dense = Vec::with_capacity(self.parameters.len());
        for Parameter { value, rule, l2_of_rows, .. } in &mut self.parameters {
            let Some(gradient) = gradients.next().filter(|gradient| gradient.defined()) else { continue };
            let mut l2_of_rows = l2_of_rows.as_ref().map(Tensor::shallow_clone);
            if gradient.is_sparse() {
                let step = Step { learning_rate, weight_decay, number: self.steps, l2_of_rows };
                sparse::update_rows(rule.as_mut(), value, gradient, &step, &mut self.lookups)?;
            } else {
                if let Some(l2) = &mut l2_of_rows {
                    *l2 = l2.f_mul(&gradient.f_ne(0.0)?.f_any_dim(1, true)?)?;
                }
                let step = Step { learning_rate, weight_decay, number: self.steps, l2_of_rows };
                dense.push(Dense { value, rule: rule.as_mut(), gradient, step });
            }
        }
        dense::update(dense)
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// What the rule remembers, for a checkpoint: `mean.{parameter}` and `square.{parameter}` of Adam and `AdamW`,
    /// `sum.{parameter}` of Adagrad, each of the parameter's shape; nothing of stochastic gradient descent. Of tables,
    /// the latter two are `[V, 1]` with [`Moments::Row`], and `count.{parameter}`, `[V, 1]`, is there with
    /// [`BiasCorrection::Row`].
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

/// A table is there, and has what its settings need.
fn check_table(
    table: &TrainedTable,
    parameters: &[(String, Tensor)],
    config: TablesConfig,
) -> Result<(), TrainingError> {
    let refuse = |got: String, needed: &str| {
        let what = format!("the table {}", table.parameter);
        Err(TrainingError::Shape { what, got, needed: needed.to_owned() })
    };
    let Some((_, value)) = parameters.iter().find(|(name, _)| *name == table.parameter) else {
        return refuse("no parameter of that name".to_owned(), "one");
    };
    let size = value.size();
    if size.len() != 2 {
        return refuse(format!("shape {size:?}"), "[V, D]");
    }
    let counts = table.occurrences.as_ref().map_or(0, Vec::len);
    if config.mini_batch_aware > 0.0 && counts as i64 != size[0] {
        return refuse(format!("occurrences of {counts} ids"), &format!("one number for each of {} rows", size[0]));
    }
    Ok(())
}

/// `λ/n`, `[V, 1]`, in the kind of the table.
fn l2_of_rows(lambda: f64, counts: &[u32], table: &Tensor) -> Result<Tensor, tch::TchError> {
    let shares: Vec<f64> = counts.iter().map(|&count| lambda / f64::from(count.max(1))).collect();
    Tensor::f_from_slice(&shares)?.f_unsqueeze(1)?.f_to_kind(table.kind())?.f_to_device(table.device())
}

fn check_size(what: &str, got: &Tensor, needed: &Tensor) -> Result<(), TrainingError> {
    let (got, needed) = (got.size(), needed.size());
    if got == needed {
        return Ok(());
    }
    let (got, needed) = (format!("shape {got:?}"), format!("shape {needed:?}"));
    Err(TrainingError::Shape { what: what.to_owned(), got, needed })
}
