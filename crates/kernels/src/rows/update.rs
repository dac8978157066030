//! One pass over the rows that a batch looked up: sum of their gradients, regularisation, step.

use std::ops::Range;

use super::lookups::{Lookups, place, row};
use super::rule::{Correction, RowRule, RowState, RowStep, SecondMoment};
use super::width::{ByWidth, run_by_width};
use crate::error::KernelError;
use crate::instruction_set::{Detected, InstructionSet};
use crate::level::{Level, Operation, one_by_one, prefetch};
use crate::pool::Pool;
use crate::scalar::{Real, Scalar};
use crate::tasks::{Pieces, run_all};

/// How many lookups ahead the caches are asked for rows. A row of a large table is in no cache.
pub(super) const AHEAD: usize = 16;

/// Moves the rows of a table that a batch looked up, with the widest vectors of this processor. The other rows, and
/// what is remembered of them, are neither read nor written.
///
/// The gradients of one row are summed first, in the order of the batch. Every number is the same to the last bit for
/// any pool and any instruction set.
///
/// # Shapes
/// - `table` `[V, D]`, written; `V` is the number of rows that the lookups were sorted for, `D` is `width`
/// - `gradients` `[N, D]`: one row for each id, in the order in which they were given to [`Lookups::sort`]
/// - [`RowState`] and [`RowStep`] name the shapes of their fields
///
/// # Errors
/// [`KernelError`] names the buffer, its length and the length needed; nothing has been written then. A [`Pool`] that
/// leaves tasks undone is an error too.
pub fn update_rows<T: Real>(
    width: usize,
    table: &mut [T],
    state: RowState<'_, T>,
    lookups: &Lookups,
    gradients: &[T],
    step: &RowStep<'_, T>,
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    update_rows_with(InstructionSet::best(), width, table, state, lookups, gradients, step, pool)
}

/// [`update_rows`] with a chosen instruction set.
///
/// # Errors
/// As [`update_rows`], and [`KernelError::Unavailable`] where the processor lacks the instructions.
#[allow(clippy::too_many_arguments, reason = "sizes, inputs, outputs and threads of one call of a kernel")]
pub fn update_rows_with<T: Real>(
    set: InstructionSet,
    width: usize,
    table: &mut [T],
    state: RowState<'_, T>,
    lookups: &Lookups,
    gradients: &[T],
    step: &RowStep<'_, T>,
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    let set = Detected::new(set)?;
    let rows = lookups.table_rows();
    check(width, rows, table, &state, lookups, gradients, step)?;
    let mut table = Pieces(Some(table));
    let mut mean = Pieces(state.mean);
    let (mut elements, mut row_squares) = match state.second {
        Some(SecondMoment::Element(numbers)) => (Pieces(Some(numbers)), Pieces(None)),
        Some(SecondMoment::Row(numbers)) => (Pieces(None), Pieces(Some(numbers))),
        None => (Pieces(None), Pieces(None)),
    };
    let mut count = Pieces(state.count);
    let mut taken = 0;
    let parts = lookups.tasks().into_iter().map(|task: Range<usize>| {
        let keys = lookups.keys(task);
        let first = keys.first().map_or(taken, |&key| row(key));
        let end = keys.last().map_or(taken, |&key| row(key) + 1);
        for (pieces, width) in
            [(&mut table, width), (&mut mean, width), (&mut elements, width), (&mut row_squares, 1), (&mut count, 1)]
        {
            let _between_tasks = pieces.take((first - taken) * width);
        }
        let rows = end - first;
        taken = end;
        Part {
            width,
            keys,
            first,
            table: table.take(rows * width).unwrap_or_default(),
            mean: mean.take(rows * width).unwrap_or_default(),
            elements: elements.take(rows * width).unwrap_or_default(),
            row_squares: row_squares.take(rows),
            count: count.take(rows).unwrap_or_default(),
            gradients,
            step,
        }
    });
    let work = |part: Part<'_, T>| match set {
        Detected::Portable(level) => level.run(part),
        #[cfg(target_arch = "x86_64")]
        Detected::Avx2(level) => level.run(part),
        #[cfg(target_arch = "x86_64")]
        Detected::Avx512(level) => level.run(part),
    };
    run_all(pool, parts, work).map(drop)
}

fn check<T>(
    width: usize,
    rows: usize,
    table: &[T],
    state: &RowState<'_, T>,
    lookups: &Lookups,
    gradients: &[T],
    step: &RowStep<'_, T>,
) -> Result<(), KernelError> {
    if width == 0 {
        return Err(KernelError::Zero { name: "width" });
    }
    for (buffer, length, needed) in [
        ("table", table.len(), rows * width),
        ("gradients", gradients.len(), lookups.len() * width),
        ("l2_of_rows", step.l2_of_rows.map_or(rows, <[T]>::len), rows),
    ] {
        if length != needed {
            return Err(KernelError::Length { buffer, length, needed });
        }
    }
    state.check(step.rule, rows, width)
}

/// Some lookups, and the rows from the first to the last of them.
struct Part<'a, T> {
    width: usize,
    keys: &'a [u64],
    /// The row of the table that the pieces start with.
    first: usize,
    table: &'a mut [T],
    mean: &'a mut [T],
    elements: &'a mut [T],
    row_squares: Option<&'a mut [T]>,
    count: &'a mut [T],
    gradients: &'a [T],
    step: &'a RowStep<'a, T>,
}

impl<T: Scalar> Operation for Part<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, _: L) {
        run_by_width(self.width, self);
    }
}

impl<T: Scalar> ByWidth for Part<'_, T> {
    #[inline(always)]
    fn fixed<const D: usize>(self) {
        let factors = Factors::new(self.step);
        match self.plain_adam(&factors) {
            Some(rate) => self.move_by_adam::<D>(&factors, rate),
            None => Self { width: D, ..self }.move_rows(&mut [T::ZERO; D]),
        }
    }

    #[inline(always)]
    fn any(self) {
        let mut sum = vec![T::ZERO; self.width];
        self.move_rows(&mut sum);
    }
}

/// The numbers of a step in the type of the table.
struct Factors<T> {
    learning_rate: T,
    l2: T,
    kept: T,
    epsilon: T,
    /// `1 − β₁` and `1 − β₂`.
    new: [T; 2],
    /// Adam's learning rate with the correction of the step; nothing where rows have their own.
    corrected: Option<T>,
}

impl<T: Scalar> Factors<T> {
    #[inline(always)]
    fn new(step: &RowStep<'_, T>) -> Self {
        let (epsilon, betas, corrected) = match step.rule {
            RowRule::Sgd => (0.0, [0.0; 2], None),
            RowRule::Adagrad { epsilon } => (epsilon, [0.0; 2], None),
            RowRule::Adam { beta1, beta2, epsilon, correction } => {
                let corrected = match correction {
                    Correction::Step(number) => {
                        Some(corrected(step.learning_rate, [beta1, beta2], |beta| beta.powf(number as f64)))
                    }
                    Correction::Row => None,
                };
                (epsilon, [beta1, beta2], corrected)
            }
        };
        Self {
            learning_rate: T::from_f64(step.learning_rate),
            l2: T::from_f64(step.l2),
            kept: T::from_f64(1.0 - step.shrink),
            epsilon: T::from_f64(epsilon),
            new: betas.map(|beta| T::from_f64(1.0 - beta)),
            corrected: corrected.map(T::from_f64),
        }
    }
}

/// `η√(1 − β₂ᵗ)/(1 − β₁ᵗ)`.
#[inline(always)]
fn corrected(learning_rate: f64, betas: [f64; 2], power: impl Fn(f64) -> f64) -> f64 {
    let [first, second] = betas.map(|beta| 1.0 - power(beta));
    learning_rate * second.sqrt() / first
}

impl<T: Scalar> Part<'_, T> {
    /// The learning rate of an Adam of which each element has its own moments, and nothing decays: the usual one.
    #[inline(always)]
    fn plain_adam(&self, factors: &Factors<T>) -> Option<T> {
        let decays = factors.l2 != T::ZERO || factors.kept != T::ONE || self.step.l2_of_rows.is_some();
        match self.step.rule {
            RowRule::Adam { .. } if !decays && self.row_squares.is_none() => factors.corrected,
            _ => None,
        }
    }

    /// As [`Self::move_rows`] does it, in so few instructions that the processor has several rows in hand at once: it
    /// waits for the memory of all of them together.
    #[inline(always)]
    fn move_by_adam<const D: usize>(self, factors: &Factors<T>, rate: T) {
        let Self { keys, first, .. } = self;
        let (table, means) = (self.table.as_chunks_mut::<D>().0, self.mean.as_chunks_mut::<D>().0);
        let (seconds, gradients) = (self.elements.as_chunks_mut::<D>().0, self.gradients.as_chunks::<D>().0);
        let mut sum = [T::ZERO; D];
        let mut start = true;
        for (index, &key) in keys.iter().enumerate() {
            one_by_one();
            if let Some(&ahead) = keys.get(index + AHEAD) {
                prefetch(&gradients[place(ahead)]);
                let at = row(ahead) - first;
                prefetch(&table[at]);
                prefetch(&means[at]);
                prefetch(&seconds[at]);
            }
            let gradient = &gradients[place(key)];
            if start {
                sum = *gradient;
            } else {
                for (sum, &number) in sum.iter_mut().zip(gradient) {
                    *sum += number;
                }
            }
            start = keys.get(index + 1).is_none_or(|&next| row(next) != row(key));
            if start {
                let at = row(key) - first;
                move_row(&mut table[at], &mut means[at], &mut seconds[at], &sum, factors, rate);
            }
        }
    }

    /// Moves all rows; the sum has their width.
    #[inline(always)]
    fn move_rows(mut self, sum: &mut [T]) {
        let width = self.width;
        let factors = Factors::new(self.step);
        let mut start = true;
        for index in 0..self.keys.len() {
            if let Some(&ahead) = self.keys.get(index + AHEAD) {
                self.prefetch(ahead, row(self.keys[index + AHEAD - 1]));
            }
            let key = self.keys[index];
            let gradient = &self.gradients[place(key) * width..][..width];
            if start {
                sum.copy_from_slice(gradient);
            } else {
                for (sum, &number) in sum.iter_mut().zip(gradient) {
                    *sum += number;
                }
            }
            start = self.keys.get(index + 1).is_none_or(|&next| row(next) != row(key));
            if start {
                self.update(row(key), sum, &factors);
            }
        }
    }

    /// Asks for what a lookup needs, once for each row.
    #[inline(always)]
    fn prefetch(&self, key: u64, row_before: usize) {
        let width = self.width;
        prefetch(&self.gradients[place(key) * width..][..width]);
        if row(key) == row_before {
            return;
        }
        let at = row(key) - self.first;
        for numbers in [&*self.table, &*self.mean, &*self.elements] {
            if let Some(numbers) = numbers.get(at * width..(at + 1) * width) {
                prefetch(numbers);
            }
        }
        let square = self.row_squares.as_ref().and_then(|squares| squares.get(at));
        let l2 = self.step.l2_of_rows.and_then(|l2_of_rows| l2_of_rows.get(row(key)));
        for number in [square, self.count.get(at), l2] {
            prefetch(number.map_or(&[], std::slice::from_ref));
        }
    }

    /// Moves a row by its gradient, in whose memory it computes.
    #[inline(always)]
    fn update(&mut self, row: usize, gradient: &mut [T], factors: &Factors<T>) {
        let at = row - self.first;
        let part = at * self.width..(at + 1) * self.width;
        let table = &mut self.table[part.clone()];
        let mut l2 = factors.l2;
        if let Some(l2_of_rows) = self.step.l2_of_rows {
            l2 += l2_of_rows[row];
        }
        if l2 != T::ZERO {
            for (gradient, &value) in gradient.iter_mut().zip(&*table) {
                *gradient += l2 * value;
            }
        }
        if factors.kept != T::ONE {
            for value in table.iter_mut() {
                *value = *value * factors.kept;
            }
        }
        let second = match &mut self.row_squares {
            Some(squares) => Second::Row(&mut squares[at]),
            None => Second::Element(self.elements.get_mut(part.clone()).unwrap_or_default()),
        };
        match self.step.rule {
            RowRule::Sgd => {
                for (value, &gradient) in table.iter_mut().zip(&*gradient) {
                    *value = *value - factors.learning_rate * gradient;
                }
            }
            RowRule::Adagrad { .. } => {
                let divisors = second.blend(gradient, factors, |sum, square, _| sum + square);
                divide(table, gradient, divisors, factors.learning_rate, factors.epsilon);
            }
            RowRule::Adam { beta1, beta2, .. } => {
                let rate = factors.corrected.unwrap_or_else(|| {
                    let count = &mut self.count[at];
                    *count += T::ONE;
                    let number = count.to_f64();
                    T::from_f64(corrected(self.step.learning_rate, [beta1, beta2], |beta| beta.powf(number)))
                });
                let mean = &mut self.mean[part];
                for (mean, &gradient) in mean.iter_mut().zip(&*gradient) {
                    *mean = towards(*mean, gradient, factors.new[0]);
                }
                let divisors = second.blend(gradient, factors, towards);
                divide(table, mean, divisors, rate, factors.epsilon);
            }
        }
    }
}

/// The second moment of a row.
enum Second<'a, T> {
    Element(&'a mut [T]),
    Row(&'a mut T),
}

impl<'a, T: Scalar> Second<'a, T> {
    /// Takes the squares of a gradient in; gives what is under the root of the divisor.
    #[inline(always)]
    fn blend(self, gradient: &[T], factors: &Factors<T>, blend: impl Fn(T, T, T) -> T) -> Second<'a, T> {
        let new = factors.new[1];
        match self {
            Self::Element(seconds) => {
                for (second, &gradient) in seconds.iter_mut().zip(gradient) {
                    *second = blend(*second, gradient * gradient, new);
                }
                Self::Element(seconds)
            }
            Self::Row(second) => {
                let mut sum = T::ZERO;
                for &gradient in gradient {
                    sum += gradient * gradient;
                }
                *second = blend(*second, sum / T::from_f64(gradient.len() as f64), new);
                Self::Row(second)
            }
        }
    }
}

/// A running mean that takes in its next number.
#[inline(always)]
fn towards<T: Scalar>(mean: T, number: T, new: T) -> T {
    mean + new * (number - mean)
}

/// A number after the step of a rule that divides.
#[inline(always)]
fn stepped<T: Scalar>(value: T, rate: T, direction: T, divisor: T) -> T {
    value - rate * direction / divisor
}

/// Adam's step. A row is read before the first number is written, so that it is moved as vectors.
#[inline(always)]
fn move_row<T: Scalar, const D: usize>(
    values: &mut [T; D],
    means: &mut [T; D],
    seconds: &mut [T; D],
    gradient: &[T; D],
    factors: &Factors<T>,
    rate: T,
) {
    let [new_mean, new_second] = factors.new;
    let (mut value, mut mean, mut second) = (*values, *means, *seconds);
    for d in 0..D {
        mean[d] = towards(mean[d], gradient[d], new_mean);
        second[d] = towards(second[d], gradient[d] * gradient[d], new_second);
        value[d] = stepped(value[d], rate, mean[d], second[d].sqrt() + factors.epsilon);
    }
    (*values, *means, *seconds) = (value, mean, second);
}

/// `w ← w − rate · direction / (√second + ε)`.
#[inline(always)]
fn divide<T: Scalar>(table: &mut [T], direction: &[T], second: Second<'_, T>, rate: T, epsilon: T) {
    match second {
        Second::Element(seconds) => {
            for ((value, &direction), &mut second) in table.iter_mut().zip(direction).zip(seconds) {
                *value = stepped(*value, rate, direction, second.sqrt() + epsilon);
            }
        }
        Second::Row(second) => {
            let divisor = second.sqrt() + epsilon;
            for (value, &direction) in table.iter_mut().zip(direction) {
                *value = stepped(*value, rate, direction, divisor);
            }
        }
    }
}
