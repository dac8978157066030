//! Buffers that start on a cache line, and vectors read from and written to rows.

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

/// The first `W` numbers. Where not all rows are `WHOLE`, zeros stand for those that are missing; where this is only
/// found out at each vector, vectors are kept in memory.
#[inline(always)]
pub(crate) fn read<T: Scalar, const W: usize, const WHOLE: bool>(numbers: &[T]) -> [T; W] {
    if WHOLE { numbers.as_chunks::<W>().0[0] } else { load_part(numbers) }
}

/// Writes as many numbers of the vector as there is room for; room for all of them where rows are `WHOLE`.
#[inline(always)]
pub(crate) fn write<T: Scalar, const W: usize, const WHOLE: bool>(numbers: &mut [T], vector: &[T; W]) {
    if WHOLE {
        numbers.as_chunks_mut::<W>().0[0] = *vector;
    } else {
        store_part(numbers, *vector);
    }
}

/// Copies a row of numbers vector by vector.
#[inline(always)]
pub(crate) fn copy<T: Scalar, const W: usize, const WHOLE: bool>(to: &mut [T], from: &[T]) {
    let length = from.len();
    let to = &mut to[..length];
    if WHOLE {
        for vector in 0..length.div_ceil(W) {
            let start = vector_start(vector, W, length);
            to[start..].as_chunks_mut::<W>().0[0] = from[start..].as_chunks::<W>().0[0];
        }
    } else {
        to.copy_from_slice(from);
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
fn store_part<T: Scalar, const W: usize>(numbers: &mut [T], vector: [T; W]) {
    for (number, lane) in numbers.iter_mut().zip(vector) {
        *number = lane;
    }
}
