//! The layers for the rows of a task, tile by tile.

use std::ops::Range;

use super::HiddenRows;
use super::row_statistics::RowStatistics;
use super::stage::{Dense, Stage};
use super::tiles::{Full, tiles};
use super::value::{Outputs, Values};
use crate::level::Level;
use crate::memory::Buffer;
use crate::normalization::{Moments, add_tile};
use crate::scalar::Scalar;
use crate::target_pairs::{RowsByPanels, Tiled};

pub(super) struct ForwardJob<'a, T> {
    pub(super) stages: &'a [Stage<T>],
    pub(super) input: &'a HiddenRows<'a, T>,
    /// Rows of a tile.
    pub(super) tile: usize,
    pub(super) rows: Range<usize>,
    /// The distance of two rows of the output.
    pub(super) across: usize,
    /// Of these rows alone.
    pub(super) output: &'a mut [T],
    /// Whether the moments of the output are wanted.
    pub(super) summed: bool,
}

impl<T: Scalar> Full for ForwardJob<'_, T> {
    type Output = Option<Moments<T>>;

    fn run<L: Level, const W: usize, const R: usize, const M: usize>(self, level: L) -> Option<Moments<T>> {
        let Self { stages, input, tile, rows, across, output, summed } = self;
        let widest = |dense: fn(&Dense<T>) -> usize| {
            let widths = stages.iter().map(|stage| stage.stride.max(stage.dense.as_ref().map_or(0, dense)));
            widths.max().unwrap_or_default()
        };
        let room = tile * widest(|dense| dense.panels.columns());
        let (mut sums, mut next, mut values) = (Buffer::zeros(room), Buffer::zeros(room), Buffer::zeros(room));
        let mut statistics = RowStatistics::new(tile);
        let mut moments =
            summed.then(|| Moments { rows: 0, mean: vec![T::ZERO; across], squares: vec![T::ZERO; across] });
        for (rows, output) in tiles(rows, tile).zip(output.chunks_mut(tile * across)) {
            let count = rows.len();
            let mut direct = whole_rows(input, &rows, &stages[0], &mut sums);
            for (index, stage) in stages.iter().enumerate() {
                let held = (&sums[..count * stage.stride], stage.stride);
                let input = direct.take().map_or(held, |rows| (rows, stage.stride));
                let values = if stage.is_plain() {
                    input.0
                } else {
                    let values = &mut values[..count * stage.stride];
                    level.run(Values::<T, W> { stage, input, output: &mut *values, statistics: &mut statistics });
                    values
                };
                let last = index + 1 == stages.len();
                let Some(dense) = &stage.dense else {
                    for (output, values) in output.chunks_exact_mut(across).zip(values.chunks_exact(stage.stride)) {
                        output.copy_from_slice(&values[..across]);
                    }
                    continue;
                };
                if last && dense.outputs == 1 {
                    let (weight, bias) = (&dense.row, dense.bias[0]);
                    level.run(Outputs::<T, W> { rows: values, weight, bias, output });
                    continue;
                }
                let output = if last { &mut *output } else { &mut next[..count * dense.panels.columns()] };
                let (panels, weight, start) = (&dense.panels, dense.panels.weight(), &*dense.bias);
                RowsByPanels { rows: values, stride: stage.stride, panels, weight, start, output }
                    .run::<L, W, R, M>(level);
                if !last {
                    std::mem::swap(&mut sums, &mut next);
                }
            }
            if let Some(moments) = &mut moments {
                add_tile::<T, L, W>(level, output, across, moments);
            }
        }
        moments
    }
}

/// The rows of a tile of the first layer if they are whole vectors; else they are copied to such.
pub(super) fn whole_rows<'a, T: Scalar>(
    input: &HiddenRows<'a, T>,
    rows: &Range<usize>,
    stage: &Stage<T>,
    room: &mut [T],
) -> Option<&'a [T]> {
    let numbers = &input.numbers[rows.start * input.stride..rows.end * input.stride];
    if input.stride == stage.stride {
        return Some(numbers);
    }
    for (whole, row) in room.chunks_exact_mut(stage.stride).zip(numbers.chunks_exact(input.stride)) {
        whole[..stage.width].copy_from_slice(&row[..stage.width]);
        whole[stage.width..].fill(T::ZERO);
    }
    None
}
