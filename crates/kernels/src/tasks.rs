//! Work that is cut into tasks, and buffers that are handed out with them.

use std::sync::{Mutex, PoisonError};

use crate::error::KernelError;
use crate::pool::Pool;

/// A buffer that is handed out from its start, piece by piece; or no buffer.
pub(crate) struct Pieces<'a, T>(pub(crate) Option<&'a mut [T]>);

impl<'a, T> Pieces<'a, T> {
    /// The next `length` numbers; `None` where there is no buffer.
    pub(crate) fn take(&mut self, length: usize) -> Option<&'a mut [T]> {
        let (piece, rest) = self.0.take()?.split_at_mut_checked(length)?;
        self.0 = Some(rest);
        Some(piece)
    }
}

/// Runs every piece of work once and returns the results in the order of the work. A pool that asks for a piece twice
/// gets it done once.
pub(crate) fn run_all<I: Send, O: Send>(
    pool: &dyn Pool,
    work: impl Iterator<Item = I>,
    run: impl Fn(I) -> O + Sync,
) -> Result<Vec<O>, KernelError> {
    let slots: Vec<Mutex<(Option<I>, Option<O>)>> = work.map(|input| Mutex::new((Some(input), None))).collect();
    pool.run(slots.len(), &|index| {
        let Some(slot) = slots.get(index) else { return };
        let input = slot.lock().unwrap_or_else(PoisonError::into_inner).0.take();
        if let Some(input) = input {
            let output = run(input);
            slot.lock().unwrap_or_else(PoisonError::into_inner).1 = Some(output);
        }
    });
    let tasks = slots.len();
    let results: Vec<O> =
        slots.into_iter().filter_map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner).1).collect();
    if results.len() == tasks { Ok(results) } else { Err(KernelError::Pool { tasks, done: results.len() }) }
}
