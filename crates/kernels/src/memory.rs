//! Buffers that start on a cache line, and vectors read from and written to rows.

#![allow(unsafe_code, reason = "a vector of a row that has been checked is read without a check of its own")]

use std::cell::Cell;
use std::ops::{Deref, DerefMut};

use crate::scalar::Scalar;

/// Bytes of a cache line, which is also the widest vector.
pub(crate) const LINE: usize = 64;

/// Zeros that start on a cache line, so that no vector of a panel lies across two of them.
pub(crate) struct Buffer<T> {
    numbers: Vec<T>,
    start: usize,
    length: usize,
}

impl<T: Scalar> Buffer<T> {
    pub(crate) fn zeros(length: usize) -> Self {
        let spare = LINE / size_of::<T>();
        let numbers = vec![T::ZERO; length + spare];
        let start = numbers.as_ptr().align_offset(LINE).min(spare);
        Self { numbers, start, length }
    }
}

impl<T> Deref for Buffer<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        &self.numbers[self.start..self.start + self.length]
    }
}

impl<T> DerefMut for Buffer<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.numbers[self.start..self.start + self.length]
    }
}

/// Where vector `index` of a row of `length` numbers starts. The last vector is moved back to end with the row, over
/// numbers of the one before; only a row shorter than one vector is not filled.
#[inline(always)]
pub(crate) fn vector_start(index: usize, lanes: usize, length: usize) -> usize {
    (index * lanes).min(length.saturating_sub(lanes))
}

/// A row of some parts of the same width, each cut into vectors as by [`vector_start`]. That the row is long enough is
/// checked once. Where not all parts are `WHOLE`, they may be shorter than a vector, and zeros stand for the numbers that are
/// missing.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a, T, const W: usize, const WHOLE: bool> {
    row: &'a [T],
    count: usize,
    width: usize,
}

impl<'a, T: Scalar, const W: usize, const WHOLE: bool> Parts<'a, T, W, WHOLE> {
    /// Of no row.
    pub(crate) const NONE: Self = Self { row: &[], count: 0, width: 0 };

    /// `parts` of `width` numbers from the start of the row on.
    #[inline(always)]
    pub(crate) fn new(row: &'a [T], parts: usize, width: usize) -> Self {
        check::<W, WHOLE>(row.len(), parts, width);
        Self { row, count: parts, width }
    }

    /// Vector `index` of a part.
    #[inline(always)]
    pub(crate) fn vector(self, part: usize, index: usize) -> [T; W] {
        assert!(part < self.count, "the row has no such part");
        let start = vector_start(index, W, self.width);
        if !WHOLE {
            return load_part(&self.row[part * self.width..][start..self.width]);
        }
        // SAFETY: parts are at least as wide as a vector and lie within the row, see `check`; so a vector that starts at
        // `width - W` at most lies within its part.
        unsafe { self.row.as_ptr().add(part * self.width + start).cast::<[T; W]>().read() }
    }
}

/// As [`Parts`], to be written.
#[derive(Clone, Copy)]
pub(crate) struct Places<'a, T, const W: usize, const WHOLE: bool> {
    row: &'a [Cell<T>],
    count: usize,
    width: usize,
}

impl<'a, T: Scalar, const W: usize, const WHOLE: bool> Places<'a, T, W, WHOLE> {
    /// Of no row.
    pub(crate) const NONE: Self = Self { row: &[], count: 0, width: 0 };

    /// `parts` of `width` numbers from the start of the row on.
    #[inline(always)]
    pub(crate) fn new(row: &'a [Cell<T>], parts: usize, width: usize) -> Self {
        check::<W, WHOLE>(row.len(), parts, width);
        Self { row, count: parts, width }
    }

    /// Writes vector `index` of a part, as many of its numbers as there is room for.
    #[inline(always)]
    pub(crate) fn set(self, part: usize, index: usize, vector: &[T; W]) {
        assert!(part < self.count, "the row has no such part");
        let start = vector_start(index, W, self.width);
        if !WHOLE {
            store_part(&self.row[part * self.width..][start..self.width], *vector);
            return;
        }
        // SAFETY: the vector lies within the row, as in `Parts::vector`; its numbers are cells, and may be written.
        unsafe { self.row.as_ptr().add(part * self.width + start).cast::<[T; W]>().cast_mut().write(*vector) }
    }
}

/// A row that may be written in several places at once.
#[inline(always)]
pub(crate) fn cells<T>(row: &mut [T]) -> &[Cell<T>] {
    Cell::from_mut(row).as_slice_of_cells()
}

#[inline(always)]
fn check<const W: usize, const WHOLE: bool>(length: usize, parts: usize, width: usize) {
    assert!(width <= length / parts && (!WHOLE || width >= W), "a row is too short for its parts");
}

/// Writes as many numbers of the vector as there is room for; room for all of them where rows are `WHOLE`. Where this is only
/// found out at each vector, vectors are kept in memory.
#[inline(always)]
pub(crate) fn write<T: Scalar, const W: usize, const WHOLE: bool>(numbers: &mut [T], vector: &[T; W]) {
    if WHOLE {
        numbers.as_chunks_mut::<W>().0[0] = *vector;
    } else {
        store_part(cells(numbers), *vector);
    }
}

/// Copies a row of numbers vector by vector.
#[inline(always)]
pub(crate) fn copy<T: Scalar, const W: usize, const WHOLE: bool>(to: &mut [T], from: &[T]) {
    let length = from.len();
    let (to, from) = (Places::<T, W, WHOLE>::new(cells(to), 1, length), Parts::<T, W, WHOLE>::new(from, 1, length));
    for vector in 0..length.div_ceil(W) {
        to.set(0, vector, &from.vector(0, vector));
    }
}

#[cold]
#[inline(never)]
fn load_part<T: Scalar, const W: usize>(numbers: &[T]) -> [T; W] {
    let mut vector = [T::ZERO; W];
    for (lane, &number) in vector.iter_mut().zip(numbers) {
        *lane = number;
    }
    vector
}

#[cold]
#[inline(never)]
fn store_part<T: Scalar, const W: usize>(numbers: &[Cell<T>], vector: [T; W]) {
    for (number, lane) in numbers.iter().zip(vector) {
        number.set(lane);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_parts_are_those_of_the_row() {
        for width in 1..20usize {
            let row: Vec<f64> = (0..3 * width + 2).map(|index| index as f64).collect();
            let mut copy = vec![0.0; row.len()];
            for part in 0..3 {
                for index in 0..width.div_ceil(4) {
                    let start = vector_start(index, 4, width);
                    let expected: Vec<f64> = row[part * width..][..width][start..].iter().copied().take(4).collect();
                    let vector = if width < 4 {
                        let vector = Parts::<f64, 4, false>::new(&row, 3, width).vector(part, index);
                        Places::<f64, 4, false>::new(cells(&mut copy), 3, width).set(part, index, &vector);
                        vector
                    } else {
                        let vector = Parts::<f64, 4, true>::new(&row, 3, width).vector(part, index);
                        Places::<f64, 4, true>::new(cells(&mut copy), 3, width).set(part, index, &vector);
                        vector
                    };
                    assert_eq!(vector[..expected.len()], expected);
                    assert_eq!(vector[expected.len()..], [0.0; 4][expected.len()..]);
                }
            }
            assert_eq!(copy[..3 * width], row[..3 * width]);
            assert_eq!(copy[3 * width..], [0.0; 2]);
        }
    }

    #[test]
    fn a_row_that_is_too_short_is_refused() {
        let row = [0.0f32; 23];
        let parts = |parts, width| std::panic::catch_unwind(|| Parts::<f32, 8, true>::new(&row, parts, width)).is_ok();
        assert!(parts(2, 11) && parts(1, 23));
        assert!(!parts(3, 8) && !parts(2, 12) && !parts(2, 7) && !parts(2, usize::MAX));
        let two = Parts::<f32, 8, true>::new(&row, 2, 11);
        assert!(std::panic::catch_unwind(|| two.vector(2, 0)).is_err());
        assert!(std::panic::catch_unwind(|| Parts::<f32, 8, true>::NONE.vector(0, 0)).is_err());
        // The last vector is moved back, and there is none beyond it.
        assert!(two.vector(1, usize::MAX / 8).iter().all(|number| number.to_bits() == 0));
    }
}
