//! The recurrences of [`fain_kernels`] on CUDA devices: GRU, AGRU and AUGRU over histories of different lengths, forward
//! and backward, in `f32`.
//!
//! The kernels are compiled when the program runs, for one cell and one width at a time, by NVRTC, and started through
//! the driver. Both libraries are looked for then: to build and test this crate, nothing of CUDA is needed, and
//! [`Recurrences::open`] says what is missing where there is no device.
//!
//! ```
//! use fain_cuda::{Limits, Pass, Plan};
//! use fain_kernels::Cell;
//!
//! // How a batch of 1,024 samples is laid out on a processor with 132 multiprocessors.
//! let limits = Limits { multiprocessors: 132, block_memory: 232_448, memory: 233_472, threads: 2048 };
//! let plan = Plan::new(Pass::Forward, Cell::Gru, 36, 1024, &limits)?;
//! assert_eq!((plan.blocks, plan.threads), (128, 144));
//! assert!(plan.variant.source().starts_with("#define CELL GRU\n#define HIDDEN 36\n"));
//! # Ok::<(), fain_cuda::CudaError>(())
//! ```
//!
//! A block of threads keeps the state's weights in shared memory, as long as they fit, and walks several histories
//! through time at once. What depends on the events alone, `W x + b`, and all sums over events are matrix products, which
//! are left to the caller. The tests compile the same source for the processor, run it thread by thread, and hold it to
//! [`fain_kernels`]; with the feature `emulation` other crates' tests can do so, too.

#![deny(missing_docs)]
#![allow(unsafe_code, reason = "the libraries of CUDA are C, and kernels take addresses")]

mod buffers;
mod compiler;
mod driver;
#[cfg(any(test, feature = "emulation"))]
mod emulation;
mod error;
mod library;
mod plan;
mod recurrences;
mod variant;

pub use buffers::{Address, Backward, Forward};
pub use compiler::{Compiled, Compiler};
pub use driver::device_name;
#[cfg(any(test, feature = "emulation"))]
pub use emulation::Emulated;
pub use error::CudaError;
pub use plan::{Limits, Plan};
pub use recurrences::{Kernels, Recurrences};
pub use variant::{Pass, Variant};
