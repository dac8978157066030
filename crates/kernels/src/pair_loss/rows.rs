//! The rows of the pairs: where they stand among the events of a batch, and where their gradients go.

use super::{PairGradients, Pairs};
use crate::scalar::Scalar;
use crate::tasks::Pieces;

/// What the pairs of a task are a multiple of: a whole number of tiles of every instruction set. How many there are depends
/// on the pairs alone, so that a sum over tasks in their order is the same for any number of threads.
const PART_OF_TASK: usize = 48;
/// Pairs of a task at least: each task has sums of its own for the gradients of the weights.
const LEAST: usize = 8 * PART_OF_TASK;
/// Tasks at most.
const TASKS: usize = 32;

/// The row of each pair's state, rising.
pub(super) fn paired_rows<T>(pairs: &Pairs<'_, T>) -> Vec<u32> {
    let distance = u32::try_from(pairs.distance).unwrap_or(u32::MAX);
    pairs.offsets.windows(2).flat_map(|ends| ends[0]..ends[1].saturating_sub(distance).max(ends[0])).collect()
}

/// What the loss of each entry, and its gradient, is multiplied by.
pub(super) fn scale<T: Scalar>(pairs: &Pairs<'_, T>, rows: &[u32]) -> T {
    T::from_f64(if rows.is_empty() { 0.0 } else { pairs.factor * 0.5 / rows.len() as f64 })
}

/// The pairs of a task.
pub(crate) struct PairTask<'a, T> {
    /// The row of each pair's state, rising.
    pub(super) rows: &'a [u32],
    pub(super) states: Side<'a, T>,
    /// Those that happened and those that did not.
    pub(super) events: [Side<'a, T>; 2],
}

/// Cuts all pairs into tasks; `rows` as [`paired_rows`] gives them, `widths` of a state and an event. Where there are no
/// pairs, the gradients are set to zero, as there is no task to do it.
pub(super) fn tasks<'a, T: Scalar>(
    pairs: &'a Pairs<'a, T>,
    widths: [usize; 2],
    rows: &'a [u32],
    gradients: Option<&'a mut PairGradients<'_, T>>,
) -> impl Iterator<Item = PairTask<'a, T>> {
    let mut pieces = [None, None, None];
    if let Some(gradients) = gradients {
        pieces = [&mut *gradients.states, &mut *gradients.clicks, &mut *gradients.others].map(Some);
    }
    if rows.is_empty() {
        pieces.iter_mut().flatten().for_each(|gradient| gradient.fill(T::ZERO));
    }
    let mut pieces = pieces.map(Pieces);
    let distance = pairs.distance;
    let sides =
        [(pairs.states, widths[0], 0), (pairs.clicks, widths[1], distance), (pairs.others, widths[1], distance)];
    let events = pairs.states.len() / widths[0];
    let length = rows.len().div_ceil(TASKS).next_multiple_of(PART_OF_TASK).max(LEAST);
    // A task owns the gradients from its first row to that of the next one.
    let start = move |index: usize, distance: usize| match rows.get(index * length) {
        Some(&row) if index > 0 => row as usize + distance,
        Some(_) => 0,
        None => events,
    };
    rows.chunks(length).enumerate().map(move |(index, rows)| {
        let mut pieces = pieces.iter_mut();
        let [states, clicks, others] = sides.map(|(numbers, width, distance)| {
            let (next, end) = (start(index, distance), start(index + 1, distance));
            let gradient = pieces.next().and_then(|piece| piece.take((end - next) * width));
            Side { numbers, width, distance, gradient, next }
        });
        PairTask { rows, states, events: [clicks, others] }
    })
}

/// States or events, of which a task reads some rows and owns the gradients of a range.
pub(crate) struct Side<'a, T> {
    /// All of them, `width` numbers a row.
    pub(super) numbers: &'a [T],
    pub(super) width: usize,
    /// How far these rows stand after those of the states.
    pub(super) distance: usize,
    /// Of the rows from `next` on, if they are asked for: what has been written is no longer part of it.
    pub(super) gradient: Option<&'a mut [T]>,
    pub(super) next: usize,
}

impl<'a, T: Scalar> Side<'a, T> {
    /// The rows of a tile; `rows` are those of the states.
    pub(super) fn pick<'b>(&self, rows: &'b [u32]) -> Picked<'b, T>
    where
        'a: 'b,
    {
        Picked { numbers: self.numbers, width: self.width, distance: self.distance, rows }
    }

    /// Takes the gradients up to a tile's last row off the task's range. Rows between those of the tile belong to no
    /// pair, and are set to zero.
    pub(super) fn take<'b>(&mut self, rows: &'b [u32]) -> Option<Slots<'b, T>>
    where
        'a: 'b,
    {
        let last = *rows.last()? as usize + self.distance;
        let (gradient, rest) = self.gradient.take()?.split_at_mut_checked((last + 1 - self.next) * self.width)?;
        self.gradient = Some(rest);
        let slots = Slots { gradient, width: self.width, start: self.next, distance: self.distance, rows };
        let mut next = self.next;
        for pair in 0..rows.len() {
            let row = rows[pair] as usize + self.distance;
            if row > next {
                slots.gradient[(next - slots.start) * self.width..(row - slots.start) * self.width].fill(T::ZERO);
            }
            next = row + 1;
        }
        self.next = next;
        Some(slots)
    }

    /// Sets to zero what belongs to no pair after the last tile.
    pub(super) fn finish(&mut self) {
        if let Some(rest) = self.gradient.take() {
            rest.fill(T::ZERO);
        }
    }
}

/// A tile's rows of states or events.
#[derive(Clone, Copy)]
pub(super) struct Picked<'a, T> {
    numbers: &'a [T],
    pub(super) width: usize,
    distance: usize,
    rows: &'a [u32],
}

impl<'a, T> Picked<'a, T> {
    #[inline(always)]
    pub(super) fn count(&self) -> usize {
        self.rows.len()
    }

    /// Of a pair; `None` where there is none.
    #[inline(always)]
    pub(super) fn row(&self, pair: usize) -> Option<&'a [T]> {
        let row = *self.rows.get(pair)? as usize + self.distance;
        Some(&self.numbers[row * self.width..][..self.width])
    }
}

/// Where the gradients of a tile's rows go.
pub(super) struct Slots<'a, T> {
    gradient: &'a mut [T],
    pub(super) width: usize,
    /// The row that the gradients start with.
    start: usize,
    distance: usize,
    rows: &'a [u32],
}

impl<T> Slots<'_, T> {
    #[inline(always)]
    pub(super) fn count(&self) -> usize {
        self.rows.len()
    }

    /// Of a pair that is there.
    #[inline(always)]
    pub(super) fn row(&mut self, pair: usize) -> &mut [T] {
        let row = self.rows[pair] as usize + self.distance - self.start;
        &mut self.gradient[row * self.width..][..self.width]
    }
}
