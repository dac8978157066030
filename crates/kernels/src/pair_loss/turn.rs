//! Tiles turned on their side: from a row for each pair to a row for each unit, and back.

use super::products::VECTORS;
use crate::level::{Level, Operation};
use crate::panel::groups;
use crate::scalar::Scalar;

/// From rows of `width` numbers, a row for each pair, to a row for each number. Zeros stand for the pairs that are not
/// there.
pub(super) struct ToUnits<'a, T, const W: usize> {
    pub(super) rows: &'a [T],
    pub(super) width: usize,
    pub(super) units: &'a mut [T],
}

impl<T: Scalar, const W: usize> Operation for ToUnits<'_, T, W> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let count = self.rows.len() / self.width;
        for (index, unit) in self.units.chunks_exact_mut(VECTORS * W).enumerate() {
            for (number, row) in unit.iter_mut().zip(self.rows.chunks_exact(self.width)) {
                *number = row[index];
            }
            unit[count..].fill(T::ZERO);
        }
    }
}

/// From a row for each unit to rows of whole vectors, a row for each pair, in the groups of vectors that a product reads
/// at once: all rows of the first group, then all of the next.
pub(super) struct ToRows<'a, T, const W: usize> {
    pub(super) units: &'a [T],
    pub(super) rows: &'a mut [T],
}

impl<T: Scalar, const W: usize> Operation for ToRows<'_, T, W> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let pairs = VECTORS * W;
        let units = self.units.len() / pairs;
        for group in groups(units.div_ceil(W)) {
            let (first, wide) = (group.first * W, group.vectors * W);
            let rows = &mut self.rows[first * pairs..][..wide * pairs];
            for unit in first..(first + wide).min(units) {
                let numbers = &self.units[unit * pairs..][..pairs];
                for (row, &number) in rows.chunks_exact_mut(wide).zip(numbers) {
                    row[unit - first] = number;
                }
            }
        }
    }
}

/// Rows of `width` numbers in the layout of [`ToRows`].
pub(super) struct Group<'a, T, const W: usize> {
    pub(super) input: &'a [T],
    pub(super) width: usize,
    pub(super) rows: &'a mut [T],
}

impl<T: Scalar, const W: usize> Operation for Group<'_, T, W> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let count = self.input.len() / self.width;
        for group in groups(self.width.div_ceil(W)) {
            let (first, wide) = (group.first * W, group.vectors * W);
            let taken = wide.min(self.width - first);
            let rows = &mut self.rows[first * VECTORS * W..][..wide * VECTORS * W];
            for (row, input) in rows.chunks_exact_mut(wide).zip(self.input.chunks_exact(self.width)) {
                row[..taken].copy_from_slice(&input[first..][..taken]);
            }
            rows[count * wide..].fill(T::ZERO);
        }
    }
}
