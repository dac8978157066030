//! The source of one kernel: the cell, the width and how it is laid out on the processor.

use fain_kernels::{AugruGate, Cell};

/// The kernels, for the compiler that runs when the program does.
const SOURCE: &str = include_str!("recurrence.cu");

/// Which of the two kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pass {
    /// The states.
    Forward,
    /// The gradients.
    Backward,
}

impl Pass {
    /// The kernel's name in the source.
    pub(crate) fn entry(self) -> &'static str {
        match self {
            Self::Forward => "recurrence_forward",
            Self::Backward => "recurrence_backward",
        }
    }
}

/// What a kernel is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Variant {
    pub(crate) cell: CellName,
    /// `H`.
    pub(crate) hidden: usize,
    /// Histories that a thread walks through side by side.
    pub(crate) samples: usize,
    /// Whether a block keeps the weights in shared memory.
    pub(crate) shared: bool,
}

/// A [`Cell`] that a map can have as its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum CellName {
    Gru,
    Agru,
    Augru,
    AugruOfficial,
}

impl From<Cell> for CellName {
    fn from(cell: Cell) -> Self {
        match cell {
            Cell::Gru => Self::Gru,
            Cell::Agru => Self::Agru,
            Cell::Augru(AugruGate::Paper) => Self::Augru,
            Cell::Augru(AugruGate::Official) => Self::AugruOfficial,
        }
    }
}

impl CellName {
    /// Its name in the source.
    fn text(self) -> &'static str {
        match self {
            Self::Gru => "GRU",
            Self::Agru => "AGRU",
            Self::Augru => "AUGRU",
            Self::AugruOfficial => "AUGRU_OFFICIAL",
        }
    }
}

impl Variant {
    /// The CUDA source.
    pub fn source(&self) -> String {
        let Self { cell, hidden, samples, shared } = *self;
        let threads = if hidden > USUAL_THREADS { MOST_THREADS } else { USUAL_THREADS };
        format!(
            "#define CELL {}\n#define HIDDEN {hidden}\n#define SAMPLES {samples}\n#define SHARED {}\n\
             #define THREADS {threads}\n{SOURCE}",
            cell.text(),
            u8::from(shared),
        )
    }
}

/// The most threads of a block, where a state is not wider.
pub(crate) const USUAL_THREADS: usize = 256;

/// The most threads that any block can have, and with a thread for each unit the widest state.
pub(crate) const MOST_THREADS: usize = 1024;
