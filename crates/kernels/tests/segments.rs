//! Segment kernels, and copies and sums of a table's rows, against loops over single numbers in `f64`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::float_cmp, reason = "zeros, copies and what is not written are exact")]

use fain_kernels::{
    InstructionSet, KernelError, LookupGradients, Pool, Real, Serial, WeightedEvents, gather_rows, gather_rows_with,
    scatter_rows, scatter_rows_with, segment_expand, segment_expand_with, segment_products, segment_products_with,
    segment_softmax_backward, segment_softmax_backward_with, segment_softmax_forward, segment_softmax_forward_with,
    segment_sums, segment_sums_with,
};
use proptest::prelude::*;

/// Threads of the standard library, one for each task, started from the last to the first.
struct Threads;

impl Pool for Threads {
    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        std::thread::scope(|scope| (0..tasks).rev().for_each(|index| drop(scope.spawn(move || task(index)))));
    }
}

trait Number: Real + PartialEq {
    fn of(number: f64) -> Self;
    fn number(self) -> f64;
}

impl Number for f32 {
    fn of(number: f64) -> Self {
        number as f32
    }
    fn number(self) -> f64 {
        f64::from(self)
    }
}

impl Number for f64 {
    fn of(number: f64) -> Self {
        number
    }
    fn number(self) -> f64 {
        self
    }
}

/// Histories, a row for each sample, a weight for each event.
#[derive(Clone, Debug)]
struct Problem {
    width: usize,
    offsets: Vec<u32>,
    rows: Vec<f64>,
    events: Vec<f64>,
    weights: Vec<f64>,
}

impl Problem {
    /// From numbers of a sequence; `long` repeats the samples until there are several tasks.
    fn new(width: usize, lengths: &[u32], long: bool) -> Self {
        let times = if long { 2000 / (1 + lengths.iter().sum::<u32>() as usize) + 1 } else { 1 };
        let mut offsets = vec![0];
        for _ in 0..times {
            for length in lengths {
                offsets.push(offsets[offsets.len() - 1] + length);
            }
        }
        let (samples, events) = (offsets.len() - 1, offsets[offsets.len() - 1] as usize);
        let mut state = 1u64;
        let mut draw = |count: usize| -> Vec<f64> {
            (0..count)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    // Exact in both types.
                    f64::from((state >> 52) as u32) / 1024.0 - 2.0
                })
                .collect()
        };
        Self { width, rows: draw(samples * width), events: draw(events * width), weights: draw(events), offsets }
    }

    fn segments(&self) -> impl Iterator<Item = (usize, std::ops::Range<usize>)> + '_ {
        self.offsets.windows(2).map(|pair| pair[0] as usize..pair[1] as usize).enumerate()
    }

    fn products(&self) -> Vec<f64> {
        let width = self.width;
        let of = |sample: usize, event: usize| {
            (0..width).map(|column| self.rows[sample * width + column] * self.events[event * width + column]).sum()
        };
        self.segments().flat_map(|(sample, events)| events.map(move |event| of(sample, event))).collect()
    }

    fn sums(&self, weighted: bool) -> Vec<f64> {
        let width = self.width;
        let mut sums = vec![0.0; (self.offsets.len() - 1) * width];
        for (sample, events) in self.segments() {
            for event in events {
                for column in 0..width {
                    let weight = if weighted { self.weights[event] } else { 1.0 };
                    sums[sample * width + column] += weight * self.events[event * width + column];
                }
            }
        }
        sums
    }

    fn expanded(&self, weighted: bool) -> Vec<f64> {
        let width = self.width;
        let mut rows = Vec::new();
        for (sample, events) in self.segments() {
            for event in events {
                let weight = if weighted { self.weights[event] } else { 1.0 };
                rows.extend(self.rows[sample * width..(sample + 1) * width].iter().map(|number| weight * number));
            }
        }
        rows
    }

    fn softmax(&self) -> Vec<f64> {
        let mut powers: Vec<f64> = self.weights.iter().map(|weight| weight.exp()).collect();
        for (_, events) in self.segments() {
            let sum: f64 = powers[events.clone()].iter().sum();
            powers[events].iter_mut().for_each(|power| *power /= sum);
        }
        powers
    }

    /// The gradient of the softmax of the weights, where that of the output is the first column of the events.
    fn softmax_gradient(&self) -> Vec<f64> {
        let softmax = self.softmax();
        let mut gradient = Vec::new();
        for (_, events) in self.segments() {
            for of in events.clone() {
                let parts = events.clone().map(|event| {
                    let own = if event == of { 1.0 } else { 0.0 };
                    self.events[event * self.width] * softmax[event] * (own - softmax[of])
                });
                gradient.push(parts.sum());
            }
        }
        gradient
    }
}

/// All results of the segment kernels, one after the other.
fn computed<T: Number>(problem: &Problem, set: InstructionSet, pool: &dyn Pool) -> Vec<Vec<T>> {
    let typed = |numbers: &[f64]| numbers.iter().map(|&number| T::of(number)).collect::<Vec<T>>();
    let (width, offsets) = (problem.width, problem.offsets.as_slice());
    let (rows, events, weights) = (typed(&problem.rows), typed(&problem.events), typed(&problem.weights));
    let seven = |length: usize| vec![T::of(7.0); length];
    let mut results = vec![seven(weights.len())];
    segment_products_with(set, width, offsets, &rows, &events, &mut results[0], pool).unwrap();
    for weights in [Some(weights.as_slice()), None] {
        let of = WeightedEvents { width, offsets, weights };
        let mut sums = seven(rows.len());
        segment_sums_with(set, &of, &events, &mut sums, pool).unwrap();
        let mut expanded = seven(events.len());
        segment_expand_with(set, &of, &rows, &mut expanded, pool).unwrap();
        results.extend([sums, expanded]);
    }
    let (mut softmax, mut gradient) = (seven(weights.len()), seven(weights.len()));
    segment_softmax_forward_with(set, offsets, &weights, &mut softmax, pool).unwrap();
    let column: Vec<T> = events.chunks(width).map(|event| event[0]).collect();
    segment_softmax_backward_with(set, offsets, &softmax, &column, &mut gradient, pool).unwrap();
    results.extend([softmax, gradient]);
    results
}

fn check<T: Number>(problem: &Problem, tolerance: f64) -> Result<(), TestCaseError> {
    let expected = [
        problem.products(),
        problem.sums(true),
        problem.expanded(true),
        problem.sums(false),
        problem.expanded(false),
        problem.softmax(),
        problem.softmax_gradient(),
    ];
    for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
        let serial = computed::<T>(problem, set, &Serial);
        for (what, (got, expected)) in serial.iter().zip(&expected).enumerate() {
            prop_assert_eq!(got.len(), expected.len());
            for (got, expected) in got.iter().zip(expected) {
                let error = (got.number() - expected).abs();
                prop_assert!(error <= tolerance * (1.0 + expected.abs()), "{}: {} {}", what, got.number(), expected);
            }
        }
        prop_assert!(computed::<T>(problem, set, &Threads) == serial);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn segment_kernels_equal_their_definitions(
        width in 1usize..40,
        lengths in prop::collection::vec(0u32..9, 0..12),
        long in any::<bool>(),
    ) {
        let problem = Problem::new(width, &lengths, long);
        check::<f64>(&problem, 1e-12)?;
        check::<f32>(&problem, 2e-5)?;
    }

    #[test]
    fn rows_are_copied_and_summed_by_id(
        width in 1usize..70,
        rows in 1usize..3000,
        draws in prop::collection::vec(any::<u32>(), 0..300),
        long in any::<bool>(),
    ) {
        // Enough for several tasks.
        let times = if long && !draws.is_empty() { 20_000 / draws.len() } else { 1 };
        let ids: Vec<i64> = draws.iter().map(|&draw| i64::from(draw) % rows as i64).cycle().take(times * draws.len()).collect();
        let table: Vec<f64> = (0..rows * width).map(|place| place as f64).collect();
        let gradients: Vec<f64> = (0..ids.len() * width).map(|place| (place % 1009) as f64 / 8.0).collect();
        let copies: Vec<f64> = ids.iter().flat_map(|&id| &table[id as usize * width..][..width]).copied().collect();
        let mut sums = vec![0.0; rows * width];
        for (&id, gradient) in ids.iter().zip(gradients.chunks(width)) {
            sums[id as usize * width..][..width].iter_mut().zip(gradient).for_each(|(sum, number)| *sum += number);
        }
        let part = ids.len() / 3;
        let parts = [
            LookupGradients { ids: &ids[..part], gradients: &gradients[..part * width] },
            LookupGradients { ids: &ids[part..], gradients: &gradients[part * width..] },
        ];
        for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
            for pool in [&Serial as &dyn Pool, &Threads] {
                let mut output = vec![7.0; ids.len() * width];
                gather_rows_with(set, width, &table, &ids, &mut output, pool).unwrap();
                prop_assert!(output == copies);
                let mut output = vec![7.0; rows * width];
                scatter_rows_with(set, width, &parts, &mut output, pool).unwrap();
                prop_assert!(output == sums);
            }
        }
    }
}

fn weighted<'a>(width: usize, offsets: &'a [u32], weights: Option<&'a [f32]>) -> WeightedEvents<'a, f32> {
    WeightedEvents { width, offsets, weights }
}

#[test]
fn a_sample_without_events_gives_zeros() {
    let mut sums = [7.0f32; 4];
    segment_sums(&weighted(2, &[0, 0, 1], None), &[1.0, 2.0], &mut sums, &Serial).unwrap();
    assert_eq!(sums, [0.0, 0.0, 1.0, 2.0]);
    // A batch without events, and one without samples.
    segment_sums(&weighted(4, &[0, 0], None), &[], &mut sums, &Serial).unwrap();
    assert_eq!(sums, [0.0; 4]);
    segment_softmax_forward::<f64>(&[0], &[], &mut [], &Serial).unwrap();
}

#[test]
fn far_logits_do_not_overflow_and_what_is_no_number_stays() {
    let mut weights = [0.0f32; 5];
    segment_softmax_forward(&[0, 2, 5], &[1e4, -1e4, 0.0, f32::NAN, 0.0], &mut weights, &Serial).unwrap();
    assert_eq!(weights[..2], [1.0, 0.0]);
    assert!(weights[2..].iter().all(|weight| weight.is_nan()));
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_written() {
    let length = |buffer, length, needed| KernelError::Length { buffer, length, needed };
    let (offsets, mut output) = ([0, 1], [7.0f32; 4]);
    let out = &mut output;
    let zero_wide = weighted(0, &offsets, None);
    for (result, expected) in [
        (segment_products(2, &offsets, &[1.0; 3], &[1.0; 2], &mut out[..1], &Serial), length("rows", 3, 2)),
        (segment_products(2, &offsets, &[1.0; 2], &[1.0; 3], &mut out[..1], &Serial), length("events", 3, 2)),
        (segment_products(2, &offsets, &[1.0; 2], &[1.0; 2], out, &Serial), length("output", 4, 1)),
        (segment_products(0, &offsets, &[], &[], &mut out[..1], &Serial), KernelError::Zero { name: "width" }),
        (segment_sums(&zero_wide, &[], out, &Serial), KernelError::Zero { name: "width" }),
        (segment_expand(&zero_wide, &[], out, &Serial), KernelError::Zero { name: "width" }),
        (segment_sums(&weighted(2, &offsets, Some(&[])), &[1.0; 2], &mut out[..2], &Serial), length("weights", 0, 1)),
        (segment_sums(&weighted(2, &offsets, None), &[1.0; 3], &mut out[..2], &Serial), length("events", 3, 2)),
        (segment_sums(&weighted(2, &offsets, None), &[1.0; 2], out, &Serial), length("output", 4, 2)),
        (segment_expand(&weighted(2, &offsets, Some(&[])), &[1.0; 2], &mut out[..2], &Serial), length("weights", 0, 1)),
        (segment_expand(&weighted(2, &offsets, None), &[1.0; 3], &mut out[..2], &Serial), length("rows", 3, 2)),
        (segment_expand(&weighted(2, &offsets, None), &[1.0; 2], out, &Serial), length("output", 4, 2)),
        (segment_softmax_forward(&offsets, &[1.0; 2], &mut out[..1], &Serial), length("logits", 2, 1)),
        (segment_softmax_forward(&offsets, &[1.0], out, &Serial), length("output", 4, 1)),
        (segment_softmax_forward(&[1, 1], &[], out, &Serial), KernelError::Offset { index: 0, value: 1, least: 0 }),
        (segment_softmax_forward(&[], &[], out, &Serial), KernelError::NoOffsets),
        (segment_softmax_backward(&offsets, &[], &[1.0], &mut out[..1], &Serial), length("weights", 0, 1)),
        (segment_softmax_backward(&offsets, &[1.0], &[], &mut out[..1], &Serial), length("gradient", 0, 1)),
        (segment_softmax_backward(&offsets, &[1.0], &[1.0], out, &Serial), length("logit gradient", 4, 1)),
        (gather_rows(2, &[1.0; 3], &[0], &mut out[..2], &Serial), length("table", 3, 2)),
        (gather_rows(2, &[1.0; 4], &[0], out, &Serial), length("output", 4, 2)),
        (gather_rows(2, &[1.0; 4], &[0, 2], out, &Serial), KernelError::Id { index: 1, id: 2, rows: 2 }),
        (gather_rows::<f32>(0, &[], &[], &mut [], &Serial), KernelError::Zero { name: "width" }),
    ] {
        assert_eq!(result, Err(expected));
    }
    for (ids, gradients, expected) in [
        (&[0, -1][..], &[1.0f32; 4][..], KernelError::Id { index: 1, id: -1, rows: 2 }),
        (&[0], &[1.0; 4], length("gradients", 4, 2)),
    ] {
        assert_eq!(scatter_rows(2, &[LookupGradients { ids, gradients }], out, &Serial), Err(expected));
    }
    assert!(output.iter().all(|&number| number == 7.0));
}
