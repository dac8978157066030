//! Inner products of each event with its sample's row.

use super::{Cut, LaneOperation, Samples};
use crate::activation::multiply_add;
use crate::error::{KernelError, check_length};
use crate::instruction_set::InstructionSet;
use crate::level::Level;
use crate::pool::Pool;
use crate::scalar::{Real, Scalar};
use crate::tasks::Pieces;

/// The inner product of each event with its sample's row, with the widest vectors of this processor. The result is the
/// same to the last bit for any pool.
///
/// # Shapes
/// - `offsets` `[B + 1]`: the events of sample `b` are `offsets[b]..offsets[b + 1]`
/// - `rows` `[B, D]`, where `D` is `width`; `events` `[N, D]`; `output` `[N]`, written
///
/// # Errors
/// [`KernelError`] names the buffer, its length and the length needed, or the offset that falls; nothing has been
/// written then.
pub fn segment_products<T: Real>(
    width: usize,
    offsets: &[u32],
    rows: &[T],
    events: &[T],
    output: &mut [T],
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    segment_products_with(InstructionSet::best(), width, offsets, rows, events, output, pool)
}

/// [`segment_products`] with a chosen instruction set.
///
/// # Errors
/// As [`segment_products`], and [`KernelError::Unavailable`] where the processor lacks the instructions.
pub fn segment_products_with<T: Real>(
    set: InstructionSet,
    width: usize,
    offsets: &[u32],
    rows: &[T],
    events: &[T],
    output: &mut [T],
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    let cut = Cut::new(set, width, offsets)?;
    check_length("rows", rows.len(), cut.samples() * width)?;
    check_length("events", events.len(), cut.events() * width)?;
    check_length("output", output.len(), cut.events())?;
    let mut pieces = Pieces(Some(output));
    let work = cut.tasks().map(|samples| Products {
        width,
        samples,
        rows: samples.of_samples(rows, width),
        events: samples.of_events(events, width),
        output: pieces.take(samples.events()).unwrap_or_default(),
    });
    cut.run::<T, _>(pool, work)
}

struct Products<'a, T> {
    width: usize,
    samples: Samples<'a>,
    rows: &'a [T],
    events: &'a [T],
    output: &'a mut [T],
}

impl<T: Scalar> LaneOperation for Products<'_, T> {
    #[inline(always)]
    fn run<L: Level, const W: usize>(self) {
        let width = self.width;
        for (row, segment) in self.rows.chunks_exact(width).zip(self.samples.segments()) {
            let events = self.events[segment.start * width..segment.end * width].chunks_exact(width);
            for (event, output) in events.zip(&mut self.output[segment]) {
                *output = product::<T, L, W>(row, event);
            }
        }
    }
}

/// `Σ_i left[i] · right[i]`, summed in `W` lanes and then in pairs.
#[inline(always)]
fn product<T: Scalar, L: Level, const W: usize>(left: &[T], right: &[T]) -> T {
    let (left, right) = (left.as_chunks::<W>(), right.as_chunks::<W>());
    let mut sums = [T::ZERO; W];
    for (left, right) in left.0.iter().zip(right.0) {
        for w in 0..W {
            sums[w] = multiply_add::<T, L>(left[w], right[w], sums[w]);
        }
    }
    let mut lanes = W;
    while lanes > 1 {
        lanes /= 2;
        for w in 0..lanes {
            sums[w] += sums[w + lanes];
        }
    }
    let mut sum = sums[0];
    for (&left, &right) in left.1.iter().zip(right.1) {
        sum = multiply_add::<T, L>(left, right, sum);
    }
    sum
}
