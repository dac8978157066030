//! Each sample's row, once for each of its events.

use super::LaneOperation;
use super::weighted::{Part, Rows, WeightedEvents};
use crate::columns::{spans, vector, vector_mut};
use crate::error::KernelError;
use crate::instruction_set::InstructionSet;
use crate::level::Level;
use crate::pool::Pool;
use crate::scalar::{Real, Scalar};

/// Each sample's row for each of its events, times the event's weight if there are weights, with the widest vectors of
/// this processor: what [`segment_sums`](crate::segment_sums) is the transpose of. The result is the same to the last
/// bit for any pool and any instruction set.
///
/// # Shapes
/// - `rows` `[B, D]`; `output` `[N, D]`, written; [`WeightedEvents`] names the others
///
/// # Errors
/// [`KernelError`] names the buffer, its length and the length needed, or the offset that falls; nothing has been
/// written then.
pub fn segment_expand<T: Real>(
    of: &WeightedEvents<'_, T>,
    rows: &[T],
    output: &mut [T],
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    segment_expand_with(InstructionSet::best(), of, rows, output, pool)
}

/// [`segment_expand`] with a chosen instruction set.
///
/// # Errors
/// As [`segment_expand`], and [`KernelError::Unavailable`] where the processor lacks the instructions.
pub fn segment_expand_with<T: Real>(
    set: InstructionSet,
    of: &WeightedEvents<'_, T>,
    rows: &[T],
    output: &mut [T],
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    of.run(set, ("rows", rows, Rows::Samples), (output, Rows::Events), pool, Expand)
}

struct Expand<'a, T>(Part<'a, T>);

impl<T: Scalar> LaneOperation for Expand<'_, T> {
    #[inline(always)]
    fn run<L: Level, const W: usize>(self) {
        let Part { width, samples, weights, input, output } = self.0;
        for (row, segment) in input.chunks_exact(width).zip(samples.segments()) {
            let weights = weights.map(|weights| &weights[segment.clone()]);
            let output = &mut output[segment.start * width..segment.end * width];
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
