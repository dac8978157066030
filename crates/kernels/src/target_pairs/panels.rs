//! A weight laid out in the order in which the products read it, and the same order for a sum of two weights.

use std::ops::Range;

use super::tiled::Tiled;
use crate::activation::multiply_add;
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
        let vectors = columns.div_ceil(lanes);
        let mut panels =
            Self { depth, columns, lanes, groups: groups(vectors), weight: Buffer::zeros(vectors * depth * lanes) };
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
        level.run(self);
    }
}

impl<T: Scalar> Operation for Blend<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let Self { weight: panels, product, candidate, along, output } = self;
        let lanes = panels.lanes;
        for group in panels.groups() {
            let range = panels.range(group);
            let row = group.vectors * lanes;
            let numbers = panels.weight[range.clone()].chunks_exact(row);
            let numbers = numbers.zip(product.weight[range.clone()].chunks_exact(row));
            let numbers = numbers.zip(output[range].chunks_exact_mut(row));
            for (k, ((weight, product), output)) in numbers.enumerate() {
                match along {
                    Along::Rows => {
                        let scale = candidate[k];
                        add_scaled::<T, L>(output, weight, product, |_| scale);
                    }
                    Along::Columns => {
                        for vector in 0..group.vectors {
                            let scales = &candidate[panels.start(group.first + vector)..][..lanes];
                            let span = vector * lanes..(vector + 1) * lanes;
                            let (weight, product) = (&weight[span.clone()], &product[span.clone()]);
                            add_scaled::<T, L>(&mut output[span], weight, product, |lane| scales[lane]);
                        }
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn add_scaled<T: Scalar, L: Level>(output: &mut [T], weight: &[T], product: &[T], scale: impl Fn(usize) -> T) {
    for (lane, ((output, &weight), &product)) in output.iter_mut().zip(weight).zip(product).enumerate() {
        *output = multiply_add::<T, L>(product, scale(lane), weight);
    }
}
