//! Loops over libtorch's threads.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use fain_autograd::{AutogradError, apply, parallel_for, parallel_tasks};
use tch::Tensor;

use crate::closures::{closures, gradient, leaf, values};
use crate::number_of_threads::threads;

#[test]
fn each_index_is_visited_once() {
    let _set = threads(2);
    for count in [0, 1, 7, 1000] {
        for grain in [0, 1, 3, 7, 64, 5000] {
            let visits: Vec<AtomicUsize> = (0..count).map(|_| AtomicUsize::new(0)).collect();
            let parts = AtomicUsize::new(0);
            parallel_for(count, grain, |part| {
                assert!(!part.is_empty());
                parts.fetch_add(1, Ordering::SeqCst);
                for index in part {
                    visits[index].fetch_add(1, Ordering::SeqCst);
                }
            })
            .unwrap();
            assert!(visits.iter().all(|visits| visits.load(Ordering::SeqCst) == 1), "count {count}, grain {grain}");
            let parts = parts.into_inner();
            assert!(parts <= count.div_ceil(grain.max(1)), "{parts} parts; count {count}, grain {grain}");
        }
    }
}

#[test]
fn each_task_is_done_once() {
    for number in [1, 2, 3] {
        let _set = threads(number);
        for tasks in [0, 1, 2, 7, 1000] {
            let visits: Vec<AtomicUsize> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
            parallel_tasks(tasks, |number| {
                visits[number].fetch_add(1, Ordering::SeqCst);
            })
            .unwrap();
            assert!(visits.iter().all(|visits| visits.load(Ordering::SeqCst) == 1), "{tasks} tasks, {number} threads");
        }
    }
}

/// Cut in halves, the thread of the first task would have others to do, and the first task would wait for them in vain.
#[test]
fn a_thread_that_is_done_takes_over_what_others_have_not_begun() {
    let _set = threads(2);
    let (done, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
    parallel_tasks(8, |number| {
        if number == 0 {
            let patience = std::time::Instant::now();
            while done.load(Ordering::SeqCst) < 7 && patience.elapsed().as_secs() < 60 {
                std::thread::yield_now();
            }
            taken.store(done.load(Ordering::SeqCst), Ordering::SeqCst);
        }
        done.fetch_add(1, Ordering::SeqCst);
    })
    .unwrap();
    assert_eq!((done.into_inner(), taken.into_inner()), (8, 7));
}

#[test]
fn a_panic_in_a_task_is_an_error() {
    let _set = threads(2);
    for tasks in [1, 10] {
        let error = parallel_tasks(tasks, |number| {
            if number == 0 {
                std::panic::resume_unwind(Box::new("task 0 is bad"));
            }
        })
        .unwrap_err();
        assert!(matches!(&error, AutogradError::ParallelPanic { message } if message == "task 0 is bad"), "{error:?}");
    }
}

#[test]
fn a_long_loop_runs_on_several_threads() {
    let _set = threads(2);
    let threads = Mutex::new(HashSet::new());
    parallel_for(1000, 10, |_| {
        threads.lock().unwrap().insert(std::thread::current().id());
    })
    .unwrap();
    assert_eq!(threads.into_inner().unwrap().len(), 2);
}

#[test]
fn a_loop_in_a_loop_runs_where_it_is() {
    let _set = threads(2);
    let total = AtomicUsize::new(0);
    parallel_for(4, 1, |outer| {
        for row in outer {
            let caller = std::thread::current().id();
            parallel_for(100, 1, |inner| {
                assert_eq!(std::thread::current().id(), caller);
                total.fetch_add(inner.map(|column| row * 100 + column).sum(), Ordering::SeqCst);
            })
            .unwrap();
        }
    })
    .unwrap();
    assert_eq!(total.into_inner(), (0..400).sum::<usize>());
}

#[test]
fn a_panic_in_the_body_is_an_error() {
    let _set = threads(2);
    let done = AtomicUsize::new(0);
    let error = parallel_for(1000, 10, |part| {
        if part.contains(&999) {
            // As `panic!`, but without a message on stderr: libtorch's threads are not those that the tests capture.
            std::panic::resume_unwind(Box::new("item 999 is bad"));
        }
        done.fetch_add(part.len(), Ordering::SeqCst);
    })
    .unwrap_err();
    assert!(matches!(&error, AutogradError::ParallelPanic { message } if message == "item 999 is bad"), "{error:?}");
    assert_eq!(done.into_inner(), 500, "the other part was done");
    // The threads are as good as before.
    assert!((sum_of_squares(&[1.0, 2.0, 3.0]) - 14.0).abs() < 1e-12);
}

#[test]
fn a_loop_that_is_too_long_is_refused() {
    for (count, grain) in [(usize::MAX, 1), (1, usize::MAX)] {
        let error = parallel_for(count, grain, |_| {}).unwrap_err();
        assert!(matches!(error, AutogradError::ParallelCount { count: usize::MAX }), "{error:?}");
    }
}

fn sum_of_squares(numbers: &[f64]) -> f64 {
    let total = Mutex::new(0.0);
    parallel_for(numbers.len(), 1, |part| {
        let sum: f64 = numbers[part].iter().map(|number| number * number).sum();
        *total.lock().unwrap() += sum;
    })
    .unwrap();
    total.into_inner().unwrap()
}

#[test]
fn a_function_may_use_a_loop_in_both_passes() {
    let _set = threads(2);
    let function = closures(
        |context, inputs| {
            context.save_for_backward(&[&inputs[0]]);
            Ok(vec![Tensor::from_slice(&[sum_of_squares(&values(&inputs[0]))])])
        },
        |saved, gradients| {
            let scale = 2.0 * values(gradients[0].as_ref().unwrap())[0];
            let (numbers, found) = (values(&saved[0]), Mutex::new(vec![0.0; saved[0].numel()]));
            parallel_for(numbers.len(), 1, |part| {
                for index in part {
                    found.lock().unwrap()[index] = scale * numbers[index];
                }
            })
            .unwrap();
            Ok(vec![Some(Tensor::from_slice(&found.into_inner().unwrap()))])
        },
    );
    let x = leaf(&[1.0, 2.0, 3.0, 4.0]);
    let output = apply(function, &[&x]).unwrap().remove(0);
    assert_eq!(values(&output), [30.0]);
    assert_eq!(gradient(&output, &x), [2.0, 4.0, 6.0, 8.0]);
}
