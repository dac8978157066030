//! Sums of the events of each sample.

use super::{Cut, LaneOperation, Samples};
use crate::activation::multiply_add;
use crate::columns::{spans, vector, vector_mut};
use crate::error::{KernelError, check_length};
use crate::instruction_set::InstructionSet;
use crate::level::Level;
use crate::pool::Pool;
use crate::scalar::{Real, Scalar};
use crate::tasks::Pieces;

/// The sum of each sample's events, each times its weight if there are weights, with the widest vectors of this
/// processor. A sample without events gives zeros. The result is the same to the last bit for any pool.
///
/// # Shapes
/// - `offsets` `[B + 1]`: the events of sample `b` are `offsets[b]..offsets[b + 1]`
/// - `weights` `[N]`; `events` `[N, D]`, where `D` is `width`; `output` `[B, D]`, written
///
/// # Errors
/// [`KernelError`] names the buffer, its length and the length needed, or the offset that falls; nothing has been
/// written then.
pub fn segment_sums<T: Real>(
    width: usize,
    offsets: &[u32],
    weights: Option<&[T]>,
    events: &[T],
    output: &mut [T],
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    segment_sums_with(InstructionSet::best(), width, offsets, weights, events, output, pool)
}

/// [`segment_sums`] with a chosen instruction set.
///
/// # Errors
/// As [`segment_sums`], and [`KernelError::Unavailable`] where the processor lacks the instructions.
pub fn segment_sums_with<T: Real>(
    set: InstructionSet,
    width: usize,
    offsets: &[u32],
    weights: Option<&[T]>,
    events: &[T],
    output: &mut [T],
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    let cut = Cut::new(set, width, offsets)?;
    if let Some(weights) = weights {
        check_length("weights", weights.len(), cut.events())?;
    }
    check_length("events", events.len(), cut.events() * width)?;
    check_length("output", output.len(), cut.samples() * width)?;
    let mut pieces = Pieces(Some(output));
    let work = cut.tasks().map(|samples| Sums {
        width,
        samples,
        weights: weights.map(|weights| samples.of_events(weights, 1)),
        events: samples.of_events(events, width),
        output: pieces.take(samples.count() * width).unwrap_or_default(),
    });
    cut.run::<T, _>(pool, work)
}

struct Sums<'a, T> {
    width: usize,
    samples: Samples<'a>,
    weights: Option<&'a [T]>,
    events: &'a [T],
    output: &'a mut [T],
}

impl<T: Scalar> LaneOperation for Sums<'_, T> {
    #[inline(always)]
    fn run<L: Level, const W: usize>(self) {
        let width = self.width;
        for (output, segment) in self.output.chunks_exact_mut(width).zip(self.samples.segments()) {
            let events = &self.events[segment.start * width..segment.end * width];
            let weights = self.weights.map(|weights| &weights[segment]);
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
