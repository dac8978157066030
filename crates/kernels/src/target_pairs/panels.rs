//! A weight laid out in the order in which the products read it, and the same order for a sum of two weights.

use std::ops::Range;

use super::tiled::Tiled;
use crate::activation::multiply_add;
use crate::columns::vector;
use crate::level::{Level, Operation};
use crate::memory::{Buffer, vector_start};
use crate::panel::{Group, groups};
use crate::scalar::Scalar;

/// A matrix `[depth, columns]`: for each group of vectors of columns, every row's vectors.
pub(crate) struct Panels<T> {
    depth: usize,
    columns: usize,
    lanes: usize,
    groups: Vec<Group>,
    weight: Buffer<T>,
}

impl<T: Scalar> Panels<T> {
    /// `at` gives the number of a row and a column. A row fills a vector of `lanes` columns.
    pub(crate) fn new(depth: usize, columns: usize, lanes: usize, at: impl Fn(usize, usize) -> T) -> Self {
        let mut panels = Self::zeros(depth, columns, lanes);
        let mut position = 0;
        for group in &panels.groups {
            for k in 0..depth {
                for vector in group.first..group.first + group.vectors {
                    let start = vector_start(vector, lanes, columns);
                    for lane in 0..lanes {
                        panels.weight[position] = at(k, start + lane);
                        position += 1;
                    }
                }
            }
        }
        panels
    }

    /// Those of the rows of a matrix of this width, with zeros behind it as far as the columns, which are whole vectors.
    pub(crate) fn of_rows(rows: &[T], width: usize, columns: usize, lanes: usize) -> Self {
        let mut panels = Self::zeros(rows.len() / width, columns, lanes);
        // Each row once: the next ones come to the caches by themselves.
        for (k, row) in rows.chunks_exact(width).enumerate() {
            for group in &panels.groups {
                let (length, from) = (group.vectors * lanes, &row[(group.first * lanes).min(width)..]);
                let space = &mut panels.weight[group.first * panels.depth * lanes + k * length..][..length];
                let held = length.min(from.len());
                space[..held].copy_from_slice(&from[..held]);
            }
        }
        panels
    }

    fn zeros(depth: usize, columns: usize, lanes: usize) -> Self {
        let vectors = columns.div_ceil(lanes);
        Self { depth, columns, lanes, groups: groups(vectors), weight: Buffer::zeros(vectors * depth * lanes) }
    }

    #[inline(always)]
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    #[inline(always)]
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    #[inline(always)]
    pub(crate) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// All numbers, in their order.
    #[inline(always)]
    pub(crate) fn weight(&self) -> &[T] {
        &self.weight
    }

    /// Where a group's numbers lie.
    #[inline(always)]
    pub(crate) fn range(&self, group: &Group) -> Range<usize> {
        let start = group.first * self.depth * self.lanes;
        start..start + group.vectors * self.depth * self.lanes
    }

    /// Where a vector starts among the columns.
    #[inline(always)]
    pub(crate) fn start(&self, vector: usize) -> usize {
        vector_start(vector, self.lanes, self.columns)
    }
}

/// Which way the candidate runs through a weight that it scales.
#[derive(Clone, Copy)]
pub(super) enum Along {
    /// A number for each row.
    Rows,
    /// A number for each column.
    Columns,
}

/// `output = weight + product · diag(candidate)`, in the order of the panels.
pub(super) struct Blend<'a, T> {
    pub(super) weight: &'a Panels<T>,
    pub(super) product: &'a Panels<T>,
    pub(super) candidate: &'a [T],
    pub(super) along: Along,
    pub(super) output: &'a mut [T],
}

impl<T: Scalar> Tiled for Blend<'_, T> {
    fn run<L: Level, const W: usize, const R: usize, const M: usize>(self, level: L) {
        level.run(BlendOf::<T, W>(self));
    }
}

/// Panels of `W` lanes.
pub(super) struct BlendOf<'a, T, const W: usize>(pub(super) Blend<'a, T>);

impl<T: Scalar, const W: usize> Operation for BlendOf<'_, T, W> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, _: L) {
        let Blend { weight: panels, product, candidate, along, output } = self.0;
        for group in panels.groups() {
            let range = panels.range(group);
            let weight = panels.weight[range.clone()].as_chunks::<W>().0.chunks_exact(group.vectors);
            let product = product.weight[range.clone()].as_chunks::<W>().0.chunks_exact(group.vectors);
            let rows = output[range].as_chunks_mut::<W>().0.chunks_exact_mut(group.vectors);
            let rows = weight.zip(product).zip(rows);
            match along {
                Along::Rows => {
                    for (((weight, product), output), &scale) in rows.zip(candidate) {
                        let numbers = weight.as_flattened().iter().zip(product.as_flattened());
                        for ((&weight, &product), output) in numbers.zip(output.as_flattened_mut()) {
                            *output = multiply_add::<T, L>(product, scale, weight);
                        }
                    }
                }
                Along::Columns => {
                    let mut scales = [[T::ZERO; W]; 3];
                    for (index, scales) in scales.iter_mut().enumerate().take(group.vectors) {
                        *scales = *vector(&candidate[panels.start(group.first + index)..]);
                    }
                    for ((weight, product), output) in rows {
                        for (((weight, product), output), scale) in weight.iter().zip(product).zip(output).zip(&scales)
                        {
                            add_scaled::<T, L, W>(output, weight, product, scale);
                        }
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn add_scaled<T: Scalar, L: Level, const W: usize>(
    output: &mut [T; W],
    weight: &[T; W],
    product: &[T; W],
    scale: &[T; W],
) {
    let mut sum = *weight;
    for w in 0..W {
        sum[w] = multiply_add::<T, L>(product[w], scale[w], weight[w]);
    }
    *output = sum;
}
