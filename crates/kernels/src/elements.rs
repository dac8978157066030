//! One pass over all numbers of dense parameters: regularisation, means of the gradients, step.

use crate::error::KernelError;
use crate::instruction_set::{Detected, InstructionSet};
use crate::level::{Level, Operation};
use crate::pool::Pool;
use crate::scalar::{Real, Scalar};
use crate::tasks::run_all;

/// Numbers of one task: enough to be worth a thread.
const TASK: usize = 8192;

/// From the gradient `g` of a number to a step of the number `w`; `η` is the learning rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ElementRule {
    /// `w ← w − ηg`.
    Sgd,
    /// `s ← s + g²`, `w ← w − η · g / (√s + ε)`.
    Adagrad {
        /// `ε`.
        epsilon: f64,
    },
    /// `m ← m + (1 − β₁)(g − m)`, `v ← v + (1 − β₂)(g² − v)`,
    /// `w ← w − η/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε)`.
    Adam {
        /// `β₁`.
        beta1: f64,
        /// `β₂`.
        beta2: f64,
        /// `ε`.
        epsilon: f64,
        /// `t`: the steps taken, with this one.
        number: u64,
    },
}

/// What is the same for all numbers in a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ElementStep {
    /// From gradients to steps.
    pub rule: ElementRule,
    /// `η`.
    pub learning_rate: f64,
    /// `g ← g + l2 · w` before anything else.
    pub l2: f64,
    /// `w ← (1 − shrink) · w` before the step: decoupled weight decay.
    pub shrink: f64,
}

/// A parameter with its gradient and what is remembered of it, all of one length.
#[derive(Debug)]
pub struct Elements<'a, T> {
    /// Moved.
    pub values: &'a mut [T],
    /// Of the loss.
    pub gradients: &'a [T],
    /// Adam's mean of the gradients; empty for other rules.
    pub mean: &'a mut [T],
    /// Adam's mean of the squares, or Adagrad's sum of them; empty for stochastic gradient descent.
    pub second: &'a mut [T],
}

/// Moves all numbers of some parameters by their gradients, with the widest vectors of this processor.
///
/// Many small parameters cost one pass, not several for each of them. Every number is the same to the last bit for any
/// pool and any instruction set.
///
/// # Errors
/// [`KernelError::Length`] when the slices of a parameter differ in length or one that the rule needs is empty; nothing
/// has been written then. A [`Pool`] that leaves tasks undone is an error too.
pub fn update_elements<T: Real>(
    parameters: Vec<Elements<'_, T>>,
    step: &ElementStep,
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    update_elements_with(InstructionSet::best(), parameters, step, pool)
}

/// [`update_elements`] with a chosen instruction set.
///
/// # Errors
/// As [`update_elements`], and [`KernelError::Unavailable`] where the processor lacks the instructions.
pub fn update_elements_with<T: Real>(
    set: InstructionSet,
    parameters: Vec<Elements<'_, T>>,
    step: &ElementStep,
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    let set = Detected::new(set)?;
    for parameter in &parameters {
        parameter.check(step.rule)?;
    }
    let factors = Factors::new(step);
    let work = |parts: Vec<Elements<'_, T>>| {
        for part in parts {
            let update = Update { part, factors: &factors };
            match set {
                Detected::Portable(level) => level.run(update),
                #[cfg(target_arch = "x86_64")]
                Detected::Avx2(level) => level.run(update),
                #[cfg(target_arch = "x86_64")]
                Detected::Avx512(level) => level.run(update),
            }
        }
    };
    run_all(pool, tasks(parameters).into_iter(), work).map(drop)
}

/// Cuts parameters into tasks of equal numbers of elements, of which each but the last has [`TASK`].
fn tasks<T>(parameters: Vec<Elements<'_, T>>) -> Vec<Vec<Elements<'_, T>>> {
    let mut tasks = Vec::new();
    let (mut task, mut room) = (Vec::new(), TASK);
    for mut rest in parameters {
        while !rest.values.is_empty() {
            let part;
            (part, rest) = rest.split_at(room);
            room -= part.values.len();
            task.push(part);
            if room == 0 {
                tasks.push(std::mem::take(&mut task));
                room = TASK;
            }
        }
    }
    if !task.is_empty() {
        tasks.push(task);
    }
    tasks
}

impl<T> Elements<'_, T> {
    /// The first `length` numbers, or all where there are fewer, and the others.
    fn split_at(self, length: usize) -> (Self, Self) {
        fn cut<T>(numbers: &mut [T], length: usize) -> (&mut [T], &mut [T]) {
            numbers.split_at_mut(length.min(numbers.len()))
        }
        let (values, other_values) = cut(self.values, length);
        let (gradients, other_gradients) = self.gradients.split_at(values.len());
        let (mean, other_mean) = cut(self.mean, length);
        let (second, other_second) = cut(self.second, length);
        let others = Self { values: other_values, gradients: other_gradients, mean: other_mean, second: other_second };
        (Self { values, gradients, mean, second }, others)
    }

    fn check(&self, rule: ElementRule) -> Result<(), KernelError> {
        let (mean, second) = match rule {
            ElementRule::Sgd => (false, false),
            ElementRule::Adagrad { .. } => (false, true),
            ElementRule::Adam { .. } => (true, true),
        };
        let needed = self.values.len();
        for (buffer, length, wanted) in [
            ("gradients", self.gradients.len(), true),
            ("mean", self.mean.len(), mean),
            ("second", self.second.len(), second),
        ] {
            let needed = if wanted { needed } else { 0 };
            if length != needed {
                return Err(KernelError::Length { buffer, length, needed });
            }
        }
        Ok(())
    }
}

/// The numbers of a step in the type of the parameters.
struct Factors<T> {
    rule: ElementRule,
    /// `η`, divided by `1 − β₁ᵗ` for Adam.
    rate: T,
    l2: T,
    kept: T,
    epsilon: T,
    /// `1 − β₁` and `1 − β₂`.
    new: [T; 2],
    /// `1/√(1 − β₂ᵗ)`.
    correction: T,
}

impl<T: Scalar> Factors<T> {
    fn new(step: &ElementStep) -> Self {
        let (rate, epsilon, new, correction) = match step.rule {
            ElementRule::Sgd => (step.learning_rate, 0.0, [0.0; 2], 1.0),
            ElementRule::Adagrad { epsilon } => (step.learning_rate, epsilon, [0.0; 2], 1.0),
            ElementRule::Adam { beta1, beta2, epsilon, number } => {
                let [first, second] = [beta1, beta2].map(|beta| 1.0 - beta.powf(number as f64));
                (step.learning_rate / first, epsilon, [1.0 - beta1, 1.0 - beta2], second.sqrt().recip())
            }
        };
        Self {
            rule: step.rule,
            rate: T::from_f64(rate),
            l2: T::from_f64(step.l2),
            kept: T::from_f64(1.0 - step.shrink),
            epsilon: T::from_f64(epsilon),
            new: new.map(T::from_f64),
            correction: T::from_f64(correction),
        }
    }
}

/// The work on a part of a parameter.
struct Update<'a, T> {
    part: Elements<'a, T>,
    factors: &'a Factors<T>,
}

impl<T: Scalar> Operation for Update<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, _: L) {
        let Elements { values, gradients, mean, second } = self.part;
        let &Factors { rule, rate, l2, kept, epsilon, new, correction } = self.factors;
        let values = values.iter_mut().zip(gradients);
        match rule {
            ElementRule::Sgd => {
                for (value, &gradient) in values {
                    let gradient = gradient + l2 * *value;
                    *value = kept * *value - rate * gradient;
                }
            }
            ElementRule::Adagrad { .. } => {
                for ((value, &gradient), sum) in values.zip(second) {
                    let gradient = gradient + l2 * *value;
                    *sum += gradient * gradient;
                    *value = kept * *value - rate * gradient / (sum.sqrt() + epsilon);
                }
            }
            ElementRule::Adam { .. } => {
                for (((value, &gradient), mean), square) in values.zip(mean).zip(second) {
                    let gradient = gradient + l2 * *value;
                    *mean += new[0] * (gradient - *mean);
                    *square += new[1] * (gradient * gradient - *square);
                    *value = kept * *value - rate * *mean / (square.sqrt() * correction + epsilon);
                }
            }
        }
    }
}
