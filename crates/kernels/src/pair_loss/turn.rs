//! Tiles turned on their side: from a row for each pair to a row for each unit, and back.

use super::products::{VECTORS, vectors};
use super::rows::{Picked, Slots};
use crate::level::{Level, Operation};
use crate::scalar::Scalar;

/// Vectors of columns that a product handles at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// The first one.
    pub(super) first: usize,
    /// How many there are.
    pub(super) vectors: usize,
}

/// Cuts vectors into groups of three, and of two where a one would be left.
pub(super) fn groups(vectors: usize) -> impl Iterator<Item = Group> {
    let mut first = 0;
    std::iter::from_fn(move || {
        let left = vectors - first;
        let group = Group { first, vectors: if left == 4 { 2 } else { left.min(3) } };
        first += group.vectors;
        (left > 0).then_some(group)
    })
}

/// From the rows of a tile's pairs to a row for each of their numbers. Zeros stand for the pairs that are not there.
pub(super) fn to_units<T: Scalar, L: Level, const W: usize>(level: L, tile: &Picked<'_, T>, units: &mut [T]) {
    let zeros = [T::ZERO; W];
    let whole = tile.width - tile.width % W;
    for column in (0..whole).step_by(W) {
        for v in 0..VECTORS {
            let source: [&[T; W]; W] = std::array::from_fn(|w| match tile.row(v * W + w) {
                Some(row) => &row[column..].as_chunks::<W>().0[0],
                None => &zeros,
            });
            T::turn(level, &source, &mut units[(column * VECTORS + v) * W..], VECTORS * W);
        }
    }
    for column in whole..tile.width {
        for (pair, unit) in units[column * VECTORS * W..][..VECTORS * W].iter_mut().enumerate() {
            *unit = tile.row(pair).map_or(T::ZERO, |row| row[column]);
        }
    }
}

/// From a row for each unit to rows of whole vectors, a row for each pair, in the groups of vectors that a product reads
/// at once: all rows of the first group, then all of the next. Zeros fill the last vector.
pub(super) fn to_rows<T: Scalar, L: Level, const W: usize>(level: L, units: &[T], rows: &mut [T]) {
    let (units, zeros) = (vectors::<T, W>(units), [T::ZERO; W]);
    for group in groups(units.len().div_ceil(W)) {
        let (first, wide) = (group.first * W, group.vectors * W);
        let rows = &mut rows[first * VECTORS * W..][..wide * VECTORS * W];
        for column in (0..wide).step_by(W) {
            for v in 0..VECTORS {
                let source = std::array::from_fn(|w| units.get(first + column + w).map_or(&zeros, |unit| &unit[v]));
                T::turn(level, &source, &mut rows[v * W * wide + column..], wide);
            }
        }
    }
}

/// From a row for each unit to the rows of a tile's pairs, by way of `rows`, which has room for whole vectors.
pub(super) fn to_slots<T: Scalar, L: Level, const W: usize>(
    level: L,
    units: &[T],
    rows: &mut [T],
    slots: &mut Slots<'_, T>,
) {
    let (units, zeros) = (vectors::<T, W>(units), [T::ZERO; W]);
    let stride = slots.width.next_multiple_of(W);
    for column in (0..stride).step_by(W) {
        for v in 0..VECTORS {
            let source = std::array::from_fn(|w| units.get(column + w).map_or(&zeros, |unit| &unit[v]));
            T::turn(level, &source, &mut rows[v * W * stride + column..], stride);
        }
    }
    level.run(Scatter::<T, W> { rows, stride, slots });
}

/// Copies rows of whole vectors to the rows of a tile's pairs.
struct Scatter<'a, 'b, T, const W: usize> {
    rows: &'a [T],
    stride: usize,
    slots: &'a mut Slots<'b, T>,
}

impl<T: Scalar, const W: usize> Operation for Scatter<'_, '_, T, W> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, _: L) {
        for pair in 0..self.slots.count() {
            let row = &self.rows[pair * self.stride..][..self.stride];
            let slot = self.slots.row(pair);
            let (whole, rest) = slot.as_chunks_mut::<W>();
            let (from, last) = row.as_chunks::<W>().0.split_at(whole.len());
            for (to, from) in whole.iter_mut().zip(from) {
                *to = *from;
            }
            if let Some(last) = last.first() {
                rest.copy_from_slice(&last[..rest.len()]);
            }
        }
    }
}

/// The rows of a tile's pairs in the layout of [`to_rows`].
pub(super) struct InGroups<'a, 'b, T, const W: usize> {
    pub(super) tile: &'a Picked<'b, T>,
    pub(super) rows: &'a mut [T],
}

impl<T: Scalar, const W: usize> Operation for InGroups<'_, '_, T, W> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, _: L) {
        let (count, width) = (self.tile.count(), self.tile.width);
        for group in groups(width.div_ceil(W)) {
            let (first, wide) = (group.first * W, group.vectors * W);
            let rows = &mut self.rows[first * VECTORS * W..][..wide * VECTORS * W];
            if count < VECTORS * W || first + wide > width {
                rows.fill(T::ZERO);
            }
            for pair in 0..count {
                let Some(row) = self.tile.row(pair) else { return };
                let (from, to) = (&row[first..(first + wide).min(width)], &mut rows[pair * wide..][..wide]);
                let ((from, rest), to) = (from.as_chunks::<W>(), to.as_chunks_mut::<W>().0);
                for (to, from) in to.iter_mut().zip(from) {
                    *to = *from;
                }
                if let Some(to) = to.get_mut(from.len()) {
                    to[..rest.len()].copy_from_slice(rest);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_cover_all_vectors_and_none_stands_alone() {
        for vectors in 0..20 {
            let groups: Vec<Group> = groups(vectors).collect();
            let covered: Vec<usize> =
                groups.iter().flat_map(|group| group.first..group.first + group.vectors).collect();
            assert_eq!(covered, (0..vectors).collect::<Vec<_>>());
            assert!(vectors == 1 || groups.iter().all(|group| (2..=3).contains(&group.vectors)), "{vectors}");
        }
    }
}
