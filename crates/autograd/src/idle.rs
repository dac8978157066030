//! Waiting for work without losing time, and without a lost call.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

/// How often a thread looks for work before it lets others have its processor, should there be more threads than
/// processors: some ten microseconds. Work comes every few.
const LOOKS: usize = 500;
/// How often it then offers the processor and looks, before it goes to sleep: waking up takes as long as many pieces of
/// work.
const OFFERS: usize = 500;

/// Between one look and the next, of which there were so many.
pub(crate) fn wait_a_moment(looks: usize) {
    if looks < LOOKS {
        std::hint::spin_loop();
    } else {
        std::thread::yield_now();
    }
}

/// Where threads without work wait.
#[derive(Debug, Default)]
pub(crate) struct Idle {
    /// Calls so far.
    calls: AtomicUsize,
    sleepers: AtomicUsize,
    lock: Mutex<()>,
    called: Condvar,
}

impl Idle {
    /// Says that there is something new to see.
    pub(crate) fn call(&self) {
        self.calls.fetch_add(1, Ordering::SeqCst);
        // Either the sleeper is counted here, or it sees the new number of calls and does not fall asleep.
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            let _held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
            self.called.notify_all();
        }
    }

    /// Works, where there is work, and waits for calls, where there is none, until the `end`.
    pub(crate) fn work_until(&self, end: impl Fn() -> bool, work: impl Fn() -> bool) {
        let mut looks = 0;
        loop {
            let seen = self.calls.load(Ordering::SeqCst);
            if end() {
                return;
            }
            if work() {
                looks = 0;
            } else if looks < LOOKS + OFFERS {
                looks += 1;
                wait_a_moment(looks);
            } else {
                self.sleep(seen);
            }
        }
    }

    /// Sleeps until the next call after those `seen`.
    fn sleep(&self, seen: usize) {
        let held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        let unseen = |(): &mut ()| self.calls.load(Ordering::SeqCst) == seen;
        let _held = self.called.wait_while(held, unseen).unwrap_or_else(PoisonError::into_inner);
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_call_wakes_those_who_sleep() {
        let (idle, over) = (Idle::default(), AtomicBool::new(false));
        std::thread::scope(|scope| {
            let sleepers: Vec<_> =
                (0..3).map(|_| scope.spawn(|| idle.work_until(|| over.load(Ordering::SeqCst), || false))).collect();
            while idle.sleepers.load(Ordering::SeqCst) < 3 {
                std::thread::sleep(Duration::from_millis(1));
            }
            // Woken for nothing, they sleep again.
            idle.call();
            while idle.sleepers.load(Ordering::SeqCst) < 3 {
                std::thread::yield_now();
            }
            over.store(true, Ordering::SeqCst);
            idle.call();
            for sleeper in sleepers {
                sleeper.join().unwrap();
            }
        });
    }

    #[test]
    fn no_call_is_lost() {
        let (idle, given, taken) = (Idle::default(), AtomicUsize::new(0), AtomicUsize::new(0));
        let take = || {
            let some = given.load(Ordering::SeqCst) > taken.load(Ordering::SeqCst);
            if some {
                taken.fetch_add(1, Ordering::SeqCst);
            }
            some
        };
        std::thread::scope(|scope| {
            scope.spawn(|| idle.work_until(|| taken.load(Ordering::SeqCst) == 2000, take));
            for count in 1..=2000 {
                if count % 100 == 0 {
                    // Long enough for the other to fall asleep.
                    std::thread::sleep(Duration::from_millis(3));
                }
                given.fetch_add(1, Ordering::SeqCst);
                idle.call();
            }
        });
        assert_eq!(taken.into_inner(), 2000);
    }
}
