//! How a batch is laid out on a processor.

use fain_kernels::Cell;

use crate::error::CudaError;
use crate::variant::{MOST_THREADS, Pass, USUAL_THREADS, Variant};

/// What a processor has, of what the kernels need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Multiprocessors.
    pub multiprocessors: usize,
    /// Bytes of shared memory that a block can ask for.
    pub block_memory: usize,
    /// Bytes of shared memory of a multiprocessor.
    pub memory: usize,
    /// Threads of a multiprocessor.
    pub threads: usize,
}

/// Shared memory that a block takes beside what it asks for.
const RESERVED: usize = 1024;

/// The most blocks of a multiprocessor.
const RESIDENT: usize = 16;

/// A kernel and how it is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// What the kernel is compiled for.
    pub variant: Variant,
    /// Blocks of the grid.
    pub blocks: usize,
    /// Threads of a block.
    pub threads: usize,
    /// Bytes of shared memory of a block.
    pub memory: usize,
}

impl Plan {
    /// For `B` samples.
    ///
    /// A thread walks through two histories at once, or four where there are plenty: weights that are read from shared
    /// memory then serve more states. A block has as many as spread the batch over all multiprocessors. Weights that do
    /// not fit into shared memory are read through the cache.
    ///
    /// # Errors
    /// [`CudaError::Width`] when the state is wider than a block, or than its shared memory.
    pub fn new(pass: Pass, cell: Cell, hidden: usize, samples: usize, limits: &Limits) -> Result<Self, CudaError> {
        if hidden == 0 || hidden > MOST_THREADS {
            return Err(CudaError::Width { hidden, most: MOST_THREADS });
        }
        let most_groups = (USUAL_THREADS / hidden).max(1);
        let each = samples.div_ceil(limits.multiprocessors.max(1));
        let usual = if each >= 16 { 4 } else { 2 };
        for (shared, side_by_side) in [(true, usual), (true, 2), (false, usual), (false, 2), (false, 1)] {
            let variant = Variant { cell: cell.into(), hidden, samples: side_by_side, shared };
            let wanted = each.div_ceil(side_by_side).clamp(1, most_groups);
            for groups in (1..=wanted).rev() {
                let memory = memory(pass, cell, &variant, groups * side_by_side);
                if memory <= limits.block_memory {
                    return Ok(Self::of(variant, groups, memory, samples, limits));
                }
            }
        }
        let line = cell.gates() * 2 * size_of::<f32>();
        Err(CudaError::Width { hidden, most: limits.block_memory / line })
    }

    fn of(variant: Variant, groups: usize, memory: usize, samples: usize, limits: &Limits) -> Self {
        let threads = groups * variant.hidden;
        let resident = (limits.memory / (memory + RESERVED)).min(limits.threads / threads).clamp(1, RESIDENT);
        let needed = samples.div_ceil(groups * variant.samples).max(1);
        Self { variant, blocks: needed.min(resident * limits.multiprocessors.max(1)), threads, memory }
    }
}

/// Bytes of shared memory, as the source lays it out.
fn memory(pass: Pass, cell: Cell, variant: &Variant, places: usize) -> usize {
    let rows = cell.gates() * variant.hidden;
    let weights = if variant.shared { padded(rows * variant.hidden) } else { 0 };
    let row = match pass {
        Pass::Forward => padded(variant.hidden),
        Pass::Backward => padded(rows),
    };
    (weights + 2 * places * row) * size_of::<f32>()
}

fn padded(width: usize) -> usize {
    width.next_multiple_of(4)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    /// Of a processor with compute capability 9.0, and of one with 7.5.
    const LARGE: Limits = Limits { multiprocessors: 132, block_memory: 232_448, memory: 233_472, threads: 2048 };
    const SMALL: Limits = Limits { multiprocessors: 40, block_memory: 65_536, memory: 65_536, threads: 1024 };

    #[test]
    fn a_usual_batch_is_spread_over_all_multiprocessors() {
        let plan = Plan::new(Pass::Forward, Cell::Gru, 36, 1024, &LARGE).unwrap();
        assert_eq!((plan.variant.samples, plan.variant.shared), (2, true));
        // Eight samples for each multiprocessor, two to a thread.
        assert_eq!((plan.threads, plan.blocks), (4 * 36, 128));
        assert_eq!(plan.memory, (3 * 36 * 36 + 2 * 8 * 36) * 4);
    }

    #[test]
    fn a_large_batch_walks_four_by_four_with_no_more_blocks_than_fit() {
        let plan = Plan::new(Pass::Backward, Cell::Gru, 128, 8192, &LARGE).unwrap();
        assert_eq!((plan.variant.samples, plan.variant.shared, plan.threads, plan.blocks), (4, true, 256, 132));
        assert!(plan.memory <= LARGE.block_memory);
    }

    #[test]
    fn weights_that_do_not_fit_are_read_through_the_cache() {
        let plan = Plan::new(Pass::Forward, Cell::Gru, 128, 1024, &SMALL).unwrap();
        assert!(!plan.variant.shared);
        let widest = Plan::new(Pass::Backward, Cell::Gru, 1024, 10_000, &SMALL).unwrap();
        assert_eq!((widest.threads, widest.memory <= SMALL.block_memory), (1024, true));
    }

    #[test]
    fn every_width_has_a_plan_that_fits_until_a_block_is_too_small() {
        for limits in [LARGE, SMALL] {
            for hidden in 1..=1024 {
                for samples in [0, 1, 33, 5000] {
                    for pass in [Pass::Forward, Pass::Backward] {
                        let plan = Plan::new(pass, Cell::Gru, hidden, samples, &limits).unwrap();
                        assert!(plan.memory <= limits.block_memory, "{plan:?}");
                        assert!(plan.threads <= if hidden > 256 { 1024 } else { 256 }, "{plan:?}");
                        assert!(plan.threads.is_multiple_of(hidden) && plan.blocks >= 1, "{plan:?}");
                    }
                }
            }
        }
        for hidden in [0, 1025] {
            let error = Plan::new(Pass::Forward, Cell::Gru, hidden, 1, &LARGE).unwrap_err();
            assert_eq!(error, CudaError::Width { hidden, most: 1024 });
        }
        let tiny = Limits { block_memory: 1000, ..SMALL };
        let error = Plan::new(Pass::Backward, Cell::Agru, 200, 1, &tiny).unwrap_err();
        assert_eq!(error, CudaError::Width { hidden: 200, most: 62 });
    }
}
