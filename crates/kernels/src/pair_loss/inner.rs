//! The loss of pairs whose logit is the inner product of state and event.

use super::entry::{entry_loss, entry_slope};
use super::rows::{PairTask, Picked, Slots, paired_rows, scale, tasks};
use super::{PairGradients, Pairs, check_pairs};
use crate::activation::multiply_add;
use crate::columns::{ByLanes, run_by_lanes};
use crate::error::{KernelError, check_length};
use crate::instruction_set::{Detected, InstructionSet};
use crate::level::{Level, Operation};
use crate::pool::Pool;
use crate::scalar::{Real, Scalar};
use crate::tasks::run_all;

/// [`pair_loss`](crate::pair_loss) where the logit is the inner product of a state and an event, both `width` numbers
/// wide: there are no layers.
///
/// # Errors
/// As [`pair_loss`](crate::pair_loss).
pub fn inner_pair_loss<T: Real>(
    width: usize,
    pairs: &Pairs<'_, T>,
    gradients: Option<&mut PairGradients<'_, T>>,
    pool: &dyn Pool,
) -> Result<T, KernelError> {
    inner_pair_loss_with(InstructionSet::best(), width, pairs, gradients, pool)
}

/// [`inner_pair_loss`] with a chosen instruction set.
///
/// # Errors
/// As [`inner_pair_loss`], and [`KernelError::Unavailable`] where the processor lacks the instructions.
pub fn inner_pair_loss_with<T: Real>(
    set: InstructionSet,
    width: usize,
    pairs: &Pairs<'_, T>,
    gradients: Option<&mut PairGradients<'_, T>>,
    pool: &dyn Pool,
) -> Result<T, KernelError> {
    let set = Detected::new(set)?;
    check_pairs(width, width, pairs, gradients.as_deref())?;
    if let Some(gradients) = gradients.as_deref() {
        check_length("gradients of layers", gradients.layers.len(), 0)?;
    }
    let rows = paired_rows(pairs);
    let scale = scale(pairs, &rows);
    let work = tasks(pairs, [width, width], &rows, gradients);
    let parts = run_all(pool, work, |task| run_by_lanes::<T, _>(set, width, InnerTask { task, scale }))?;
    let mut sum = T::ZERO;
    for part in parts {
        sum += part;
    }
    Ok(sum * scale)
}

/// Gives the sum of the losses.
struct InnerTask<'a, T> {
    task: PairTask<'a, T>,
    scale: T,
}

impl<T: Scalar> ByLanes for InnerTask<'_, T> {
    type Output = T;

    fn run<L: Level, const W: usize>(self, level: L) -> T {
        let PairTask { rows, mut states, events: [mut clicks, mut others] } = self.task;
        let mut losses = [T::ZERO; W];
        for rows in rows.chunks(W) {
            let rows_of = [states.pick(rows), clicks.pick(rows), others.pick(rows)];
            let gradients = match (states.take(rows), clicks.take(rows), others.take(rows)) {
                (Some(states), Some(clicks), Some(others)) => Some([states, clicks, others]),
                _ => None,
            };
            level.run(InnerTile { rows: rows_of, gradients, scale: self.scale, losses: &mut losses });
        }
        for mut side in [states, clicks, others] {
            side.finish();
        }
        total(losses)
    }
}

/// As many pairs as a vector has numbers, or fewer.
struct InnerTile<'a, 'b, T, const W: usize> {
    /// States, and the events that happened and those that did not.
    rows: [Picked<'a, T>; 3],
    gradients: Option<[Slots<'b, T>; 3]>,
    scale: T,
    losses: &'a mut [T; W],
}

impl<T: Scalar, const W: usize> Operation for InnerTile<'_, '_, T, W> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, _: L) {
        let [states, clicks, others] = self.rows;
        let count = states.count().min(W);
        let mut logits = [[T::ZERO; W]; 2];
        for pair in 0..count {
            let [Some(state), Some(click), Some(other)] = [states, clicks, others].map(|rows| rows.row(pair)) else {
                return;
            };
            logits[0][pair] = inner_product::<T, L, W>(state, click);
            logits[1][pair] = inner_product::<T, L, W>(state, other);
        }
        let mut losses = [T::ZERO; W];
        let mut slopes = logits;
        for w in 0..W {
            losses[w] = entry_loss::<T, L>(logits[0][w], true) + entry_loss::<T, L>(logits[1][w], false);
            slopes[0][w] = entry_slope::<T, L>(logits[0][w], true) * self.scale;
            slopes[1][w] = entry_slope::<T, L>(logits[1][w], false) * self.scale;
        }
        for pair in 0..count {
            self.losses[pair] += losses[pair];
        }
        let Some([mut by_states, mut by_clicks, mut by_others]) = self.gradients else { return };
        for pair in 0..count {
            let [Some(state), Some(click), Some(other)] = [states, clicks, others].map(|rows| rows.row(pair)) else {
                return;
            };
            let [up, down] = [slopes[0][pair], slopes[1][pair]];
            let (by_state, by_click, by_other) = (by_states.row(pair), by_clicks.row(pair), by_others.row(pair));
            let whole = state.len() - state.len() % W;
            for column in (0..whole).step_by(W) {
                let [state, click, other] = [state, click, other].map(|row| row[column..].as_chunks::<W>().0[0]);
                let mut gradients = [state; 3];
                for w in 0..W {
                    gradients[0][w] = multiply_add::<T, L>(down, other[w], up * click[w]);
                    gradients[1][w] = up * state[w];
                    gradients[2][w] = down * state[w];
                }
                by_state[column..].as_chunks_mut::<W>().0[0] = gradients[0];
                by_click[column..].as_chunks_mut::<W>().0[0] = gradients[1];
                by_other[column..].as_chunks_mut::<W>().0[0] = gradients[2];
            }
            for column in whole..state.len() {
                by_state[column] = multiply_add::<T, L>(down, other[column], up * click[column]);
                by_click[column] = up * state[column];
                by_other[column] = down * state[column];
            }
        }
    }
}

/// Of rows of one width.
#[inline(always)]
fn inner_product<T: Scalar, L: Level, const W: usize>(left: &[T], right: &[T]) -> T {
    let ((left, left_rest), (right, right_rest)) = (left.as_chunks::<W>(), right.as_chunks::<W>());
    let mut sums = [T::ZERO; W];
    for (left, right) in left.iter().zip(right) {
        for w in 0..W {
            sums[w] = multiply_add::<T, L>(left[w], right[w], sums[w]);
        }
    }
    let mut sum = total(sums);
    for (&left, &right) in left_rest.iter().zip(right_rest) {
        sum = multiply_add::<T, L>(left, right, sum);
    }
    sum
}

/// The sum of a vector, by halves; `W` is a power of two.
#[inline(always)]
fn total<T: Scalar, const W: usize>(vector: [T; W]) -> T {
    let mut sums = vector;
    let mut half = W / 2;
    while half > 0 {
        for w in 0..half {
            sums[w] += sums[w + half];
        }
        half /= 2;
    }
    sums[0]
}
