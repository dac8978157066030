//! The rows of the pairs: where they stand among the events of a batch, and where their gradients go.

use crate::scalar::Scalar;

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
