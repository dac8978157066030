//! How many threads libtorch has, of which there is one number for all tests of this program.

use std::sync::{Mutex, MutexGuard, PoisonError};

static SET: Mutex<()> = Mutex::new(());

/// Sets the number until what it returns is dropped; tests that set it take turns.
pub(crate) fn threads(number: i32) -> MutexGuard<'static, ()> {
    let guard = SET.lock().unwrap_or_else(PoisonError::into_inner);
    tch::set_num_threads(number);
    guard
}
