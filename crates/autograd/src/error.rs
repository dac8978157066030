//! What goes wrong in differentiable functions and parallel loops.

use std::fmt;

use tch::TchError;
use thiserror::Error;

/// The half of a differentiable function that was running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// [`Function::forward`](crate::Function::forward).
    Forward,
    /// [`Function::backward`](crate::Function::backward).
    Backward,
}

impl fmt::Display for Pass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
        })
    }
}

/// Why a differentiable function or a parallel loop failed.
///
/// What fails in a backward pass reaches the caller of `f_backward` or `f_run_backward` as a [`TchError`] with the same
/// text.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AutogradError {
    /// The function itself says why.
    #[error("{pass} of {function} failed: {message}")]
    Function {
        /// The type of the function.
        function: &'static str,
        /// The pass that failed.
        pass: Pass,
        /// The function's own error, as text.
        message: String,
    },
    /// The function panicked, now or in an earlier pass.
    #[error("{pass} of {function} panicked: {message}")]
    Panic {
        /// The type of the function.
        function: &'static str,
        /// The pass that panicked.
        pass: Pass,
        /// The text of the panic.
        message: String,
    },
    /// An input is an undefined tensor.
    #[error("input {index} of {function} is undefined")]
    UndefinedInput {
        /// The type of the function.
        function: &'static str,
        /// The input, from 0.
        index: usize,
    },
    /// The forward pass changed an input in place, which the graph would not know.
    #[error("forward of {function} changed its input {index} in place")]
    InputChanged {
        /// The type of the function.
        function: &'static str,
        /// The input, from 0.
        index: usize,
    },
    /// The forward pass gave no output.
    #[error("forward of {function} returned 0 outputs; at least 1 is needed")]
    NoOutput {
        /// The type of the function.
        function: &'static str,
    },
    /// An output is an undefined tensor.
    #[error("output {index} of {function} is undefined")]
    UndefinedOutput {
        /// The type of the function.
        function: &'static str,
        /// The output, from 0.
        index: usize,
    },
    /// The backward pass gave more or fewer gradients than the function has inputs.
    #[error("backward of {function} returned {got} gradients for {expected} inputs")]
    GradientCount {
        /// The type of the function.
        function: &'static str,
        /// The number of inputs.
        expected: usize,
        /// The number of gradients, `None` counted.
        got: usize,
    },
    /// The body of a parallel loop panicked.
    #[error("the body of a parallel loop panicked: {message}")]
    ParallelPanic {
        /// The text of the first panic.
        message: String,
    },
    /// A parallel loop is longer than libtorch counts.
    #[error("a parallel loop over {count} items is too long; the most is {}", i64::MAX)]
    ParallelCount {
        /// The number of items, or of items in a part, asked for.
        count: usize,
    },
    /// libtorch refused.
    #[error(transparent)]
    Libtorch(#[from] TchError),
}
