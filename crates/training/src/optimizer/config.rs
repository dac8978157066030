//! Which optimiser, and its settings.

use serde::{Deserialize, Serialize};

use crate::config::Refusal;

/// The settings of an [`Optimizer`](crate::Optimizer).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OptimizerConfig {
    /// Step size, above 0.
    pub learning_rate: f64,
    /// Regularisation, at least 0. This times the parameter is added to its gradient (L2); [`UpdateRule::AdamW`]
    /// shrinks the parameter instead.
    pub weight_decay: f64,
    /// From gradients to steps.
    pub rule: UpdateRule,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self { learning_rate: 1e-3, weight_decay: 0.0, rule: UpdateRule::default() }
    }
}

/// From gradients to steps, as written: `[training.optimizer]`, with `kind` naming the rule.
///
/// `w` is a parameter, `g` its gradient with L2 regularisation in it, `η` the learning rate, `t` the step from 1.
/// What is computed is what PyTorch's optimiser of that name computes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum UpdateRule {
    /// Adam, <https://arxiv.org/abs/1412.6980>, algorithm 1:
    /// `m ← β₁m + (1 − β₁)g`, `v ← β₂v + (1 − β₂)g²`, `w ← w − η · m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε)`.
    Adam(AdamConfig),
    /// Adam with decoupled weight decay `λ`, <https://arxiv.org/abs/1711.05101>, algorithm 2 without a schedule:
    /// `w ← (1 − ηλ)w`, then Adam's step with the gradient of the loss alone.
    AdamW(AdamConfig),
    /// Adagrad, <https://jmlr.org/papers/v12/duchi11a.html>, with diagonal matrices: `s ← s + g²`,
    /// `w ← w − η · g / (√s + ε)`; `s` starts at 0.
    Adagrad(AdagradConfig),
    /// Stochastic gradient descent: `w ← w − ηg`.
    Sgd {},
}

impl Default for UpdateRule {
    fn default() -> Self {
        Self::Adam(AdamConfig::default())
    }
}

/// The settings of [`UpdateRule::Adam`] and [`UpdateRule::AdamW`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamConfig {
    /// `β₁`, decay of the mean of the gradients, at least 0 and below 1.
    pub beta1: f64,
    /// `β₂`, decay of the mean of their squares, at least 0 and below 1.
    pub beta2: f64,
    /// `ε`, above 0: keeps the divisor from being 0.
    pub epsilon: f64,
}

impl Default for AdamConfig {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

/// The settings of [`UpdateRule::Adagrad`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdagradConfig {
    /// `ε`, above 0: keeps the divisor from being 0.
    pub epsilon: f64,
}

impl Default for AdagradConfig {
    fn default() -> Self {
        Self { epsilon: 1e-10 }
    }
}

impl OptimizerConfig {
    /// The first setting that is out of its bounds.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        let refuse = |key, value: f64, allowed, holds: bool| {
            (!(holds && value.is_finite())).then(|| (key, value.to_string(), allowed))
        };
        let above_0 = |key, value: f64| refuse(key, value, "above 0", value > 0.0);
        let share = |key, value: f64| refuse(key, value, "at least 0 and below 1", (0.0..1.0).contains(&value));
        let of_rule = || match self.rule {
            UpdateRule::Adam(AdamConfig { beta1, beta2, epsilon })
            | UpdateRule::AdamW(AdamConfig { beta1, beta2, epsilon }) => share("training.optimizer.beta1", beta1)
                .or(share("training.optimizer.beta2", beta2))
                .or(above_0("training.optimizer.epsilon", epsilon)),
            UpdateRule::Adagrad(AdagradConfig { epsilon }) => above_0("training.optimizer.epsilon", epsilon),
            UpdateRule::Sgd {} => None,
        };
        above_0("training.learning_rate", self.learning_rate)
            .or(refuse("training.weight_decay", self.weight_decay, "at least 0", self.weight_decay >= 0.0))
            .or_else(of_rule)
    }
}
