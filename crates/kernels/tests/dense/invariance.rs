//! What must not change a bit of the result.

use fain_kernels::{Pool, Serial};

use crate::case::{Case, KINDS, Number, Results, sets};

/// Threads of the standard library, which take the tasks from behind.
struct Threads(usize);

impl Pool for Threads {
    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        std::thread::scope(|scope| {
            for thread in 0..self.0 {
                scope.spawn(move || (0..tasks).rev().skip(thread).step_by(self.0).for_each(task));
            }
        });
    }
}

fn bits<T: Number>(results: &Results<T>) -> Vec<u64> {
    let columns = results.gradients.iter().chain([&results.output, &results.mean, &results.variance]);
    columns.flatten().map(|number| number.double().to_bits()).collect()
}

fn any_pool_gives_the_same_bits<T: Number>() {
    for kind in KINDS {
        let case = Case::new(kind, 9000, 37, false, 2);
        for set in sets() {
            let serial = bits(&case.run::<T>(set, &Serial));
            for threads in [2, 3] {
                assert!(bits(&case.run::<T>(set, &Threads(threads))) == serial, "{kind:?} {set:?} {threads}");
            }
        }
    }
}

#[test]
fn any_pool_gives_the_same_bits_in_f32() {
    any_pool_gives_the_same_bits::<f32>();
}

#[test]
fn any_pool_gives_the_same_bits_in_f64() {
    any_pool_gives_the_same_bits::<f64>();
}
