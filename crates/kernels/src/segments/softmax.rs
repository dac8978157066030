//! Softmax over the events of each sample.

use super::{Cut, LaneOperation, Samples};
use crate::activation::negative_exponential;
use crate::error::{KernelError, check_length};
use crate::instruction_set::InstructionSet;
use crate::level::Level;
use crate::pool::Pool;
use crate::scalar::{Real, Scalar};
use crate::tasks::Pieces;

/// Vectors of this many logits; wide enough for any processor.
const LANES: usize = 16;

/// The softmax of one logit for each event over the events of each sample, with the widest vectors of this processor.
/// The largest logit of the sample is subtracted first. The result is the same to the last bit for any pool.
///
/// # Shapes
/// - `offsets` `[B + 1]`: the events of sample `b` are `offsets[b]..offsets[b + 1]`
/// - `logits` `[N]`; `output` `[N]`, written
///
/// # Errors
/// [`KernelError`] names the buffer, its length and the length needed, or the offset that falls; nothing has been
/// written then.
pub fn segment_softmax_forward<T: Real>(
    offsets: &[u32],
    logits: &[T],
    output: &mut [T],
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    segment_softmax_forward_with(InstructionSet::best(), offsets, logits, output, pool)
}

/// [`segment_softmax_forward`] with a chosen instruction set.
///
/// # Errors
/// As [`segment_softmax_forward`], and [`KernelError::Unavailable`] where the processor lacks the instructions.
pub fn segment_softmax_forward_with<T: Real>(
    set: InstructionSet,
    offsets: &[u32],
    logits: &[T],
    output: &mut [T],
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    let cut = Cut::new(set, LANES, offsets)?;
    check_length("logits", logits.len(), cut.events())?;
    check_length("output", output.len(), cut.events())?;
    let mut pieces = Pieces(Some(output));
    let work = cut.tasks().map(|samples| Forward {
        samples,
        logits: samples.of_events(logits, 1),
        output: pieces.take(samples.events()).unwrap_or_default(),
    });
    cut.run::<T, _>(pool, work)
}

/// The gradient of the logits of [`segment_softmax_forward`], with the widest vectors of this processor.
///
/// # Shapes
/// - `offsets`: as given to the forward pass; `weights` `[N]`: its output
/// - `gradient` `[N]`: of the output; `logit_gradient` `[N]`, written
///
/// # Errors
/// As [`segment_softmax_forward`].
pub fn segment_softmax_backward<T: Real>(
    offsets: &[u32],
    weights: &[T],
    gradient: &[T],
    logit_gradient: &mut [T],
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    segment_softmax_backward_with(InstructionSet::best(), offsets, weights, gradient, logit_gradient, pool)
}

/// [`segment_softmax_backward`] with a chosen instruction set, which need not be that of the forward pass.
///
/// # Errors
/// As [`segment_softmax_backward`], and [`KernelError::Unavailable`] where the processor lacks the instructions.
pub fn segment_softmax_backward_with<T: Real>(
    set: InstructionSet,
    offsets: &[u32],
    weights: &[T],
    gradient: &[T],
    logit_gradient: &mut [T],
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    let cut = Cut::new(set, LANES, offsets)?;
    check_length("weights", weights.len(), cut.events())?;
    check_length("gradient", gradient.len(), cut.events())?;
    check_length("logit gradient", logit_gradient.len(), cut.events())?;
    let mut pieces = Pieces(Some(logit_gradient));
    let work = cut.tasks().map(|samples| Backward {
        samples,
        weights: samples.of_events(weights, 1),
        gradient: samples.of_events(gradient, 1),
        output: pieces.take(samples.events()).unwrap_or_default(),
    });
    cut.run::<T, _>(pool, work)
}

struct Forward<'a, T> {
    samples: Samples<'a>,
    logits: &'a [T],
    output: &'a mut [T],
}

impl<T: Scalar> LaneOperation for Forward<'_, T> {
    #[inline(always)]
    fn run<L: Level, const W: usize>(self) {
        for segment in self.samples.segments() {
            let logits = &self.logits[segment.clone()];
            let Some((&first, others)) = logits.split_first() else { continue };
            let mut largest = first;
            for &logit in others {
                // A logit that is not a number may be passed over here: below it makes all weights of the sample NaN.
                largest = if logit > largest { logit } else { largest };
            }
            for (below, &logit) in self.output[segment].iter_mut().zip(logits) {
                *below = largest - logit;
            }
        }
        // The exponentials of all samples together: the vectors of a short history would not be full.
        let (vectors, rest) = self.output.as_chunks_mut::<W>();
        for vector in vectors {
            for w in 0..W {
                vector[w] = negative_exponential::<T, L>(vector[w]);
            }
        }
        for power in rest {
            *power = negative_exponential::<T, L>(*power);
        }
        for segment in self.samples.segments() {
            let powers = &mut self.output[segment];
            let mut sum = T::ZERO;
            for &power in &*powers {
                sum += power;
            }
            let inverse = T::ONE / sum;
            for power in powers {
                *power = *power * inverse;
            }
        }
    }
}

struct Backward<'a, T> {
    samples: Samples<'a>,
    weights: &'a [T],
    gradient: &'a [T],
    output: &'a mut [T],
}

impl<T: Scalar> LaneOperation for Backward<'_, T> {
    #[inline(always)]
    fn run<L: Level, const W: usize>(self) {
        for segment in self.samples.segments() {
            let (weights, gradient) = (&self.weights[segment.clone()], &self.gradient[segment.clone()]);
            let mut mean = T::ZERO;
            for (&weight, &gradient) in weights.iter().zip(gradient) {
                mean += weight * gradient;
            }
            for ((output, &weight), &gradient) in self.output[segment].iter_mut().zip(weights).zip(gradient) {
                *output = weight * (gradient - mean);
            }
        }
    }
}
