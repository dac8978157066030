//! Many broken versions of files, on all threads.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::mutate::{Random, mutate};

/// What no case takes, however busy the machine is.
const LIMIT: Duration = Duration::from_secs(60);
/// How often a long run says where it is.
const REPORT: Duration = Duration::from_secs(30);

/// What became of a broken file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Refused,
    /// The check has found the contents to be right.
    Accepted,
}

/// What became of all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) refused: u64,
    pub(crate) accepted: u64,
}

/// Runs a check on many broken versions of each file, on all threads. `make` makes the check of a thread, which has a
/// folder of its own; a check gets the number of the file and its broken bytes, and panics if they are read wrongly.
///
/// # Panics
/// If a check panics or does not come to an end, with the number of its case.
pub(crate) fn cases<C: FnMut(usize, &[u8]) -> Outcome>(
    name: &'static str,
    files: Vec<Vec<u8>>,
    make: impl Fn(&Path) -> C + Send + Sync + 'static,
) -> Counts {
    let count = env::var("FAIN_CASES").map_or(1500, |count| count.parse().unwrap());
    run(Run { name, files, count, limit: LIMIT }, make)
}

/// A folder in memory, where the system has such: what is written there does not wait for a disk.
pub(crate) fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

struct Run {
    name: &'static str,
    files: Vec<Vec<u8>>,
    count: u64,
    limit: Duration,
}

/// The case of a thread, and when it began, in milliseconds after the start; `IDLE` between cases.
struct Watch {
    case: AtomicU64,
    began: AtomicU64,
}

const IDLE: u64 = u64::MAX;

struct Shared {
    run: Run,
    next: AtomicU64,
    started: Instant,
    watches: Vec<Watch>,
}

/// What a thread says when it ends: its counts, or the case that failed.
type Report = Result<Counts, u64>;

fn run<C: FnMut(usize, &[u8]) -> Outcome>(run: Run, make: impl Fn(&Path) -> C + Send + Sync + 'static) -> Counts {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let watch = |_| Watch { case: AtomicU64::new(0), began: AtomicU64::new(IDLE) };
    let watches = (0..threads).map(watch).collect();
    let shared = Arc::new(Shared { run, next: AtomicU64::new(0), started: Instant::now(), watches });
    let make = Arc::new(make);
    let (sender, reports) = channel();
    for number in 0..threads {
        let (shared, make, sender) = (Arc::clone(&shared), Arc::clone(&make), sender.clone());
        // Not scoped: nobody waits for a thread that hangs.
        thread::spawn(move || work(number, &shared, &*make, &sender));
    }
    drop(sender);
    let (mut counts, mut left, mut said) = (Counts::default(), threads, Instant::now());
    let name = shared.run.name;
    while left > 0 {
        match reports.recv_timeout(Duration::from_secs(1).min(shared.run.limit)) {
            Ok(Ok(part)) => {
                counts.refused += part.refused;
                counts.accepted += part.accepted;
                left -= 1;
            }
            Ok(Err(case)) => panic!("{name}: case {case} failed"),
            Err(RecvTimeoutError::Disconnected) => panic!("{name}: a thread ended early"),
            Err(RecvTimeoutError::Timeout) => {}
        }
        shared.check_hanging();
        if said.elapsed() > REPORT {
            said = Instant::now();
            let done = shared.next.load(Ordering::Relaxed).min(shared.run.count);
            say(&format!("{name}: {done} of {} cases", shared.run.count));
        }
    }
    let Counts { refused, accepted } = counts;
    let seconds = shared.started.elapsed().as_secs_f64();
    say(&format!("{name}: {} cases, {refused} refused, {accepted} rightly accepted, {seconds:.1} s", shared.run.count));
    counts
}

fn work<C: FnMut(usize, &[u8]) -> Outcome>(
    number: usize,
    shared: &Shared,
    make: &impl Fn(&Path) -> C,
    reports: &Sender<Report>,
) {
    let folder = scratch();
    let mut check = make(folder.path());
    let (run, watch) = (&shared.run, &shared.watches[number]);
    let mut counts = Counts::default();
    loop {
        let case = shared.next.fetch_add(1, Ordering::Relaxed);
        if case >= run.count {
            break;
        }
        watch.case.store(case, Ordering::Relaxed);
        watch.began.store(shared.started.elapsed().as_millis() as u64, Ordering::Relaxed);
        let mut random = Random::new(case);
        let file = random.below(run.files.len());
        let broken = mutate(&run.files[file], &mut random);
        match catch_unwind(AssertUnwindSafe(|| check(file, &broken))) {
            Ok(Outcome::Refused) => counts.refused += 1,
            Ok(Outcome::Accepted) => counts.accepted += 1,
            Err(_) => {
                // Nobody hears a second failure.
                let _ = reports.send(Err(case));
                return;
            }
        }
        watch.began.store(IDLE, Ordering::Relaxed);
    }
    let _ = reports.send(Ok(counts));
}

impl Shared {
    fn check_hanging(&self) {
        let now = self.started.elapsed().as_millis() as u64;
        for watch in &self.watches {
            let (case, began) = (watch.case.load(Ordering::Relaxed), watch.began.load(Ordering::Relaxed));
            let seconds = self.run.limit.as_secs_f64();
            let late = began != IDLE && u128::from(now.saturating_sub(began)) > self.run.limit.as_millis();
            assert!(!late, "{}: case {case} has not ended after {seconds} s", self.run.name);
        }
    }
}

#[allow(clippy::print_stderr, reason = "a long run says where it is")]
fn say(line: &str) {
    eprintln!("{line}");
}

#[cfg(test)]
mod tests {
    use std::any::Any;

    use super::*;

    fn outcome(limit: Duration, check: fn(u8) -> Outcome) -> Result<Counts, String> {
        let run_all = || {
            let files = vec![(0..=255).collect()];
            run(Run { name: "bytes", files, count: 300, limit }, move |_| move |_, broken: &[u8]| check(broken[0]))
        };
        let text = |panic: Box<dyn Any + Send>| panic.downcast_ref::<String>().unwrap().clone();
        catch_unwind(run_all).map_err(text)
    }

    #[test]
    fn every_case_counts_once() {
        let counts = outcome(LIMIT, |first| if first == 0 { Outcome::Accepted } else { Outcome::Refused }).unwrap();
        assert_eq!(counts.refused + counts.accepted, 300);
        // One to four of 256 bytes are broken.
        assert!((1..60).contains(&counts.refused), "{counts:?}");
        let again = outcome(LIMIT, |first| if first == 0 { Outcome::Accepted } else { Outcome::Refused });
        assert_eq!(again, Ok(counts), "the threads have shared out the cases in another way");
    }

    #[test]
    fn a_panic_names_its_case() {
        let error = outcome(LIMIT, |first| {
            assert_eq!(first, 0, "expected by the test");
            Outcome::Accepted
        });
        let error = error.unwrap_err();
        let case: u64 = error.strip_prefix("bytes: case ").unwrap().strip_suffix(" failed").unwrap().parse().unwrap();
        let mut random = Random::new(case);
        random.below(1);
        assert_ne!(mutate(&(0..=255).collect::<Vec<u8>>(), &mut random)[0], 0);
    }

    #[test]
    fn a_case_without_end_is_a_failure() {
        let error = outcome(Duration::from_millis(200), |first| {
            if first == 0 {
                return Outcome::Accepted;
            }
            loop {
                thread::sleep(Duration::from_secs(1));
            }
        });
        let error = error.unwrap_err();
        assert!(error.starts_with("bytes: case ") && error.ends_with(" has not ended after 0.2 s"), "{error}");
    }
}
