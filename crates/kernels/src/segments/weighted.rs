//! What sums over events and their transpose have in common.

use super::{Cut, LaneOperation, Samples};
use crate::error::{KernelError, check_length};
use crate::instruction_set::InstructionSet;
use crate::pool::Pool;
use crate::scalar::Real;
use crate::tasks::Pieces;

/// The events of a batch, each with a weight if there are weights.
#[derive(Clone, Copy, Debug)]
pub struct WeightedEvents<'a, T> {
    /// `D`, at least 1.
    pub width: usize,
    /// `[B + 1]`: the events of sample `b` are `offsets[b]..offsets[b + 1]`.
    pub offsets: &'a [u32],
    /// `[N]`.
    pub weights: Option<&'a [T]>,
}

/// What the rows of a buffer belong to.
#[derive(Clone, Copy)]
pub(super) enum Rows {
    Samples,
    Events,
}

impl Rows {
    fn number(self, cut: &Cut<'_>) -> usize {
        match self {
            Self::Samples => cut.samples(),
            Self::Events => cut.events(),
        }
    }
}

/// Consecutive samples with what is read and written for them.
pub(super) struct Part<'a, T> {
    pub(super) width: usize,
    pub(super) samples: Samples<'a>,
    pub(super) weights: Option<&'a [T]>,
    pub(super) input: &'a [T],
    pub(super) output: &'a mut [T],
}

impl<'a, T: Real> WeightedEvents<'a, T> {
    /// Checks all lengths, then runs an operation on each part. The buffer that is read has a name.
    pub(super) fn run<O: LaneOperation + Send>(
        &self,
        set: InstructionSet,
        (name, input, input_rows): (&'static str, &'a [T], Rows),
        (output, output_rows): (&'a mut [T], Rows),
        pool: &dyn Pool,
        operation: impl Fn(Part<'a, T>) -> O,
    ) -> Result<(), KernelError> {
        let Self { width, offsets, weights } = *self;
        let cut = Cut::new(set, width, offsets)?;
        if let Some(weights) = weights {
            check_length("weights", weights.len(), cut.events())?;
        }
        check_length(name, input.len(), input_rows.number(&cut) * width)?;
        check_length("output", output.len(), output_rows.number(&cut) * width)?;
        let mut pieces = Pieces(Some(output));
        let work = cut.tasks().map(|samples| {
            let input = match input_rows {
                Rows::Samples => samples.of_samples(input, width),
                Rows::Events => samples.of_events(input, width),
            };
            let rows = match output_rows {
                Rows::Samples => samples.count(),
                Rows::Events => samples.events(),
            };
            let weights = weights.map(|weights| samples.of_events(weights, 1));
            operation(Part { width, samples, weights, input, output: pieces.take(rows * width).unwrap_or_default() })
        });
        cut.run::<T, _>(pool, work)
    }
}
