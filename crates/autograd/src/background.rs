//! Work that libtorch's other threads do while this one goes on.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::autocast::Suspended;
use crate::board::Board;
use crate::idle::Idle;
use crate::team::{Assist, Team};
use crate::{AutogradError, unwind};

thread_local! {
    /// Whether this thread may leave work to the others.
    static MAY: Cell<bool> = const { Cell::new(false) };
    /// The others, while they do what this thread has left to them.
    static SENT: RefCell<Option<Sent>> = const { RefCell::new(None) };
    /// Where the tasks of this thread's loops are put up, unless its loops have libtorch's threads.
    static BOARD: RefCell<Option<Arc<Board>>> = const { RefCell::new(None) };
    /// Whether this thread is in the middle of a job or a task: then it neither sends others to work nor home.
    static WORKS: Cell<bool> = const { Cell::new(false) };
}

/// Runs `body`, in which [`background`] may leave work to libtorch's other threads.
///
/// A step of a training has much that only one thread can do: each small operation, and the walk back through the graph.
/// Where something large is not needed for a while, the other threads can do it meanwhile. Until it is
/// [joined](Background::join), libtorch's own operations of this thread have no other threads ([`take_back_threads`] gives
/// them back before a large one); the loops of this crate share those that have nothing else to do. What has not been
/// joined at the end of `body` is waited for.
///
/// The result does not depend on who did what, as that of other loops does not. But it is of operations on one thread,
/// where it would otherwise be of operations on several: libtorch's may round differently.
///
/// Within `body`, layers of `fain-layers` may give losses whose number is there only when the backward pass has gone
/// through them; they say so.
///
/// ```
/// use fain_autograd::{background, overlap};
///
/// let sum = overlap(|| {
///     let large = background(|| (0..1_000_000u64).sum::<u64>());
///     let small: u64 = (0..10).sum();
///     Ok::<u64, fain_autograd::AutogradError>(large.join()? + small)
/// })?;
/// assert_eq!(sum, 499_999_500_045);
/// # Ok::<(), fain_autograd::AutogradError>(())
/// ```
pub fn overlap<R>(body: impl FnOnce() -> R) -> R {
    let _scope = Scope { before: MAY.replace(true) };
    body()
}

/// Waits for what this thread has left to others, so that libtorch's operations have all threads: before one that is large
/// enough to be worth it. Nothing happens where nothing was left, and within a job or a task of a loop.
///
/// ```
/// use fain_autograd::{background, overlap, take_back_threads};
///
/// overlap(|| {
///     let work = background(|| 2 + 2);
///     take_back_threads();
///     // The threads can be left another job.
///     let other = background(|| 3 + 3);
///     assert_eq!(work.join()? + other.join()?, 10);
///     Ok::<(), fain_autograd::AutogradError>(())
/// })?;
/// # Ok::<(), fain_autograd::AutogradError>(())
/// ```
pub fn take_back_threads() {
    if !WORKS.get() {
        drop(SENT.take());
    }
}

/// Ends what [`overlap`] allows, also when its body panics.
struct Scope {
    before: bool,
}

impl Drop for Scope {
    fn drop(&mut self) {
        MAY.set(self.before);
        if !self.before {
            take_back_threads();
        }
    }
}

/// Leaves `job` to libtorch's other threads, within [`overlap`]; does it at once elsewhere, and where there are no others
/// or they have a job already.
///
/// Loops of this crate within the job run on all threads that have nothing else to do. While it runs, nothing may write
/// what it reads: the rule of [`slice`](crate::slice()) holds until it is joined.
///
/// As in the passes of a [`Function`](crate::Function), operations of libtorch are not recorded in it, and
/// [`autocast`](crate::autocast()) is off.
pub fn background<O: Send + 'static>(job: impl FnOnce() -> O + Send + 'static) -> Background<O> {
    let outcome = Arc::new(Mutex::new(None));
    let run = {
        let outcome = Arc::clone(&outcome);
        move || {
            let found = {
                let _not_recorded = tch::no_grad_guard();
                let _as_written = Suspended::new();
                unwind::catch(job)
            };
            *outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        }
    };
    // Not within a job, and not beside one.
    let free = MAY.get() && !WORKS.get() && SENT.with_borrow(Option::is_none);
    if !free {
        run();
        return Background { outcome, crew: None };
    }
    let crew = Arc::new(Crew::new(Box::new(run)));
    let Some(team) = Team::begin(Arc::clone(&crew)) else {
        crew.finish();
        return Background { outcome, crew: None };
    };
    BOARD.set(Some(Arc::clone(&crew.foreground)));
    SENT.set(Some(Sent(team)));
    Background { outcome, crew: Some(crew) }
}

/// Work that was left to other threads, or is done.
pub struct Background<O> {
    outcome: Arc<Mutex<Option<Result<O, String>>>>,
    /// Who does it, unless it was done at once.
    crew: Option<Arc<Crew>>,
}

impl<O> fmt::Debug for Background<O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Background").field("is_left", &self.is_left()).finish()
    }
}

impl<O> Background<O> {
    /// Whether it was left to other threads, whatever they have done of it by now. Otherwise it was done at once.
    pub fn is_left(&self) -> bool {
        self.crew.is_some()
    }

    /// What the job gives, once it is done. The caller works on it meanwhile, and has libtorch's threads again
    /// afterwards.
    ///
    /// # Errors
    /// [`AutogradError::ParallelPanic`]: the job panicked.
    pub fn join(self) -> Result<O, AutogradError> {
        if let Some(crew) = &self.crew {
            crew.finish();
            // Another thread than the one that left the work may join it, but cannot send the crew home.
            let own = SENT.with_borrow(|sent| sent.as_ref().is_some_and(|sent| Arc::ptr_eq(sent.0.assistant(), crew)));
            if own {
                take_back_threads();
            }
        }
        let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
        // It is there: the job is done, and only this, by value, takes it away.
        let outcome = outcome.unwrap_or_else(|| Err("the work has no outcome".to_owned()));
        outcome.map_err(|message| AutogradError::ParallelPanic { message })
    }
}

/// The others at work; dropped by the thread that sent them, which then waits for the end of the job.
struct Sent(Team<Crew>);

impl Drop for Sent {
    fn drop(&mut self) {
        BOARD.set(None);
        let crew = self.0.assistant();
        crew.finish();
        crew.dismissed.store(true, Ordering::SeqCst);
        crew.idle.call();
        // The team's own end follows.
    }
}

/// What the threads of a team share.
struct Crew {
    job: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    /// Whether the job is.
    done: AtomicBool,
    dismissed: AtomicBool,
    /// Tasks of the job's loops.
    background: Arc<Board>,
    /// Tasks of the loops of the thread that left the job to the others.
    foreground: Arc<Board>,
    idle: Arc<Idle>,
}

impl Crew {
    fn new(job: Box<dyn FnOnce() + Send>) -> Self {
        let idle = Arc::new(Idle::default());
        let board = || Arc::new(Board::new(Arc::clone(&idle)));
        Self {
            job: Mutex::new(Some(job)),
            done: AtomicBool::new(false),
            dismissed: AtomicBool::new(false),
            background: board(),
            foreground: board(),
            idle,
        }
    }

    /// Does the job if nobody has begun it; says whether that was so.
    fn take_job(&self) -> bool {
        let job = self.job.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(job) = job else { return false };
        work(Some(Arc::clone(&self.background)), job);
        self.done.store(true, Ordering::SeqCst);
        self.idle.call();
        true
    }

    /// Works on the job until it is done.
    fn finish(&self) {
        let done = || self.done.load(Ordering::SeqCst);
        self.idle.work_until(done, || self.take_job() || self.background.help());
    }
}

impl Assist for Crew {
    fn assist(&self) {
        let dismissed = || self.dismissed.load(Ordering::SeqCst);
        self.idle.work_until(dismissed, || self.take_job() || self.background.help() || self.foreground.help());
    }
}

/// Does tasks together with those who look at this thread's board; `None` where it has none.
pub(crate) fn on_board(tasks: usize, task: &(dyn Fn(usize) + Sync)) -> Option<Result<(), AutogradError>> {
    let board = BOARD.with_borrow(Option::clone)?;
    Some(board.run(tasks, task))
}

/// Runs a task of a board: loops in it stay on this thread.
pub(crate) fn within_task<R>(task: impl FnOnce() -> R) -> R {
    work(None, task)
}

/// Runs a job or a task, which catch their own panics. Their loops are put up on `board`.
fn work<R>(board: Option<Arc<Board>>, body: impl FnOnce() -> R) -> R {
    let (board, worked) = (BOARD.replace(board), WORKS.replace(true));
    let result = body();
    BOARD.set(board);
    WORKS.set(worked);
    result
}
