//! The activations that go column by column.

use super::stage::{Affine, AffineOf};
use crate::activation::{multiply_add, sigmoid};
use crate::columns::vector;
use crate::level::Level;
use crate::scalar::Scalar;

/// Sums over rows of one vector of columns, for what an activation learns.
#[derive(Clone, Copy)]
pub(super) struct Learned<T, const W: usize> {
    /// Of the slope or of Dice's `α`.
    pub(super) alpha: [T; W],
    /// `Σ δ` of Dice's normalised numbers.
    pub(super) delta: [T; W],
    /// `Σ δ · (y − mean)` of them.
    pub(super) spread: [T; W],
}

impl<T: Scalar, const W: usize> Learned<T, W> {
    #[inline(always)]
    pub(super) fn zeros() -> Self {
        Self { alpha: [T::ZERO; W], delta: [T::ZERO; W], spread: [T::ZERO; W] }
    }
}

/// An activation of single numbers.
pub(super) trait Kind<T, const W: usize> {
    /// What it reads of a vector of columns.
    type Of: Copy;

    fn at(&self, column: usize) -> Self::Of;

    /// The activation of `y`.
    fn value<L: Level>(of: &Self::Of, y: &[T; W]) -> [T; W];

    /// The activation of `y`, and the gradient of `y` by that of the activation, without what the rows' statistics add.
    fn derivative<L: Level>(
        of: &Self::Of,
        y: &[T; W],
        gradient: &[T; W],
        learned: &mut Learned<T, W>,
    ) -> ([T; W], [T; W]);
}

pub(super) struct Identity;

impl<T: Scalar, const W: usize> Kind<T, W> for Identity {
    type Of = ();

    #[inline(always)]
    fn at(&self, _column: usize) {}

    #[inline(always)]
    fn value<L: Level>(_of: &(), y: &[T; W]) -> [T; W] {
        *y
    }

    #[inline(always)]
    fn derivative<L: Level>(_of: &(), y: &[T; W], gradient: &[T; W], _learned: &mut Learned<T, W>) -> ([T; W], [T; W]) {
        (*y, *gradient)
    }
}

pub(super) struct Slope<'a, T>(pub(super) &'a [T]);

impl<T: Scalar, const W: usize> Kind<T, W> for Slope<'_, T> {
    type Of = [T; W];

    #[inline(always)]
    fn at(&self, column: usize) -> [T; W] {
        *vector(&self.0[column..])
    }

    #[inline(always)]
    fn value<L: Level>(of: &[T; W], y: &[T; W]) -> [T; W] {
        let mut value = *y;
        for w in 0..W {
            let below = of[w] * y[w];
            value[w] = if y[w] > T::ZERO { y[w] } else { below };
        }
        value
    }

    #[inline(always)]
    fn derivative<L: Level>(
        of: &[T; W],
        y: &[T; W],
        gradient: &[T; W],
        learned: &mut Learned<T, W>,
    ) -> ([T; W], [T; W]) {
        let mut result = *gradient;
        for w in 0..W {
            let (below, by) = (of[w] * gradient[w], y[w] * gradient[w]);
            result[w] = if y[w] > T::ZERO { gradient[w] } else { below };
            learned.alpha[w] += if y[w] > T::ZERO { T::ZERO } else { by };
        }
        (Self::value::<L>(of, y), result)
    }
}

pub(super) struct Sigmoid;

impl<T: Scalar, const W: usize> Kind<T, W> for Sigmoid {
    type Of = ();

    #[inline(always)]
    fn at(&self, _column: usize) {}

    #[inline(always)]
    fn value<L: Level>(_of: &(), y: &[T; W]) -> [T; W] {
        let mut value = *y;
        for w in 0..W {
            value[w] = sigmoid::<T, L>(y[w]);
        }
        value
    }

    #[inline(always)]
    fn derivative<L: Level>(of: &(), y: &[T; W], gradient: &[T; W], _learned: &mut Learned<T, W>) -> ([T; W], [T; W]) {
        let value = Self::value::<L>(of, y);
        let mut result = *gradient;
        for w in 0..W {
            result[w] = gradient[w] * value[w] * (T::ONE - value[w]);
        }
        (value, result)
    }
}

/// Dice by the columns' statistics.
pub(super) struct Dice<'a, T> {
    pub(super) norm: &'a Affine<T>,
    pub(super) alpha: &'a [T],
}

impl<T: Scalar, const W: usize> Kind<T, W> for Dice<'_, T> {
    type Of = (AffineOf<T, W>, [T; W]);

    #[inline(always)]
    fn at(&self, column: usize) -> Self::Of {
        (self.norm.at(column), *vector(&self.alpha[column..]))
    }

    #[inline(always)]
    fn value<L: Level>((norm, alpha): &Self::Of, y: &[T; W]) -> [T; W] {
        let mut value = *y;
        for w in 0..W {
            let z = multiply_add::<T, L>(y[w] - norm.mean[w], norm.factor[w], norm.shift[w]);
            let share = sigmoid::<T, L>(z);
            value[w] = multiply_add::<T, L>(share, T::ONE - alpha[w], alpha[w]) * y[w];
        }
        value
    }

    #[inline(always)]
    fn derivative<L: Level>(
        (norm, alpha): &Self::Of,
        y: &[T; W],
        gradient: &[T; W],
        learned: &mut Learned<T, W>,
    ) -> ([T; W], [T; W]) {
        let (mut value, mut result) = (*y, *gradient);
        for w in 0..W {
            let distance = y[w] - norm.mean[w];
            let share = sigmoid::<T, L>(multiply_add::<T, L>(distance, norm.factor[w], norm.shift[w]));
            let straight = T::ONE - alpha[w];
            let by = gradient[w] * y[w] * (T::ONE - share);
            let delta = by * share * straight;
            learned.alpha[w] += by;
            learned.delta[w] += delta;
            learned.spread[w] = multiply_add::<T, L>(delta, distance, learned.spread[w]);
            let slope = multiply_add::<T, L>(share, straight, alpha[w]);
            value[w] = slope * y[w];
            result[w] = multiply_add::<T, L>(delta, norm.factor[w], slope * gradient[w]);
        }
        (value, result)
    }
}
