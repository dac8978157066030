//! How embedding tables are trained, apart from other parameters.

use serde::{Deserialize, Serialize};
use tch::{TchError, Tensor};

use super::config::UpdateRule;
use crate::config::Refusal;

/// How the optimiser treats embedding tables, as written: `[training.tables]`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TablesConfig {
    /// What the second moments of Adam and Adagrad are of.
    pub moments: Moments,
    /// What corrects the bias of Adam's means.
    pub bias_correction: BiasCorrection,
    /// `λ` of the mini-batch aware regularisation, at least 0; 0 is none. Deep Interest Network, eq. (6),
    /// <https://arxiv.org/abs/1706.06978>: `λ/nⱼ · wⱼ` is added to the gradient of each row `j` that a batch touches.
    /// `nⱼ` is the number of training rows with that id, so that an epoch adds up to the gradient of `λ/2 · ‖w‖²`.
    /// Weight decay comes on top.
    ///
    /// A batch touches the rows of a sparse gradient, and those of a dense one that are not all zero.
    pub mini_batch_aware: f64,
}

/// What the second moments of Adam and Adagrad are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moments {
    /// Each element's square.
    #[default]
    Element,
    /// The mean of a row's squares: one number for a row of `D`. Adam then remembers half as much, Adagrad a `D`th.
    Row,
}

/// What corrects the bias of Adam's means, which start at 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BiasCorrection {
    /// The steps of the optimiser, however often a row was touched: PyTorch's `SparseAdam`. A row that is touched late
    /// for the first time moves by less.
    #[default]
    Step,
    /// The row's own updates: its first step is as long as that of a parameter in the first step.
    Row,
}

impl TablesConfig {
    /// The first setting that is out of its bounds or does not fit the rule.
    pub(crate) fn refusal(&self, rule: UpdateRule) -> Option<Refusal> {
        let adam = matches!(rule, UpdateRule::Adam(_) | UpdateRule::AdamW(_));
        if !(self.mini_batch_aware >= 0.0 && self.mini_batch_aware.is_finite()) {
            return Some(("training.tables.mini_batch_aware", self.mini_batch_aware.to_string(), "at least 0"));
        }
        if self.moments == Moments::Row && matches!(rule, UpdateRule::Sgd {}) {
            let allowed = "element, as training.optimizer.kind is sgd, which has no moments";
            return Some(("training.tables.moments", "row".to_owned(), allowed));
        }
        if self.bias_correction == BiasCorrection::Row && !adam {
            let allowed = "step, unless training.optimizer.kind is adam or adam_w";
            return Some(("training.tables.bias_correction", "row".to_owned(), allowed));
        }
        None
    }
}

/// An embedding table among the parameters of an [`Optimizer`](crate::Optimizer).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainedTable {
    /// The parameter's name; its shape is `[V, D]`.
    pub parameter: String,
    /// `[V]`: the training rows that have each id, at least once. [`TablesConfig::mini_batch_aware`] needs it; an id
    /// that no row has counts as if one had it.
    pub occurrences: Option<Vec<u32>>,
}

/// The shapes of what a rule remembers of one parameter.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Remembered {
    pub(super) moments: Moments,
    pub(super) bias_correction: BiasCorrection,
}

impl Remembered {
    /// A zero second moment.
    pub(super) fn second(self, value: &Tensor) -> Result<Tensor, TchError> {
        match self.moments {
            Moments::Element => value.f_zeros_like()?.f_detach(),
            Moments::Row => zero_rows(value),
        }
    }

    /// Zero updates of each row, where they are counted.
    pub(super) fn count(self, value: &Tensor) -> Result<Option<Tensor>, TchError> {
        (self.bias_correction == BiasCorrection::Row).then(|| zero_rows(value)).transpose()
    }
}

/// `[V, 1]`, in the kind of a table.
fn zero_rows(table: &Tensor) -> Result<Tensor, TchError> {
    Tensor::f_zeros([table.size().first().copied().unwrap_or(1), 1], (table.kind(), table.device()))
}
