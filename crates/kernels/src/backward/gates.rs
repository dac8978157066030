//! The gradient of one vector of units through one event.

use crate::activation::multiply_add;
use crate::level::Level;
use crate::mixture::Mixture;
use crate::scalar::Scalar;

/// What the forward pass saved of a vector of units, and the state before the event.
pub(crate) struct Saved<T, const W: usize> {
    pub(crate) reset: [T; W],
    /// Zeros in a cell without update gate.
    pub(crate) update: [T; W],
    pub(crate) candidate: [T; W],
    /// The state's half of the candidate's sum.
    pub(crate) candidate_sum: [T; W],
    pub(crate) old: [T; W],
}

/// Gradients of the gates before their sigmoid or tanh, and what else flows on.
pub(crate) struct GateGradients<T, const W: usize> {
    pub(crate) reset: [T; W],
    pub(crate) update: [T; W],
    /// Of the input's half of the candidate.
    pub(crate) candidate: [T; W],
    /// Of the state's half of the candidate.
    pub(crate) candidate_sum: [T; W],
    /// Of the old state, the part that does not go through the gates.
    pub(crate) kept: [T; W],
    /// Each unit's part of the gradient of the score.
    pub(crate) score: [T; W],
}

/// The gradient of the new state is `given` by the caller plus `carried` back from the next event.
#[inline(always)]
pub(crate) fn differentiate<T: Scalar, L: Level, const W: usize, const G: usize>(
    saved: &Saved<T, W>,
    given: &[T; W],
    carried: &[T; W],
    mixture: Mixture<T>,
) -> GateGradients<T, W> {
    let zeros = [T::ZERO; W];
    let mut gradients = GateGradients {
        reset: zeros,
        update: zeros,
        candidate: zeros,
        candidate_sum: zeros,
        kept: zeros,
        score: zeros,
    };
    for w in 0..W {
        let (reset, update, candidate) = (saved.reset[w], saved.update[w], saved.candidate[w]);
        let state = given[w] + carried[w];
        let part = mixture.slope * update;
        let tanh_slope = multiply_add::<T, L>(T::ZERO - candidate, candidate, T::ONE);
        let inner = state * (mixture.rest - part) * tanh_slope;
        // Both the update gate and the score move the new state along this difference.
        let difference = state * (saved.old[w] - candidate);
        gradients.candidate[w] = inner;
        gradients.candidate_sum[w] = inner * reset;
        gradients.reset[w] = inner * saved.candidate_sum[w] * reset * (T::ONE - reset);
        gradients.kept[w] = state * (mixture.base + part);
        if G == 3 {
            gradients.update[w] = mixture.slope * difference * update * (T::ONE - update);
            gradients.score[w] = T::ZERO - difference * update;
        } else {
            gradients.score[w] = T::ZERO - difference;
        }
    }
    gradients
}

/// The sum of numbers in a fixed order. They are a multiple of four.
#[inline(always)]
pub(crate) fn sum<T: Scalar>(numbers: &[T]) -> T {
    let mut sums = [T::ZERO; 4];
    for four in numbers.as_chunks::<4>().0 {
        for w in 0..4 {
            sums[w] += four[w];
        }
    }
    (sums[0] + sums[2]) + (sums[1] + sums[3])
}
