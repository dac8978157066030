//! Loops over the threads that libtorch computes with.
#![allow(unsafe_code, reason = "libtorch's threads are C++, and call back into Rust")]

use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use tch::TchError;

use crate::report::{Report, report};
use crate::{AutogradError, background, unwind};

unsafe extern "C" {
    fn fain_parallel_for(
        count: i64,
        grain: i64,
        body: unsafe extern "C" fn(data: *const c_void, begin: i64, end: i64),
        data: *const c_void,
        sink: *mut c_void,
        report: Report,
    ) -> c_int;
    fn fain_compute_alone();
}

/// A loop body, and the text of its first panic.
struct Loop<B> {
    body: B,
    panic: OnceLock<String>,
}

/// Calls `body` for parts of `0..count` that together cover each index once, on libtorch's own CPU threads.
///
/// There is no second pool of threads: two pools that spin for work at once slow each other down. At most
/// `tch::get_num_threads()` parts run at once. `grain` is the number of items that are worth a thread: there are at most
/// `count / grain` parts, rounded up (a grain of 0 counts as 1). When `count` is not above `grain`, or inside another
/// parallel loop, the caller's thread does all of it. How the range is cut depends on the number of threads: a body
/// gives the same result for any number only when an item's result does not depend on the part it is in.
///
/// Returns when all parts are done, also when one panics.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// let total = AtomicUsize::new(0);
/// fain_autograd::parallel_for(1000, 64, |part| {
///     total.fetch_add(part.sum::<usize>(), Ordering::Relaxed);
/// })?;
/// assert_eq!(total.into_inner(), 499_500);
/// # Ok::<(), fain_autograd::AutogradError>(())
/// ```
///
/// # Errors
/// - [`AutogradError::ParallelPanic`]: the body panicked; the text is that of the first panic;
/// - [`AutogradError::ParallelCount`]: `count` or `grain` is above `i64::MAX`;
/// - [`AutogradError::Libtorch`]: libtorch cannot run the loop.
pub fn parallel_for(count: usize, grain: usize, body: impl Fn(Range<usize>) + Sync) -> Result<(), AutogradError> {
    let signed = |count| i64::try_from(count).map_err(|_| AutogradError::ParallelCount { count });
    let (items, parts) = (count, threads().min(count.div_ceil(grain.max(1))));
    let length = items.div_ceil(parts.max(1));
    let of_part = |part: usize| body(part * length..(part * length + length).min(items));
    if let Some(done) = background::on_board(items.div_ceil(length.max(1)), &of_part) {
        return done;
    }
    run(signed(count)?, signed(grain)?, Loop { body, panic: OnceLock::new() })
}

/// Calls `task` once with each number in `0..tasks`, on libtorch's own CPU threads.
///
/// For tasks that differ in length, or threads that the system takes away for a while: each thread begins with a part of
/// its own, the same in each call, so that a thread's caches see the same part of the data again; when it is done, it
/// takes from the other parts what has not begun. Inside another parallel loop the caller's thread does all of it.
///
/// Returns when all tasks are done. When one panics, others may be left out.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// let total = AtomicUsize::new(0);
/// fain_autograd::parallel_tasks(1000, |number| {
///     total.fetch_add(number, Ordering::Relaxed);
/// })?;
/// assert_eq!(total.into_inner(), 499_500);
/// # Ok::<(), fain_autograd::AutogradError>(())
/// ```
///
/// # Errors
/// As [`parallel_for`].
pub fn parallel_tasks(tasks: usize, task: impl Fn(usize) + Sync) -> Result<(), AutogradError> {
    // Beside a job that was left to the others, or within it.
    if let Some(done) = background::on_board(tasks, &task) {
        return done;
    }
    let threads = threads().min(tasks);
    if threads < 2 {
        return parallel_for(tasks, tasks, |part| part.for_each(&task));
    }
    let start = |thread: usize| tasks / threads * thread + (tasks % threads).min(thread);
    let shares: Vec<Share> =
        (0..threads).map(|thread| Share { next: AtomicUsize::new(start(thread)), end: start(thread + 1) }).collect();
    parallel_for(threads, 1, |part| {
        for own in part {
            for share in shares[own..].iter().chain(&shares[..own]) {
                share.work(&task);
            }
        }
    })
}

/// libtorch's number for the calling thread.
fn threads() -> usize {
    usize::try_from(tch::get_num_threads()).unwrap_or(1)
}

/// Lets libtorch's operations and the loops of this crate, where this thread calls them, run on this thread alone from
/// now on.
///
/// Each thread that computes has a team of threads of its own beside it. For one that makes ready what another computes
/// with, a second team would only be in the way.
///
/// ```
/// std::thread::spawn(|| {
///     fain_autograd::compute_alone();
///     let thread = std::thread::current().id();
///     fain_autograd::parallel_for(1000, 1, |_| assert_eq!(std::thread::current().id(), thread))
/// })
/// .join()
/// .unwrap()?;
/// # Ok::<(), fain_autograd::AutogradError>(())
/// ```
pub fn compute_alone() {
    // SAFETY: it sets a number of this thread in OpenMP, at any time.
    unsafe { fain_compute_alone() }
}

/// The tasks of a thread, on a cache line of its own.
#[repr(align(64))]
struct Share {
    next: AtomicUsize,
    end: usize,
}

impl Share {
    /// Does the tasks that nobody has begun.
    fn work(&self, task: &impl Fn(usize)) {
        loop {
            // The end of the loop over the threads makes what tasks wrote seen; here only the number counts.
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.end {
                return;
            }
            task(number);
        }
    }
}

fn run<B: Fn(Range<usize>) + Sync>(count: i64, grain: i64, work: Loop<B>) -> Result<(), AutogradError> {
    let mut text = String::new();
    // SAFETY: `part::<B>` is made for the type behind `data`, which lives until this returns, and the loop is over by
    // then. `Loop<B>` is `Sync`, as several threads use it. C++ lets no exception out.
    let failed =
        unsafe { fain_parallel_for(count, grain, part::<B>, (&raw const work).cast(), (&raw mut text).cast(), report) };
    if let Some(message) = work.panic.into_inner() {
        return Err(AutogradError::ParallelPanic { message });
    }
    if failed != 0 {
        return Err(TchError::Torch(text).into());
    }
    Ok(())
}

unsafe extern "C" fn part<B: Fn(Range<usize>) + Sync>(data: *const c_void, begin: i64, end: i64) {
    // SAFETY: `run::<B>` passes a `Loop<B>` that outlives the loop.
    let work = unsafe { &*data.cast::<Loop<B>>() };
    // Both are in 0..=count, and count came from a usize.
    if let Err(message) = unwind::catch(|| (work.body)(begin as usize..end as usize)) {
        work.panic.get_or_init(|| message);
    }
}
