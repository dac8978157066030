//! Dice and batch statistics over 43,000 rows, as in a step of DIN over 1024 histories, in `f32`.
//!
//! `FAIN_BENCH_THREADS` sets the threads, 1 by default. Throughput is in bytes that must be read or written at least
//! once.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

mod common;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fain_kernels::{Normalization, NormalizationGradients, column_statistics, normalize_backward, normalize_forward};

use crate::common::{Threads, numbers};

const ROWS: usize = 43_000;

fn dice(criterion: &mut Criterion) {
    let threads = Threads::new();
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
