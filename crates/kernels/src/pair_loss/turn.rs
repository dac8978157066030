//! Tiles turned on their side: from a row for each pair to a row for each unit, and back.
//!
//! The loops count: chunks of a length that is not known when they are compiled are not inlined.

use super::products::{VECTORS, vectors};
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
        if count < VECTORS * W {
            self.units.fill(T::ZERO);
        }
        for pair in 0..count {
            let row = &self.rows[pair * self.width..][..self.width];
            for index in 0..row.len() {
                self.units[index * VECTORS * W + pair] = row[index];
            }
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
        let units = vectors::<T, W>(self.units);
        for group in groups(units.len().div_ceil(W)) {
            let (first, wide) = (group.first * W, group.vectors * W);
            let rows = &mut self.rows[first * VECTORS * W..][..wide * VECTORS * W];
            for unit in first..(first + wide).min(units.len()) {
                for v in 0..VECTORS {
                    for w in 0..W {
                        rows[(v * W + w) * wide + unit - first] = units[unit][v][w];
                    }
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
            let rows = &mut self.rows[first * VECTORS * W..][..wide * VECTORS * W];
            rows[count * wide..].fill(T::ZERO);
            if wide == self.width {
                rows[..self.input.len()].copy_from_slice(self.input);
                return;
            }
            for pair in 0..count {
                for column in first..(first + wide).min(self.width) {
                    rows[pair * wide + column - first] = self.input[pair * self.width + column];
                }
            }
        }
    }
}
