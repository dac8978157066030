//! Events on their way to the large products: many are gathered, so that the sums of the weights' gradients are read
//! and written once for all of them.

use crate::level::Level;
use crate::memory::{Buffer, LINE, copy};
use crate::panel::groups;
use crate::problem::Problem;
use crate::product::OF_ONE;
use crate::scalar::Scalar;

/// Bytes that the gathered events may take: they shall stay in the second cache.
const BUDGET: usize = 256 * 1024;

/// The gathered events' rows, on both sides of the product that is the gradient of the weights.
pub(crate) struct Record<T> {
    /// Rows `[input | state before]`, each part padded with zeros to whole tiles.
    pub(crate) left: Buffer<T>,
    pub(crate) left_stride: usize,
    /// The column at which the state before begins.
    pub(crate) left_hidden: usize,
    /// Rows of gradients `[candidate, input's half | reset | update, if any | candidate, state's half]`: the first
    /// `G·H` columns belong to the input's weights and the last `G·H`, from column `H` on, to the state's.
    pub(crate) right: Buffer<T>,
    pub(crate) right_stride: usize,
    /// The columns of one product in whole vectors.
    pub(crate) right_columns: usize,
    /// Where the gathered events lie among the task's rows.
    pub(crate) rows: Vec<usize>,
    /// How many events there is room for.
    pub(crate) capacity: usize,
}

impl<T: Scalar> Record<T> {
    /// Room for at least `least` events, at most [`Level::EVENTS`]; tiles have `tile` rows and vectors `lanes` numbers.
    pub(crate) fn new<L: Level>(problem: &Problem<'_, T>, least: usize, tile: usize, lanes: usize) -> Self {
        let hidden = problem.hidden;
        let left_hidden = problem.width.next_multiple_of(tile);
        let left_stride = left_hidden + hidden.next_multiple_of(tile);
        let right_columns = (problem.cell.gates() * hidden).next_multiple_of(lanes);
        // An odd number of lines: rows at a power of two would fall on the same few places of a cache.
        let line = LINE / size_of::<T>();
        let right_stride = ((hidden + right_columns).div_ceil(line) | 1) * line;
        let capacity = (BUDGET / ((left_stride + right_stride) * size_of::<T>())).min(L::EVENTS).max(least);
        Self {
            left: Buffer::zeros(capacity * left_stride),
            left_stride,
            left_hidden,
            // Products of whole tiles read beyond the last event.
            right: Buffer::zeros((capacity + tile.max(OF_ONE)) * right_stride),
            right_stride,
            right_columns,
            rows: Vec::with_capacity(capacity),
            capacity,
        }
    }

    /// How many tiles the sums of the weights' gradients have where each has `R` rows, at least one.
    pub(crate) fn tiles<const W: usize, const R: usize>(&self) -> usize {
        (self.left_stride / R * groups(self.right_columns / W).len()).max(1)
    }

    /// Adds an event, its input and the state before it; returns the row for its gradients.
    #[inline(always)]
    pub(crate) fn push<const W: usize, const WHOLE: bool>(
        &mut self,
        row: usize,
        input: &[T],
        before: &[T],
    ) -> &mut [T] {
        let right = self.rows.len() * self.right_stride;
        let start = self.rows.len() * self.left_stride;
        let left = &mut self.left[start..start + self.left_stride];
        copy::<T, W, WHOLE>(left, input);
        copy::<T, W, WHOLE>(&mut left[self.left_hidden..], before);
        self.rows.push(row);
        &mut self.right[right..right + self.right_stride]
    }
}
