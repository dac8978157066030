//! Which vectors and tiles an element type has with an instruction set.

use crate::backward::{self, BackwardJob, BackwardOutput, Sums};
use crate::forward::{self, ForwardJob, ForwardOutput};
use crate::hidden::Full;
use crate::instruction_set::Detected;
use crate::level::{Level, turn};
use crate::pair_loss::{self, Network, PairTask};
use crate::partition::Task;
use crate::product::{OF_ONE, OF_THREE};

/// The compiled passes of an element type.
pub(crate) trait Entry: Sized {
    /// The numbers of one vector.
    fn lanes(set: Detected) -> usize;
    /// Runs work on whole vectors.
    fn full<F: Full>(set: Detected, work: F) -> F::Output;
    /// Runs one task of a forward pass.
    fn forward(set: Detected, job: &ForwardJob<'_, Self>, task: &Task, output: ForwardOutput<'_, Self>);
    /// Runs one task of a backward pass.
    fn backward(
        set: Detected,
        job: &BackwardJob<'_, Self>,
        task: &Task,
        output: BackwardOutput<'_, Self>,
    ) -> Sums<Self>;
    /// Runs one task of the loss over pairs.
    fn pair_loss(set: Detected, network: &Network<'_, Self>, task: PairTask<'_, Self>) -> pair_loss::Sums<Self>;
    /// Turns a block on its side: number `c` of row `r` becomes number `r` of row `c` of the target, whose rows start
    /// `stride` numbers apart.
    fn turn<L: Level, const W: usize>(level: L, source: &[&[Self; W]; W], target: &mut [Self], stride: usize);
}

/// For each instruction set: the numbers of a vector, and the rows of a tile, full and where few are left, or where a row
/// is one vector. A full tile of three vectors a row, three vectors of weights and one of factors must fit into the
/// registers.
macro_rules! entry {
    ($real:ty, $narrow:literal, $wide:literal, $single:literal, $turn:item) => {
        impl Entry for $real {
            fn lanes(set: Detected) -> usize {
                match set {
                    Detected::Portable(_) => $narrow,
                    #[cfg(target_arch = "x86_64")]
                    Detected::Avx2(_) => $narrow,
                    #[cfg(target_arch = "x86_64")]
                    Detected::Avx512(_) => $wide,
                }
            }

            fn full<F: Full>(set: Detected, work: F) -> F::Output {
                match set {
                    Detected::Portable(level) => work.run::<_, $narrow, 2, 1>(level),
                    #[cfg(target_arch = "x86_64")]
                    Detected::Avx2(level) => work.run::<_, $narrow, OF_THREE, 2>(level),
                    #[cfg(target_arch = "x86_64")]
                    Detected::Avx512(level) => work.run::<_, $wide, 8, 4>(level),
                }
            }

            fn forward(set: Detected, job: &ForwardJob<'_, Self>, task: &Task, output: ForwardOutput<'_, Self>) {
                match set {
                    Detected::Portable(level) => forward::run::<_, _, $narrow, 2, 1>(level, job, task, output),
                    #[cfg(target_arch = "x86_64")]
                    Detected::Avx2(level) => forward::run::<_, _, $narrow, OF_THREE, 2>(level, job, task, output),
                    #[cfg(target_arch = "x86_64")]
                    Detected::Avx512(level) => forward::run::<_, _, $wide, 8, 4>(level, job, task, output),
                }
            }

            fn backward(
                set: Detected,
                job: &BackwardJob<'_, Self>,
                task: &Task,
                output: BackwardOutput<'_, Self>,
            ) -> Sums<Self> {
                match set {
                    Detected::Portable(level) => backward::run::<_, _, $narrow, 2, 1>(level, job, task, output),
                    #[cfg(target_arch = "x86_64")]
                    Detected::Avx2(level) => backward::run::<_, _, $narrow, OF_THREE, 2>(level, job, task, output),
                    #[cfg(target_arch = "x86_64")]
                    Detected::Avx512(level) => backward::run::<_, _, $wide, 8, 4>(level, job, task, output),
                }
            }

            fn pair_loss(
                set: Detected,
                network: &Network<'_, Self>,
                task: PairTask<'_, Self>,
            ) -> pair_loss::Sums<Self> {
                match set {
                    Detected::Portable(level) => pair_loss::run::<_, _, $narrow, 2, 2>(level, network, task),
                    #[cfg(target_arch = "x86_64")]
                    Detected::Avx2(level) => pair_loss::run::<_, _, $narrow, OF_THREE, OF_ONE>(level, network, task),
                    #[cfg(target_arch = "x86_64")]
                    Detected::Avx512(level) => pair_loss::run::<_, _, $wide, 8, $single>(level, network, task),
                }
            }

            $turn
        }
    };
}

entry!(
    f32,
    8,
    16,
    16,
    #[inline(always)]
    fn turn<L: Level, const W: usize>(level: L, source: &[&[f32; W]; W], target: &mut [f32], stride: usize) {
        // A conversion only fails where W is another number.
        if let Ok(rows) = <&[&[f32; W]; 16]>::try_from(source.as_slice()) {
            level.turn(&rows.map(|row| &row.as_chunks::<16>().0[0]), target, stride);
        } else if let Ok(rows) = <&[&[f32; W]; 8]>::try_from(source.as_slice()) {
            level.turn_eight(&rows.map(|row| &row.as_chunks::<8>().0[0]), target, stride);
        } else {
            turn::by_numbers(source, target, stride);
        }
    }
);
entry!(
    f64,
    4,
    8,
    12,
    #[inline(always)]
    fn turn<L: Level, const W: usize>(_level: L, source: &[&[f64; W]; W], target: &mut [f64], stride: usize) {
        turn::by_numbers(source, target, stride);
    }
);
