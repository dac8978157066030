use crate::cell::Cell;
use crate::instruction_set::InstructionSet;

/// What is wrong with a call of a kernel. Nothing is computed then, except for [`KernelError::Pool`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KernelError {
    /// A buffer has another length than the sizes ask for.
    #[error("{buffer} has {length} numbers: {needed} are needed")]
    Length {
        /// The name of the argument or field.
        buffer: &'static str,
        /// Its length.
        length: usize,
        /// The length that the sizes ask for.
        needed: usize,
    },
    /// A width is 0.
    #[error("{name} is 0: at least 1 is needed")]
    Zero {
        /// `width` or `hidden`.
        name: &'static str,
    },
    /// There are no offsets: even a batch without samples has one, the 0 at the start.
    #[error("offsets is empty: one number more than there are samples is needed")]
    NoOffsets,
    /// The offsets do not start at 0, or one is smaller than the one before.
    #[error("offsets[{index}] is {value}: {}{least} is needed", if *.index == 0 { "" } else { "at least " })]
    Offset {
        /// Where it stands.
        index: usize,
        /// The offset as given.
        value: u32,
        /// The offset before it; 0 at the start.
        least: u32,
    },
    /// The cell weighs events by attention scores and got none.
    #[error("{cell:?} needs scores: one per event")]
    MissingScores {
        /// The cell.
        cell: Cell,
    },
    /// Scores, or a buffer for their gradient, were given to a cell that has no use for them.
    #[error("{cell:?} takes no scores, and there is no gradient of them")]
    UnexpectedScores {
        /// The cell.
        cell: Cell,
    },
    /// An id is no row of the table.
    #[error("ids[{index}] is {id}: the table has {rows} rows")]
    Id {
        /// Where it stands.
        index: usize,
        /// The id as given.
        id: i64,
        /// Rows of the table.
        rows: usize,
    },
    /// There are more than the kernels count.
    #[error("{number} {what}: less than 4294967296 are needed")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        number: usize,
    },
    /// This processor lacks the instruction set that was asked for.
    #[error("this processor has no {set:?}")]
    Unavailable {
        /// The instruction set.
        set: InstructionSet,
    },
    /// The pool did not run every task; the results are incomplete.
    #[error("the pool ran {done} of {tasks} tasks")]
    Pool {
        /// How many there were.
        tasks: usize,
        /// How many came to an end.
        done: usize,
    },
}
