//! AUGRU over 1024 histories of up to 50 events, forward and backward, in `f32`.
//!
//! `FAIN_BENCH_THREADS` sets the threads, 1 by default. Throughput is in floating-point operations of the matrix
//! products: elements per second are FLOP/s.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

mod common;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fain_kernels::{
    AugruGate, Cell, Gradients, Sequences, StateGradient, Weights, recurrence_backward, recurrence_forward,
};

use crate::common::{Threads, numbers};

const SAMPLES: u32 = 1024;
const CELL: Cell = Cell::Augru(AugruGate::Paper);

fn augru(criterion: &mut Criterion) {
    let threads = Threads::new();
    let mut offsets = vec![0u32];
    for sample in 0..SAMPLES {
        offsets.push(offsets[sample as usize] + 5 + sample * 7919 % 46);
    }
    let events = offsets[SAMPLES as usize] as usize;
    let mut group = criterion.benchmark_group("augru");
    group.sample_size(20);
    for width in [16, 32, 36, 64, 128] {
        let gates = CELL.gates() * width;
        let [inputs, gradient] = [1, 2].map(|seed| numbers(seed, events * width));
        let scores: Vec<f32> = numbers(3, events).iter().map(|number| number + 0.5).collect();
        let [input, hidden] = [4, 5].map(|seed| numbers(seed, gates * width));
        let bias = numbers(6, gates);
        let sequences = Sequences { offsets: &offsets, inputs: &inputs, scores: Some(&scores), initial: None };
        let weights = Weights { input: &input, hidden: &hidden, input_bias: Some(&bias), hidden_bias: Some(&bias) };
        let mut states = vec![0.0; events * width];
        let mut saved = vec![0.0; events * CELL.saved_width(width)];
        // The input's and the state's product; the backward pass has two of each.
        let flop = (2 * events * gates * (width + width)) as u64;

        group.throughput(Throughput::Elements(flop));
        group.bench_function(BenchmarkId::new("forward", width), |bencher| {
            bencher.iter(|| {
                recurrence_forward(CELL, width, width, &sequences, &weights, &mut states, Some(&mut saved), &threads)
                    .unwrap();
            });
        });
        group.throughput(Throughput::Elements(2 * flop));
        let [mut d_inputs, mut d_scores] = [vec![0.0; events * width], vec![0.0; events]];
        let [mut d_input, mut d_hidden] = [(); 2].map(|()| vec![0.0; gates * width]);
        let [mut d_input_bias, mut d_hidden_bias] = [(); 2].map(|()| vec![0.0; gates]);
        group.bench_function(BenchmarkId::new("backward", width), |bencher| {
            bencher.iter(|| {
                let mut gradients = Gradients {
                    inputs: Some(&mut d_inputs),
                    scores: Some(&mut d_scores),
                    initial: None,
                    input_weight: Some(&mut d_input),
                    hidden_weight: Some(&mut d_hidden),
                    input_bias: Some(&mut d_input_bias),
                    hidden_bias: Some(&mut d_hidden_bias),
                };
                recurrence_backward(
                    CELL,
                    width,
                    width,
                    &sequences,
                    &weights,
                    &states,
                    &saved,
                    StateGradient::Events(&gradient),
                    &mut gradients,
                    &threads,
                )
                .unwrap();
            });
        });
    }
    group.finish();
}

criterion_group!(benches, augru);
criterion_main!(benches);
