//! The two passes over the rows of a task.
//!
//! A row is copied to whole vectors. In the places behind it the distance from the mean is set to 0, and so is all that
//! the sums add there.

use crate::activation::{multiply_add, sigmoid_within_one};
use crate::columns::{ByLanes, total};
use crate::level::{Level, Operation};
use crate::scalar::Scalar;

/// What all rows have in common.
#[derive(Clone, Copy)]
pub(super) struct Row<T> {
    pub(super) width: usize,
    pub(super) alpha: T,
    /// `ε` times the width.
    pub(super) epsilon: T,
}

/// The output of some rows.
pub(super) struct ForwardOf<'a, T> {
    pub(super) row: Row<T>,
    pub(super) input: &'a [T],
    pub(super) output: &'a mut [T],
}

impl<T: Scalar> ByLanes for ForwardOf<'_, T> {
    type Output = ();

    fn run<L: Level, const W: usize>(self, level: L) {
        let room = Room::<T, W>::new(self.row.width);
        level.run(Forward { work: self, room });
    }
}

/// The gradient of some rows, and of `α` by them.
pub(super) struct BackwardOf<'a, T> {
    pub(super) row: Row<T>,
    pub(super) input: &'a [T],
    pub(super) gradient: &'a [T],
    pub(super) output: &'a mut [T],
}

impl<T: Scalar> ByLanes for BackwardOf<'_, T> {
    type Output = T;

    fn run<L: Level, const W: usize>(self, level: L) -> T {
        let room = Room::<T, W>::new(self.row.width);
        level.run(Backward { work: self, room })
    }
}

/// Whole vectors for one row.
struct Room<T, const W: usize> {
    input: Vec<[T; W]>,
    /// The distance from the mean.
    distance: Vec<[T; W]>,
    gradient: Vec<[T; W]>,
    result: Vec<[T; W]>,
    /// 1 where the row has a number, 0 behind it.
    held: Vec<[T; W]>,
}

impl<T: Scalar, const W: usize> Room<T, W> {
    fn new(width: usize) -> Self {
        let zeros = || vec![[T::ZERO; W]; width.div_ceil(W)];
        let mut held = zeros();
        held.as_flattened_mut()[..width].fill(T::ONE);
        Self { input: zeros(), distance: zeros(), gradient: zeros(), result: zeros(), held }
    }

    /// Takes a row; gives `1 / √(Σ (x − m)² + ε)`.
    #[inline(always)]
    fn take<L: Level>(&mut self, row: Row<T>, input: &[T]) -> T {
        self.input.as_flattened_mut()[..row.width].copy_from_slice(input);
        let mut sums = [T::ZERO; W];
        for x in &self.input {
            for w in 0..W {
                sums[w] += x[w];
            }
        }
        let mean = total(&sums) / T::from_f64(row.width as f64);
        let mut squares = [T::ZERO; W];
        for ((x, held), distance) in self.input.iter().zip(&self.held).zip(&mut self.distance) {
            for w in 0..W {
                distance[w] = (x[w] - mean) * held[w];
                squares[w] = multiply_add::<T, L>(distance[w], distance[w], squares[w]);
            }
        }
        T::ONE / (total(&squares) + row.epsilon).sqrt()
    }
}

struct Forward<'a, T, const W: usize> {
    work: ForwardOf<'a, T>,
    room: Room<T, W>,
}

impl<T: Scalar, const W: usize> Operation for Forward<'_, T, W> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, _: L) {
        let Self { work: ForwardOf { row, input, output }, mut room } = self;
        for (input, output) in input.chunks_exact(row.width).zip(output.chunks_exact_mut(row.width)) {
            let inverse = room.take::<L>(row, input);
            for ((x, distance), y) in room.input.iter().zip(&room.distance).zip(&mut room.result) {
                for w in 0..W {
                    let share = sigmoid_within_one::<T, L>(distance[w] * inverse);
                    y[w] = multiply_add::<T, L>(share, T::ONE - row.alpha, row.alpha) * x[w];
                }
            }
            output.copy_from_slice(&room.result.as_flattened()[..row.width]);
        }
    }
}

struct Backward<'a, T, const W: usize> {
    work: BackwardOf<'a, T>,
    room: Room<T, W>,
}

impl<T: Scalar, const W: usize> Operation for Backward<'_, T, W> {
    type Output = T;

    #[inline(always)]
    fn run<L: Level>(self, _: L) -> T {
        let Self { work: BackwardOf { row, input, gradient, output }, mut room } = self;
        let straight = T::ONE - row.alpha;
        let part = T::ONE / T::from_f64(row.width as f64);
        let mut by_alpha = [T::ZERO; W];
        let rows = input.chunks_exact(row.width).zip(gradient.chunks_exact(row.width));
        for ((input, gradient), output) in rows.zip(output.chunks_exact_mut(row.width)) {
            let inverse = room.take::<L>(row, input);
            room.gradient.as_flattened_mut()[..row.width].copy_from_slice(gradient);
            // What flows straight back goes to the result, and the gradient δ of the normalised number replaces that of
            // the output.
            let (mut deltas, mut by_distance) = ([T::ZERO; W], [T::ZERO; W]);
            let numbers = room.input.iter().zip(&room.distance).zip(&mut room.gradient).zip(&mut room.result);
            for (((x, distance), g), result) in numbers {
                for w in 0..W {
                    let share = sigmoid_within_one::<T, L>(distance[w] * inverse);
                    let by = g[w] * x[w] * (T::ONE - share);
                    let delta = by * share * straight;
                    by_alpha[w] += by;
                    deltas[w] += delta;
                    by_distance[w] = multiply_add::<T, L>(delta, distance[w], by_distance[w]);
                    result[w] = multiply_add::<T, L>(share, straight, row.alpha) * g[w];
                    g[w] = delta;
                }
            }
            // The distances of a row add up to 0, so that the mean of what they pull away is 0 too.
            let pull = total(&by_distance) * inverse * inverse;
            let mean = total(&deltas) * part;
            for ((delta, distance), result) in room.gradient.iter().zip(&room.distance).zip(&mut room.result) {
                for w in 0..W {
                    let moved = delta[w] - mean - distance[w] * pull;
                    result[w] = multiply_add::<T, L>(moved, inverse, result[w]);
                }
            }
            output.copy_from_slice(&room.result.as_flattened()[..row.width]);
        }
        total(&by_alpha)
    }
}
