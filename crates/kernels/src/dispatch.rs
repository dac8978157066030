//! The one body of each pass, compiled once for every instruction set and element type. The only unsafe code of the
//! crate is here: calling a function that is compiled for instructions which the rest of the program may not use.
#![allow(unsafe_code, reason = "a function with target features can only be called by unsafe code")]

use crate::backward::{self, BackwardJob, BackwardOutput, Sums};
use crate::forward::{self, ForwardJob, ForwardOutput};
use crate::instruction_set::{Detected, InstructionSet};
use crate::partition::Task;

/// Whether the target's own instructions multiply and add in one.
const PORTABLE_FUSED: bool = cfg!(target_arch = "aarch64");

/// The compiled kernels of an element type.
pub(crate) trait Entry: Sized {
    /// The numbers of one vector.
    fn lanes(set: Detected) -> usize;
    /// Runs one task of a forward pass.
    fn forward(set: Detected, job: &ForwardJob<'_, Self>, task: &Task, output: ForwardOutput<'_, Self>);
    /// Runs one task of a backward pass.
    fn backward(
        set: Detected,
        job: &BackwardJob<'_, Self>,
        task: &Task,
        output: BackwardOutput<'_, Self>,
    ) -> Sums<Self>;
}

/// One instruction set for one element type: its module, features, numbers per vector, and rows of a tile (full, and
/// where few are left). A tile of three vectors a row and the factors must fit into the registers.
macro_rules! compile {
    ($module:ident, $real:ty, $features:literal, $lanes:literal, $rows:literal, $few:literal) => {
        #[cfg(target_arch = "x86_64")]
        mod $module {
            use super::*;

            #[target_feature(enable = $features)]
            pub(super) fn forward(job: &ForwardJob<'_, $real>, task: &Task, output: ForwardOutput<'_, $real>) {
                forward::run::<$real, true, $lanes, $rows, $few>(job, task, output);
            }

            #[target_feature(enable = $features)]
            pub(super) fn backward(
                job: &BackwardJob<'_, $real>,
                task: &Task,
                output: BackwardOutput<'_, $real>,
            ) -> Sums<$real> {
                backward::run::<$real, true, $lanes, $rows, $few>(job, task, output)
            }
        }
    };
}

compile!(avx2_f32, f32, "avx2,fma", 8, 3, 2);
compile!(avx2_f64, f64, "avx2,fma", 4, 3, 2);
compile!(avx512_f32, f32, "avx2,fma,avx512f,avx512vl,avx512dq,avx512bw", 16, 8, 4);
compile!(avx512_f64, f64, "avx2,fma,avx512f,avx512vl,avx512dq,avx512bw", 8, 8, 4);

macro_rules! entry {
    ($real:ty, $avx2:ident, $avx512:ident, $lanes:literal) => {
        impl Entry for $real {
            fn lanes(set: Detected) -> usize {
                match set.set() {
                    InstructionSet::Portable | InstructionSet::Avx2 => $lanes,
                    InstructionSet::Avx512 => 2 * $lanes,
                }
            }

            fn forward(set: Detected, job: &ForwardJob<'_, Self>, task: &Task, output: ForwardOutput<'_, Self>) {
                match set.set() {
                    #[cfg(target_arch = "x86_64")]
                    // SAFETY: the processor has the features: a `Detected` is only made where they were found.
                    InstructionSet::Avx2 => unsafe { $avx2::forward(job, task, output) },
                    #[cfg(target_arch = "x86_64")]
                    // SAFETY: as above.
                    InstructionSet::Avx512 => unsafe { $avx512::forward(job, task, output) },
                    _ => forward::run::<$real, PORTABLE_FUSED, $lanes, 2, 1>(job, task, output),
                }
            }

            fn backward(
                set: Detected,
                job: &BackwardJob<'_, Self>,
                task: &Task,
                output: BackwardOutput<'_, Self>,
            ) -> Sums<Self> {
                match set.set() {
                    #[cfg(target_arch = "x86_64")]
                    // SAFETY: the processor has the features: a `Detected` is only made where they were found.
                    InstructionSet::Avx2 => unsafe { $avx2::backward(job, task, output) },
                    #[cfg(target_arch = "x86_64")]
                    // SAFETY: as above.
                    InstructionSet::Avx512 => unsafe { $avx512::backward(job, task, output) },
                    _ => backward::run::<$real, PORTABLE_FUSED, $lanes, 2, 1>(job, task, output),
                }
            }
        }
    };
}

entry!(f32, avx2_f32, avx512_f32, 8);
entry!(f64, avx2_f64, avx512_f64, 4);
