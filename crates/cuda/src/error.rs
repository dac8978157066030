//! What stands in the way of a kernel.

use fain_kernels::Cell;
use thiserror::Error;

/// Why a kernel cannot be compiled or started.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CudaError {
    /// A library of CUDA is not on this machine, or cannot be loaded.
    #[error("none of {names} can be loaded: {reason}")]
    Library {
        /// The names that were tried.
        names: String,
        /// What the loader said of the last one.
        reason: String,
    },
    /// A library lacks a function: it is too old.
    #[error("the function {name} is missing: {reason}")]
    Symbol {
        /// The function.
        name: &'static str,
        /// What the loader said.
        reason: String,
    },
    /// A function of the driver or of the compiler failed.
    #[error("{function} failed with code {code}")]
    Call {
        /// The function.
        function: &'static str,
        /// Its `CUresult` or `nvrtcResult`.
        code: i32,
    },
    /// The compiler refused the source.
    #[error("the kernel is not compiled for {architecture}: {log}")]
    Compile {
        /// The processor it was compiled for: `sm_90`.
        architecture: String,
        /// What the compiler said.
        log: String,
    },
    /// The state is wider than a block of threads, or than its shared memory.
    #[error("there is no kernel for states of width {hidden}; the widest is {most}")]
    Width {
        /// The width.
        hidden: usize,
        /// The widest state there is a kernel for.
        most: usize,
    },
    /// A cell that hears scores got none.
    #[error("{cell:?} takes a score for each event")]
    MissingScores {
        /// The cell.
        cell: Cell,
    },
}
