//! Dice and batch statistics over 43,000 rows, as in a step of DIN over 1024 histories, in `f32`.
//!
//! `FAIN_BENCH_THREADS` sets the threads, 1 by default. Throughput is in bytes that must be read or written at least
//! once.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fain_kernels::{
    Normalization, NormalizationGradients, Pool, column_statistics, normalize_backward, normalize_forward,
};

const ROWS: usize = 43_000;

/// Threads of the standard library, started for every call.
struct Threads(usize);

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
fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    std::iter::repeat_with(next).take(count).collect()
}

fn dice(criterion: &mut Criterion) {
    let threads = Threads(std::env::var("FAIN_BENCH_THREADS").map_or(1, |text| text.parse().unwrap()));
    for width in [8, 32, 36, 64, 256] {
        let (input, gradient) = (numbers(1, ROWS * width), numbers(2, ROWS * width));
        let (mut mean, mut variance, alpha) = (vec![0.0; width], vec![0.0; width], numbers(3, width));
        let mut output = vec![0.0; ROWS * width];
        let bytes = (ROWS * width * size_of::<f32>()) as u64;
        let mut group = criterion.benchmark_group("dice");
        group.sample_size(20).throughput(Throughput::Bytes(bytes));
        group.bench_function(BenchmarkId::new("statistics", width), |bencher| {
            bencher.iter(|| column_statistics(width, black_box(&input), &mut mean, &mut variance, &threads).unwrap());
        });
        let (scale, shift) = (None, None);
        let dice = Normalization { mean: &mean, variance: &variance, epsilon: 1e-8, scale, shift, alpha: Some(&alpha) };
        group.throughput(Throughput::Bytes(2 * bytes));
        group.bench_function(BenchmarkId::new("forward", width), |bencher| {
            bencher.iter(|| normalize_forward(width, black_box(&input), &dice, &mut output, &threads).unwrap());
        });
        group.throughput(Throughput::Bytes(3 * bytes));
        group.bench_function(BenchmarkId::new("backward", width), |bencher| {
            let mut by_alpha = vec![0.0; width];
            bencher.iter(|| {
                let mut gradients = NormalizationGradients { alpha: Some(&mut by_alpha), ..Default::default() };
                let input = black_box(&input);
                normalize_backward(width, input, &dice, true, &gradient, &mut output, &mut gradients, &threads)
                    .unwrap();
            });
        });
        group.finish();
    }
}

criterion_group!(benches, dice);
criterion_main!(benches);
