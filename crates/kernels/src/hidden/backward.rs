//! The way back through one layer for the rows of a task, tile by tile.

use std::ops::Range;

use super::derivative::{ColumnSums, Derivatives, RowRoom};
use super::forward::whole_rows;
use super::products::AddOuter;
use super::stage::Stage;
use super::tiles::{Full, tiles};
use super::{HiddenRows, HiddenUpstream};
use crate::activation::multiply_add;
use crate::level::{Level, Operation};
use crate::memory::Buffer;
use crate::panel::groups;
use crate::scalar::Scalar;
use crate::target_pairs::{RowsByPanels, Tiled};

/// What flows back, with the lists of columns as long as its rows.
pub(super) struct Upstream<'a, T> {
    /// `[N, across]`
    gradient: &'a [T],
    across: usize,
    /// The output that the correction belongs to, `[N, across]`.
    reference: Option<&'a [T]>,
    mean: Vec<T>,
    base: Vec<T>,
    slope: Vec<T>,
}

impl<'a, T: Scalar> Upstream<'a, T> {
    pub(super) fn new(upstream: &HiddenUpstream<'a, T>, across: usize) -> Self {
        let correction = upstream.correction.map(|(correction, _)| correction);
        let padded = |numbers: Option<&Vec<T>>| {
            let mut numbers = numbers.cloned().unwrap_or_default();
            numbers.resize(across, T::ZERO);
            numbers
        };
        Self {
            gradient: upstream.gradient,
            across,
            reference: upstream.correction.map(|(_, reference)| reference),
            mean: padded(correction.map(|of| &of.mean)),
            base: padded(correction.map(|of| &of.base)),
            slope: padded(correction.map(|of| &of.slope)),
        }
    }
}

/// One task's part of all sums over rows.
pub(super) struct Sums<T> {
    pub(super) columns: ColumnSums<T>,
    /// `[outputs or more, stride]`; empty without a dense map.
    pub(super) weight: Vec<T>,
    /// `[outputs or more]`; of the rows that flow back.
    pub(super) bias: Vec<T>,
}

impl<T: Scalar> Sums<T> {
    pub(super) fn zeros(stage: &Stage<T>) -> Self {
        let outputs = stage.dense.as_ref().map_or(0, super::stage::Dense::across);
        Self {
            columns: ColumnSums::zeros(stage.stride),
            weight: vec![T::ZERO; outputs * stage.stride],
            bias: vec![T::ZERO; outputs],
        }
    }
}

pub(super) struct BackwardJob<'a, T> {
    pub(super) stage: &'a Stage<T>,
    pub(super) input: &'a HiddenRows<'a, T>,
    pub(super) upstream: &'a Upstream<'a, T>,
    /// Rows of a tile.
    pub(super) tile: usize,
    pub(super) rows: Range<usize>,
    /// Of these rows alone, laid out as the input.
    pub(super) output: &'a mut [T],
}

impl<T: Scalar> Full for BackwardJob<'_, T> {
    type Output = Sums<T>;

    fn run<L: Level, const W: usize, const R: usize, const M: usize>(self, level: L) -> Sums<T> {
        let Self { stage, input, upstream, tile, rows, output } = self;
        let (stride, across) = (stage.stride, upstream.across);
        let mut sums = Sums::zeros(stage);
        let mut room = RowRoom::new(stage, tile);
        let whole = input.stride == stride;
        let spare = if whole { 0 } else { tile * stride };
        let (mut copied, mut result) = (Buffer::zeros(spare), Buffer::zeros(spare));
        let (mut values, mut behind) = (Buffer::zeros(tile * stride), Buffer::zeros(tile * across));
        let (zeros, groups) = (vec![T::ZERO; stride], groups(stride / W));
        for (rows, output) in tiles(rows, tile).zip(output.chunks_mut(tile * input.stride)) {
            let count = rows.len();
            let numbers = whole_rows(input, &rows, stage, &mut copied);
            let gradient = if whole { &mut *output } else { &mut result[..count * stride] };
            let values = &mut values[..count * stride];
            let behind = &mut behind[..count * across];
            level.run(Corrected { upstream, rows: rows.clone(), output: behind, sums: &mut sums.bias });
            match &stage.dense {
                Some(dense) => {
                    let (panels, weight, start) = (&dense.panels, dense.panels.weight(), &*zeros);
                    RowsByPanels { rows: behind, stride: across, panels, weight, start, output: &mut *gradient }
                        .run::<L, W, R, M>(level);
                }
                None => {
                    for (gradient, behind) in gradient.chunks_exact_mut(stride).zip(behind.chunks_exact(across)) {
                        gradient[..across].copy_from_slice(behind);
                        gradient[across..].fill(T::ZERO);
                    }
                }
            }
            let input_rows = &numbers.unwrap_or(&copied[..])[..count * stride];
            let values = if stage.is_plain() {
                input_rows
            } else {
                let (input, columns, room) = ((input_rows, stride), &mut sums.columns, &mut room);
                level.run(Derivatives::<T, W> { stage, input, values: &mut *values, gradient, sums: columns, room });
                values
            };
            if let Some(dense) = &stage.dense {
                let work = AddOuter {
                    left: behind,
                    left_stride: across,
                    units: dense.outputs,
                    right: values,
                    right_stride: stride,
                    sums: &mut sums.weight,
                };
                work.run::<L, W, R, M>(level, &groups);
            }
            if !whole {
                for (output, result) in output.chunks_exact_mut(input.stride).zip(result.chunks_exact(stride)) {
                    output.copy_from_slice(&result[..input.stride]);
                }
            }
        }
        sums
    }
}

/// Takes off what the statistics of the layer behind add, and sums the rows.
struct Corrected<'a, T> {
    upstream: &'a Upstream<'a, T>,
    rows: Range<usize>,
    output: &'a mut [T],
    /// As many columns as are wanted.
    sums: &'a mut [T],
}

impl<T: Scalar> Operation for Corrected<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, _: L) {
        let Self { upstream: Upstream { gradient, across, reference, mean, base, slope }, rows, output, sums } = self;
        let span = rows.start * across..rows.end * across;
        output.copy_from_slice(&gradient[span.clone()]);
        if let Some(reference) = reference {
            for (output, reference) in output.chunks_exact_mut(*across).zip(reference[span].chunks_exact(*across)) {
                let columns = mean.iter().zip(base).zip(slope);
                for ((output, &x), ((&mean, &base), &slope)) in output.iter_mut().zip(reference).zip(columns) {
                    *output = *output - multiply_add::<T, L>(x - mean, slope, base);
                }
            }
        }
        for row in output.chunks_exact(*across) {
            for (sum, &number) in sums.iter_mut().zip(row) {
                *sum += number;
            }
        }
    }
}
