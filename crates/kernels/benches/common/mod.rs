//! Threads and numbers of the benchmarks.

use std::sync::atomic::{AtomicUsize, Ordering};

use fain_kernels::Pool;

/// Threads of the standard library, started for every call.
pub(crate) struct Threads(usize);

impl Threads {
    /// As many as `FAIN_BENCH_THREADS` says, 1 by default.
    pub(crate) fn new() -> Self {
        Self(std::env::var("FAIN_BENCH_THREADS").map_or(1, |text| text.parse().unwrap()))
    }
}

impl Pool for Threads {
    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= tasks {
                    break;
                }
                task(index);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.0 {
                scope.spawn(work);
            }
            work();
        });
    }
}

/// Numbers from -0.5 to 0.5 from a fixed linear congruential sequence.
pub(crate) fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    std::iter::repeat_with(next).take(count).collect()
}
