//! From the gradient of a row to its step, and what is remembered of the rows.

use crate::error::KernelError;

/// From the gradient `g` of a row to a step of the row `w`; `η` is the learning rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RowRule {
    /// `w ← w − ηg`.
    Sgd,
    /// `s ← s + g²`, `w ← w − η · g / (√s + ε)`.
    Adagrad {
        /// `ε`.
        epsilon: f64,
    },
    /// `m ← m + (1 − β₁)(g − m)`, `v ← v + (1 − β₂)(g² − v)`,
    /// `w ← w − η√(1 − β₂ᵗ)/(1 − β₁ᵗ) · m / (√v + ε)`.
    Adam {
        /// `β₁`.
        beta1: f64,
        /// `β₂`.
        beta2: f64,
        /// `ε`.
        epsilon: f64,
        /// What `t` is.
        correction: Correction,
    },
}

/// How often the means of Adam were moved, which start at 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Correction {
    /// The step of the optimiser, from 1, the same for all rows.
    Step(u64),
    /// The row's own updates: [`RowState::count`], with this one.
    Row,
}

/// What is the same for all rows in a step.
#[derive(Clone, Copy, Debug)]
pub struct RowStep<'a, T> {
    /// From gradients to steps.
    pub rule: RowRule,
    /// `η`.
    pub learning_rate: f64,
    /// `g ← g + l2 · w` before anything else.
    pub l2: f64,
    /// `w ← (1 − shrink) · w` before the step: decoupled weight decay.
    pub shrink: f64,
    /// `[V]`: `g ← g + l2ⱼ · w` for row `j`, besides `l2`. With `λ/nⱼ`, `nⱼ` the occurrences of id `j` in the training
    /// rows, it is the mini-batch aware regularisation of Deep Interest Network, eq. (6),
    /// <https://arxiv.org/abs/1706.06978>.
    pub l2_of_rows: Option<&'a [T]>,
}

/// Adagrad's sums and Adam's means of squares.
#[derive(Debug)]
pub enum SecondMoment<'a, T> {
    /// `[V, D]`: of each element.
    Element(&'a mut [T]),
    /// `[V]`: of the mean of the row's squares. The root of it divides the whole row.
    Row(&'a mut [T]),
}

/// What is remembered of the rows of a table.
#[derive(Debug)]
pub struct RowState<'a, T> {
    /// `[V, D]`, Adam's mean of the gradients; Adam needs it.
    pub mean: Option<&'a mut [T]>,
    /// Adam and Adagrad need it.
    pub second: Option<SecondMoment<'a, T>>,
    /// `[V]`, updates of the row; [`Correction::Row`] needs it. From 2²⁴ on a count of `f32` stands still, where the
    /// correction is long 1.
    pub count: Option<&'a mut [T]>,
}

impl<T> Default for RowState<'_, T> {
    fn default() -> Self {
        Self { mean: None, second: None, count: None }
    }
}

impl<T> RowState<'_, T> {
    /// What the rule needs, and of the right lengths.
    pub(super) fn check(&self, rule: RowRule, rows: usize, width: usize) -> Result<(), KernelError> {
        let (mean, second, count) = match rule {
            RowRule::Sgd => (false, false, false),
            RowRule::Adagrad { .. } => (false, true, false),
            RowRule::Adam { correction, .. } => (true, true, correction == Correction::Row),
        };
        let (second_length, second_needed) = match &self.second {
            Some(SecondMoment::Element(numbers)) => (numbers.len(), rows * width),
            Some(SecondMoment::Row(numbers)) => (numbers.len(), rows),
            None => (0, rows * width),
        };
        let length = |numbers: &Option<&mut [T]>| numbers.as_deref().map_or(0, <[T]>::len);
        for (buffer, wanted, length, needed) in [
            ("mean", mean, length(&self.mean), rows * width),
            ("second", second, second_length, second_needed),
            ("count", count, length(&self.count), rows),
        ] {
            if wanted && length != needed {
                return Err(KernelError::Length { buffer, length, needed });
            }
        }
        Ok(())
    }
}
