//! Sums of the events of each sample.

use super::LaneOperation;
use super::weighted::{Part, Rows, WeightedEvents};
use crate::activation::multiply_add;
use crate::columns::{spans, vector, vector_mut};
use crate::error::KernelError;
use crate::instruction_set::InstructionSet;
use crate::level::Level;
use crate::pool::Pool;
use crate::scalar::{Real, Scalar};

/// The sum of each sample's events, each times its weight if there are weights, with the widest vectors of this
/// processor. A sample without events gives zeros. The result is the same to the last bit for any pool.
///
/// # Shapes
/// - `events` `[N, D]`; `output` `[B, D]`, written; [`WeightedEvents`] names the others
///
/// # Errors
/// [`KernelError`] names the buffer, its length and the length needed, or the offset that falls; nothing has been
/// written then.
pub fn segment_sums<T: Real>(
    of: &WeightedEvents<'_, T>,
    events: &[T],
    output: &mut [T],
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    segment_sums_with(InstructionSet::best(), of, events, output, pool)
}

/// [`segment_sums`] with a chosen instruction set.
///
/// # Errors
/// As [`segment_sums`], and [`KernelError::Unavailable`] where the processor lacks the instructions.
pub fn segment_sums_with<T: Real>(
    set: InstructionSet,
    of: &WeightedEvents<'_, T>,
    events: &[T],
    output: &mut [T],
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    of.run(set, ("events", events, Rows::Events), (output, Rows::Samples), pool, Sums)
}

struct Sums<'a, T>(Part<'a, T>);

impl<T: Scalar> LaneOperation for Sums<'_, T> {
    #[inline(always)]
    fn run<L: Level, const W: usize>(self) {
        let Part { width, samples, weights, input, output } = self.0;
        for (output, segment) in output.chunks_exact_mut(width).zip(samples.segments()) {
            let events = &input[segment.start * width..segment.end * width];
            let weights = weights.map(|weights| &weights[segment]);
            for span in spans(width, W) {
                let mut sum = [T::ZERO; W];
                let rows = events.chunks_exact(width).map(|event| vector::<T, W>(&event[span.column..]));
                match weights {
                    Some(weights) => {
                        for (row, &weight) in rows.zip(weights) {
                            for w in 0..W {
                                sum[w] = multiply_add::<T, L>(weight, row[w], sum[w]);
                            }
                        }
                    }
                    None => {
                        for row in rows {
                            for w in 0..W {
                                sum[w] += row[w];
                            }
                        }
                    }
                }
                *vector_mut(&mut output[span.column..]) = sum;
            }
        }
    }
}
