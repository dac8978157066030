//! What can go wrong when weights are taken in.

use tch::TchError;
use thiserror::Error;

/// Why the weights of another program could not be taken in. The model is as it was.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A file cannot be read.
    #[error("cannot read {file}: {cause}")]
    Io {
        /// The file.
        file: String,
        /// The cause.
        cause: std::io::Error,
    },
    /// The bytes are no safetensors file.
    #[error("{file} is no valid safetensors file: {cause}")]
    Format {
        /// The file.
        file: String,
        /// The cause.
        cause: safetensors::SafeTensorError,
    },
    /// The mapping is malformed.
    #[error("{origin}: {problem}")]
    Mapping {
        /// The mapping's file.
        origin: String,
        /// The rule, and what is allowed.
        problem: String,
    },
    /// Model, mapping and tensors do not fit together.
    #[error("{origin}: {} in the weights{}", count(problems.len()), lines(problems))]
    Mismatch {
        /// Where the tensors come from.
        origin: String,
        /// Everything that does not fit.
        problems: Vec<ImportProblem>,
    },
    /// libtorch refused.
    #[error("libtorch: {0}")]
    Torch(#[from] TchError),
}

/// One thing that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ImportProblem {
    /// A variable whose tensor is not there.
    #[error("{ours} needs {theirs}, which is missing")]
    Missing {
        /// The variable.
        ours: String,
        /// The tensor it should come from.
        theirs: String,
    },
    /// A tensor that no variable reads and that is not ignored.
    #[error("{theirs} is neither used nor ignored")]
    Extra {
        /// The tensor.
        theirs: String,
    },
    /// A tensor that several variables read, without leave.
    #[error("{theirs} is read by {}; list it under [shared] if that is meant", ours.join(" and "))]
    ReadTwice {
        /// The tensor.
        theirs: String,
        /// The variables.
        ours: Vec<String>,
    },
    /// A tensor of another shape.
    #[error("{theirs} is {got:?}{}, but {ours} needs {needed:?}", after(got, prepared))]
    Shape {
        /// The variable.
        ours: String,
        /// The tensor.
        theirs: String,
        /// Its shape.
        got: Vec<i64>,
        /// Its shape after the operations.
        prepared: Vec<i64>,
        /// The variable's shape.
        needed: Vec<i64>,
    },
    /// An operation that cannot be done with this tensor.
    #[error("{theirs} for {ours}: {problem}")]
    Operation {
        /// The variable.
        ours: String,
        /// The tensor.
        theirs: String,
        /// The operation, its need and what it got.
        problem: String,
    },
    /// A tensor of a kind that cannot be converted.
    #[error("{theirs} for {ours} is {got}; allowed: {needed}")]
    Kind {
        /// The variable.
        ours: String,
        /// The tensor.
        theirs: String,
        /// Its kind.
        got: String,
        /// What is allowed.
        needed: String,
    },
    /// A tensor with values that are no finite numbers, or are none in the variable's kind.
    #[error("{theirs} for {ours} has {count} value(s) that are not finite")]
    NotFinite {
        /// The variable.
        ours: String,
        /// The tensor.
        theirs: String,
        /// How many values.
        count: i64,
    },
    /// A rule that is there for nothing: a misspelt name, in all likelihood.
    #[error("[{table}] \"{rule}\" fits nothing")]
    Rule {
        /// The table of the mapping.
        table: &'static str,
        /// The rule's left side.
        rule: String,
    },
    /// Two patterns that fit a name equally well.
    #[error("{ours}: [{table}] has \"{first}\" and \"{second}\", which fit equally well")]
    Ambiguous {
        /// The variable.
        ours: String,
        /// The table of the mapping.
        table: &'static str,
        /// One pattern.
        first: String,
        /// The other.
        second: String,
    },
}

/// Why the work on one tensor stops: it does not fit, and the other tensors are looked at all the same, or libtorch
/// refused.
#[derive(Debug)]
pub(super) enum Stop<P> {
    Problem(P),
    Torch(TchError),
}

impl<P> From<TchError> for Stop<P> {
    fn from(error: TchError) -> Self {
        Self::Torch(error)
    }
}

fn count(problems: usize) -> String {
    if problems == 1 { "1 problem".to_owned() } else { format!("{problems} problems") }
}

fn lines(problems: &[ImportProblem]) -> String {
    let mut lines = String::new();
    for problem in problems {
        lines.push_str("\n  ");
        lines.push_str(&problem.to_string());
    }
    lines
}

fn after(got: &[i64], prepared: &[i64]) -> String {
    if got == prepared { String::new() } else { format!(", {prepared:?} after its operations") }
}
