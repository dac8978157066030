//! How a new state is mixed from the old one and the candidate, for all cells at once.

use crate::cell::{AugruGate, Cell};
use crate::scalar::Scalar;

/// `h' = keep ∘ h + take ∘ n` with `keep = base + slope · g` and `take = rest − slope · g`, where `g` is the update
/// gate. `base + rest = 1`, so that `keep + take = 1`; both are stated so that neither is computed by cancellation.
#[derive(Clone, Copy)]
pub(crate) struct Mixture<T> {
    pub(crate) base: T,
    pub(crate) rest: T,
    pub(crate) slope: T,
}

impl<T: Scalar> Mixture<T> {
    /// `score` is the event's attention score; GRU has none and does not read it.
    #[inline(always)]
    pub(crate) fn new(cell: Cell, score: T) -> Self {
        let (zero, one) = (T::ZERO, T::ONE);
        match cell {
            Cell::Gru => Self { base: zero, rest: one, slope: one },
            Cell::Agru => Self { base: one - score, rest: score, slope: zero },
            Cell::Augru(AugruGate::Paper) => Self { base: one, rest: zero, slope: zero - score },
            Cell::Augru(AugruGate::Official) => Self { base: zero, rest: one, slope: one - score },
        }
    }
}
