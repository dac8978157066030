//! Each sample's row, once for each of its events.

use super::{Cut, LaneOperation, Samples};
use crate::columns::{spans, vector, vector_mut};
use crate::error::{KernelError, check_length};
use crate::instruction_set::InstructionSet;
use crate::level::Level;
use crate::pool::Pool;
use crate::scalar::{Real, Scalar};
use crate::tasks::Pieces;

/// Each sample's row for each of its events, times the event's weight if there are weights, with the widest vectors of
/// this processor: what [`segment_sums`](crate::segment_sums) is the transpose of. The result is the same to the last
/// bit for any pool and any instruction set.
///
/// # Shapes
/// - `offsets` `[B + 1]`: the events of sample `b` are `offsets[b]..offsets[b + 1]`
/// - `weights` `[N]`; `rows` `[B, D]`, where `D` is `width`; `output` `[N, D]`, written
///
/// # Errors
/// [`KernelError`] names the buffer, its length and the length needed, or the offset that falls; nothing has been
/// written then.
pub fn segment_expand<T: Real>(
    width: usize,
    offsets: &[u32],
    weights: Option<&[T]>,
    rows: &[T],
    output: &mut [T],
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    segment_expand_with(InstructionSet::best(), width, offsets, weights, rows, output, pool)
}

/// [`segment_expand`] with a chosen instruction set.
///
/// # Errors
/// As [`segment_expand`], and [`KernelError::Unavailable`] where the processor lacks the instructions.
pub fn segment_expand_with<T: Real>(
    set: InstructionSet,
    width: usize,
    offsets: &[u32],
    weights: Option<&[T]>,
    rows: &[T],
    output: &mut [T],
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    let cut = Cut::new(set, width, offsets)?;
    if let Some(weights) = weights {
        check_length("weights", weights.len(), cut.events())?;
    }
    check_length("rows", rows.len(), cut.samples() * width)?;
    check_length("output", output.len(), cut.events() * width)?;
    let mut pieces = Pieces(Some(output));
    let work = cut.tasks().map(|samples| Expand {
        width,
        samples,
        weights: weights.map(|weights| samples.of_events(weights, 1)),
        rows: samples.of_samples(rows, width),
        output: pieces.take(samples.events() * width).unwrap_or_default(),
    });
    cut.run::<T, _>(pool, work)
}

struct Expand<'a, T> {
    width: usize,
    samples: Samples<'a>,
    weights: Option<&'a [T]>,
    rows: &'a [T],
    output: &'a mut [T],
}

impl<T: Scalar> LaneOperation for Expand<'_, T> {
    #[inline(always)]
    fn run<L: Level, const W: usize>(self) {
        let width = self.width;
        for (row, segment) in self.rows.chunks_exact(width).zip(self.samples.segments()) {
            let weights = self.weights.map(|weights| &weights[segment.clone()]);
            let output = &mut self.output[segment.start * width..segment.end * width];
            for span in spans(width, W) {
                let row = *vector::<T, W>(&row[span.column..]);
                let places = output.chunks_exact_mut(width).map(|event| vector_mut::<T, W>(&mut event[span.column..]));
                match weights {
                    Some(weights) => {
                        for (place, &weight) in places.zip(weights) {
                            for w in 0..W {
                                place[w] = weight * row[w];
                            }
                        }
                    }
                    None => places.for_each(|place| *place = row),
                }
            }
        }
    }
}
