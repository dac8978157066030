//! Tasks that are put up for whoever has nothing to do.
#![allow(unsafe_code, reason = "tasks are borrowed from a thread that waits until they are done")]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::background::within_task;
use crate::idle::{Idle, wait_a_moment};
use crate::{AutogradError, unwind};

/// A place for the tasks of one loop at a time.
#[derive(Debug)]
pub(crate) struct Board {
    /// Whether there is something on it: looked at often, without a lock.
    filled: AtomicBool,
    tasks: Mutex<Option<Arc<Tasks>>>,
    idle: Arc<Idle>,
}

impl Board {
    pub(crate) fn new(idle: Arc<Idle>) -> Self {
        Self { filled: AtomicBool::new(false), tasks: Mutex::new(None), idle }
    }

    /// Puts tasks up, works on them from the first on, and returns when all are done.
    pub(crate) fn run(&self, count: usize, task: &(dyn Fn(usize) + Sync)) -> Result<(), AutogradError> {
        let tasks = Arc::new(Tasks {
            task: (&raw const task).cast(),
            call,
            count,
            begun: AtomicUsize::new(0),
            from_the_end: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
            panic: OnceLock::new(),
        });
        if count > 1 {
            self.show(Some(Arc::clone(&tasks)));
            self.idle.call();
        }
        (0..count).take_while(|_| tasks.begin()).for_each(|number| tasks.run(number));
        if count > 1 {
            self.show(None);
        }
        // `task` is borrowed by those who have begun one.
        tasks.wait();
        match tasks.panic.get() {
            Some(message) => Err(AutogradError::ParallelPanic { message: message.clone() }),
            None => Ok(()),
        }
    }

    fn show(&self, tasks: Option<Arc<Tasks>>) {
        let filled = tasks.is_some();
        *self.tasks.lock().unwrap_or_else(PoisonError::into_inner) = tasks;
        self.filled.store(filled, Ordering::SeqCst);
    }

    /// Does tasks that nobody has begun, from the last on; says whether there was one.
    pub(crate) fn help(&self) -> bool {
        if !self.filled.load(Ordering::SeqCst) {
            return false;
        }
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(tasks) = tasks else { return false };
        let mut helped = false;
        while tasks.begin() {
            // No more are begun than there are: those from both ends do not meet.
            let number = tasks.count - 1 - tasks.from_the_end.fetch_add(1, Ordering::Relaxed);
            tasks.run(number);
            helped = true;
        }
        helped
    }
}

/// The tasks of a loop.
#[derive(Debug)]
struct Tasks {
    /// Points to a `&(dyn Fn(usize) + Sync)` of the thread in [`Board::run`].
    task: *const (),
    call: unsafe fn(*const (), usize),
    count: usize,
    /// How many somebody has begun; above `count` when some looked in vain.
    begun: AtomicUsize,
    /// Those of `begun` that others than the first thread have.
    from_the_end: AtomicUsize,
    done: AtomicUsize,
    /// The text of the first panic.
    panic: OnceLock<String>,
}

// SAFETY: what `task` points to is a shared reference to a `Sync` function, used between a successful `begin` and the
// `done` that follows it. `Board::run` waits for as many `done` as there are tasks before it gives the reference up, and
// `begin` succeeds no more often than that.
unsafe impl Send for Tasks {}
// SAFETY: as above; all else is `Sync`.
unsafe impl Sync for Tasks {}

impl Tasks {
    /// Whether there is one more task for the caller, who then must [`run`](Self::run) it.
    fn begin(&self) -> bool {
        // A number above `count` stays small, as everybody stops at the first.
        self.begun.load(Ordering::Relaxed) < self.count && self.begun.fetch_add(1, Ordering::Relaxed) < self.count
    }

    /// After [`begin`](Self::begin) has said so.
    fn run(&self, number: usize) {
        // SAFETY: `begin` succeeded and `done` has not been counted, so that `Board::run` still waits.
        let task = || unsafe { (self.call)(self.task, number) };
        if let Err(message) = within_task(|| unwind::catch(task)) {
            self.panic.get_or_init(|| message);
        }
        self.done.fetch_add(1, Ordering::Release);
    }

    /// Waits until all are done; what they wrote is seen then.
    fn wait(&self) {
        let mut looks = 0;
        while self.done.load(Ordering::Acquire) < self.count {
            looks += 1;
            wait_a_moment(looks);
        }
    }
}

/// # Safety
/// `task` points to a `&(dyn Fn(usize) + Sync)` that is alive.
unsafe fn call(task: *const (), number: usize) {
    // SAFETY: as the caller says.
    let task = unsafe { *task.cast::<&(dyn Fn(usize) + Sync)>() };
    task(number);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
    use std::time::Instant;

    use super::*;

    #[test]
    fn whoever_helps_each_task_is_done_once_before_the_loop_ends() {
        let idle = Arc::new(Idle::default());
        let (board, over) = (Board::new(Arc::clone(&idle)), AtomicBool::new(false));
        let helped = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let help = || board.help() && helped.fetch_add(1, Ordering::Relaxed) < usize::MAX;
                    idle.work_until(|| over.load(Ordering::SeqCst), help);
                });
            }
            let patience = Instant::now();
            let wanting = || helped.load(Ordering::Relaxed) < 100 && patience.elapsed().as_secs() < 60;
            for round in (0..).take_while(|&round| round < 2000 || wanting()) {
                let count = [0, 1, 2, 7, 64][round % 5];
                // It is gone when the round ends.
                let visits: Vec<AtomicUsize> = (0..count).map(|_| AtomicUsize::new(0)).collect();
                let visit = |number: usize| {
                    visits[number].fetch_add(1, Ordering::Relaxed);
                };
                board.run(count, &visit).unwrap();
                assert!(visits.iter().all(|visits| visits.load(Ordering::Relaxed) == 1), "{count} tasks");
            }
            over.store(true, Ordering::SeqCst);
            idle.call();
        });
        assert!(helped.into_inner() >= 100);
    }

    #[test]
    fn a_panic_is_an_error_and_the_other_tasks_are_done() {
        let board = Board::new(Arc::default());
        let done = AtomicUsize::new(0);
        let task = |number: usize| {
            assert!(number != 3, "task 3 is bad");
            done.fetch_add(1, Ordering::Relaxed);
        };
        let error = board.run(8, &task).unwrap_err();
        assert!(matches!(&error, AutogradError::ParallelPanic { message } if message == "task 3 is bad"), "{error:?}");
        assert_eq!(done.into_inner(), 7);
    }
}
