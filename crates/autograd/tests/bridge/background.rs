//! Work left to libtorch's other threads.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, ThreadId};

use fain_autograd::{
    AutogradError, background, compute_alone, overlap, parallel_for, parallel_tasks, take_back_threads,
};
use tch::{Kind, Tensor};

use crate::number_of_threads::threads;

fn here() -> ThreadId {
    thread::current().id()
}

#[test]
fn without_overlap_a_job_is_done_at_once() {
    let _set = threads(2);
    let work = background(here);
    assert!(!work.is_left());
    assert_eq!(work.join().unwrap(), here());
    overlap(|| ());
    assert!(!background(here).is_left());
}

#[test]
fn others_do_the_job_while_this_thread_goes_on() {
    static BEGUN: AtomicBool = AtomicBool::new(false);
    static GO_ON: AtomicBool = AtomicBool::new(false);
    let _set = threads(2);
    let other = overlap(|| {
        let work = background(|| {
            BEGUN.store(true, Ordering::SeqCst);
            while !GO_ON.load(Ordering::SeqCst) {
                thread::yield_now();
            }
            here()
        });
        assert!(work.is_left());
        while !BEGUN.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        // Loops and operations of this thread go on meanwhile.
        let sum = AtomicUsize::new(0);
        let add = |number: usize| {
            sum.fetch_add(number, Ordering::SeqCst);
        };
        parallel_tasks(100, add).unwrap();
        parallel_for(100, 7, |part| add(part.sum())).unwrap();
        assert_eq!(sum.into_inner(), 9900);
        let ones = Tensor::ones([300, 300], (Kind::Float, tch::Device::Cpu));
        assert_eq!(ones.matmul(&ones).sum(Kind::Int64).int64_value(&[]), 27_000_000);
        GO_ON.store(true, Ordering::SeqCst);
        work.join().unwrap()
    });
    assert_ne!(other, here());
}

#[test]
fn those_who_are_done_with_the_job_help_with_the_loops() {
    for number in [2, 3] {
        let _set = threads(number);
        let helpers = Mutex::new(HashSet::new());
        overlap(|| {
            let work = background(|| 5);
            let patience = std::time::Instant::now();
            while helpers.lock().unwrap().len() < 2 && patience.elapsed().as_secs() < 60 {
                parallel_tasks(8, |_| {
                    helpers.lock().unwrap().insert(here());
                    thread::yield_now();
                })
                .unwrap();
            }
            assert_eq!(work.join().unwrap(), 5);
        });
        assert!(helpers.into_inner().unwrap().len() >= 2);
    }
}

#[test]
fn loops_of_a_job_and_of_its_caller_do_each_task_once() {
    for number in [1, 2, 3] {
        let _set = threads(number);
        for round in 0..300 {
            let tasks = [0, 1, 2, 7, 500][round % 5];
            let count = |visits: &[AtomicUsize], number: usize| {
                visits[number].fetch_add(1, Ordering::SeqCst);
            };
            let counters = move || (0..tasks).map(|_| AtomicUsize::new(0)).collect::<Vec<_>>();
            let once = |visits: Vec<AtomicUsize>| visits.into_iter().all(|visits| visits.into_inner() == 1);
            overlap(|| {
                let work = background(move || {
                    let visits = counters();
                    parallel_tasks(tasks, |number| count(&visits, number)).unwrap();
                    parallel_for(tasks, 3, |part| assert!(!part.is_empty())).unwrap();
                    once(visits)
                });
                assert_eq!(work.is_left(), number > 1);
                let visits = counters();
                parallel_tasks(tasks, |number| {
                    // A loop within a task stays on its thread.
                    let thread = here();
                    parallel_tasks(3, |_| assert_eq!(here(), thread)).unwrap();
                    count(&visits, number);
                })
                .unwrap();
                assert!(once(visits) && work.join().unwrap(), "{tasks} tasks, {number} threads");
            });
        }
    }
}

#[test]
fn what_is_not_joined_is_waited_for() {
    static DONE: AtomicUsize = AtomicUsize::new(0);
    let _set = threads(2);
    let slow = || {
        thread::sleep(std::time::Duration::from_millis(20));
        DONE.fetch_add(1, Ordering::SeqCst);
    };
    let work = overlap(|| background(slow));
    assert_eq!(DONE.load(Ordering::SeqCst), 1);
    work.join().unwrap();
    overlap(|| drop(background(slow)));
    assert_eq!(DONE.load(Ordering::SeqCst), 2);
    let panic = thread::spawn(move || {
        overlap(|| {
            let _work = background(slow);
            std::panic::resume_unwind(Box::new("out"));
        });
    });
    panic.join().unwrap_err();
    assert_eq!(DONE.load(Ordering::SeqCst), 3);
    // The threads are there again.
    let seen = Mutex::new(HashSet::new());
    parallel_for(2, 1, |_| {
        seen.lock().unwrap().insert(here());
    })
    .unwrap();
    assert_eq!(seen.into_inner().unwrap().len(), 2);
}

#[test]
fn one_job_at_a_time_is_left_and_inner_scopes_end_nothing() {
    let _set = threads(2);
    overlap(|| {
        let first = background(|| background(here).is_left());
        let second = background(here);
        overlap(|| ());
        assert!(first.is_left() && !second.is_left());
        assert_eq!(second.join().unwrap(), here());
        assert!(!first.join().unwrap(), "a job within a job was left to others");
        assert!(background(here).is_left());
    });
}

#[test]
fn threads_that_were_taken_back_are_there_for_all() {
    let _set = threads(2);
    take_back_threads();
    overlap(|| {
        let work = background(|| 3);
        take_back_threads();
        let seen = Mutex::new(HashSet::new());
        parallel_for(2, 1, |_| {
            seen.lock().unwrap().insert(here());
        })
        .unwrap();
        assert_eq!(seen.into_inner().unwrap().len(), 2);
        // They can have another job before the first one is asked for.
        let other = background(|| 4);
        assert!(work.is_left() && other.is_left());
        assert_eq!((work.join().unwrap(), other.join().unwrap()), (3, 4));
    });
}

/// The thread that joins a job may be the one that does it: it must not wait for itself, nor lose its helpers halfway.
#[test]
fn within_jobs_and_tasks_nobody_is_sent_to_work_or_home() {
    let _set = threads(2);
    let inner = || {
        take_back_threads();
        overlap(|| assert!(!background(|| ()).is_left()));
    };
    for _ in 0..200 {
        overlap(|| {
            let work = background(move || {
                inner();
                parallel_tasks(4, |_| inner()).unwrap();
            });
            parallel_tasks(4, |_| inner()).unwrap();
            // It is still out.
            assert!(work.is_left() && !background(|| ()).is_left());
            work.join().unwrap();
        });
        let seen = Mutex::new(HashSet::new());
        parallel_for(2, 1, |_| {
            seen.lock().unwrap().insert(here());
        })
        .unwrap();
        assert_eq!(seen.into_inner().unwrap().len(), 2);
    }
}

#[test]
fn another_thread_may_wait_for_the_job() {
    let _set = threads(2);
    overlap(|| {
        let work = background(|| 3);
        assert_eq!(thread::spawn(move || work.join().unwrap()).join().unwrap(), 3);
        parallel_tasks(10, |_| ()).unwrap();
    });
}

#[test]
fn a_thread_that_computes_alone_leaves_nothing_to_others() {
    thread::spawn(|| {
        compute_alone();
        overlap(|| assert!(!background(|| ()).is_left()));
    })
    .join()
    .unwrap();
    let _set = threads(2);
    parallel_for(2, 1, |_| overlap(|| assert!(!background(|| ()).is_left()))).unwrap();
}

#[test]
fn a_job_that_panics_is_an_error() {
    let _set = threads(2);
    let bad = || -> usize { std::panic::resume_unwind(Box::new("the job is bad")) };
    for error in [background(bad).join().unwrap_err(), overlap(|| background(bad).join().unwrap_err())] {
        assert!(matches!(&error, AutogradError::ParallelPanic { message } if message == "the job is bad"), "{error:?}");
    }
    assert_eq!(overlap(|| background(|| 1).join()).unwrap(), 1);
}

#[test]
fn a_job_records_nothing() {
    let _set = threads(2);
    let recorded = || {
        let leaf = Tensor::ones([2], (Kind::Float, tch::Device::Cpu)).set_requires_grad(true);
        background(move || leaf.square().requires_grad()).join().unwrap()
    };
    assert!(!recorded());
    assert!(!overlap(recorded));
}
