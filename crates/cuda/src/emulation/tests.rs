//! The kernels' source, compiled for the processor and run thread by thread, against the kernels of [`fain_kernels`].
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod case;

use fain_kernels::{AugruGate, Cell};

use case::{Case, Gradients};

use super::{LIMITS, Processor};
use crate::plan::Plan;
use crate::variant::{Pass, Variant};

const CELLS: [Cell; 4] = [Cell::Gru, Cell::Agru, Cell::Augru(AugruGate::Paper), Cell::Augru(AugruGate::Official)];

fn close(result: f64, expected: f64, tolerance: f64, scale: f64) -> bool {
    (result - expected).abs() <= tolerance * scale.max(1.0)
}

/// Holds one layout of the kernels to the processor's, in both orders of the threads.
fn check(case: &Case, processor: &Processor, plans: [Plan; 2]) {
    let expected = case.expected();
    let mut first: Option<(Vec<f32>, Gradients<f32>)> = None;
    for backwards in [false, true] {
        let (states, gradients) = case.run(processor, plans, backwards);
        assert_eq!(states.len(), expected.0.len());
        for (index, (&state, &expected)) in states.iter().zip(&expected.0).enumerate() {
            assert!(close(f64::from(state), expected, 2e-6, 1.0), "state {index}: {state} is not {expected}");
        }
        for ((name, gradient), (_, expected)) in gradients.named().into_iter().zip(expected.1.named()) {
            let scale = expected.iter().fold(0.0_f64, |most, number| most.max(number.abs()));
            assert_eq!(gradient.len(), expected.len(), "{name}");
            for (index, (&gradient, &expected)) in gradient.iter().zip(expected).enumerate() {
                let gradient = f64::from(gradient);
                assert!(close(gradient, expected, 2e-5, scale), "{name} {index}: {gradient} is not {expected}");
            }
        }
        if let Some(first) = &first {
            assert!(*first == (states, gradients), "the order of the threads shows");
        } else {
            first = Some((states, gradients));
        }
    }
}

fn lengths(count: u32) -> Vec<u32> {
    (0..count).map(|sample| sample * 7919 % 11).collect()
}

/// Every cell at a width, as the plan would run it.
fn check_width(hidden: usize, batches: &[&[u32]]) {
    for (index, cell) in CELLS.into_iter().enumerate() {
        let plan = |pass, samples| Plan::new(pass, cell, hidden, samples, &LIMITS).unwrap();
        let mut processor: Option<(Variant, Processor)> = None;
        for (place, lengths) in batches.iter().enumerate() {
            let plans = [Pass::Forward, Pass::Backward].map(|pass| plan(pass, lengths.len()));
            assert_eq!(plans[0].variant, plans[1].variant, "one source serves both");
            let known = processor.take().filter(|(variant, _)| *variant == plans[0].variant);
            let (variant, built) =
                known.unwrap_or_else(|| (plans[0].variant, Processor::compile(&plans[0].variant.source()).unwrap()));
            let flags = ((place + index) % 2 == 0, (place + index) % 3 != 1);
            check(&Case::new(cell, (5, hidden), lengths, flags, (place + 10 * index) as u64), &built, plans);
            processor = Some((variant, built));
        }
    }
}

#[test]
fn one_unit_does_what_the_processors_kernels_do() {
    check_width(1, &[&[1], &[3, 0, 2], &lengths(30)]);
}

#[test]
fn sixteen_units_do_what_the_processors_kernels_do() {
    check_width(16, &[&[1], &[0, 0, 4, 0], &lengths(40), &[50]]);
}

#[test]
fn thirty_six_units_do_what_the_processors_kernels_do() {
    check_width(36, &[&lengths(12), &lengths(70)]);
}

#[test]
fn widths_that_are_no_multiple_of_four_do_what_the_processors_kernels_do() {
    check_width(7, &[&lengths(25)]);
    check_width(65, &[&lengths(9)]);
}

#[test]
fn a_hundred_and_twenty_eight_units_do_what_the_processors_kernels_do() {
    check_width(128, &[&[3, 0, 1, 6, 2]]);
}

/// Histories walk alone, in pairs and in fours; the weights come from shared memory or through the cache.
#[test]
fn every_layout_does_what_the_processors_kernels_do() {
    let lengths = lengths(17);
    for (samples, shared) in [(1, false), (2, false), (4, false), (4, true)] {
        let cell = Cell::Augru(AugruGate::Official);
        let (hidden, groups) = (12, 2);
        let variant = Variant { cell: cell.into(), hidden, samples, shared };
        let processor = Processor::compile(&variant.source()).unwrap();
        let plans = [1, 3].map(|rows: usize| {
            let weights = if shared { 3 * hidden * hidden } else { 0 };
            let memory = (weights + 2 * groups * samples * rows * hidden) * size_of::<f32>();
            Plan { variant, blocks: 2, threads: groups * hidden, memory }
        });
        check(&Case::new(cell, (3, hidden), &lengths, (true, true), 5), &processor, plans);
    }
}

/// The batch's places have nothing to do, and nothing is written.
#[test]
fn a_batch_without_events_gives_nothing() {
    check_width(16, &[&[0, 0, 0], &[0]]);
}

/// The emulation sees what it is there for.
#[test]
fn a_missing_barrier_shows() {
    let source = Plan::new(Pass::Forward, Cell::Gru, 8, 9, &LIMITS).unwrap().variant.source();
    // The new state overwrites the old one that others still read.
    let broken =
        source.replace("float* const to = own + (1 - before) * other;", "float* const to = own + before * other;");
    let broken = broken.replace("        before = 1 - before;\n        if (!working) {", "        if (!working) {");
    assert_ne!(source, broken);
    let plan = Plan::new(Pass::Forward, Cell::Gru, 8, 9, &LIMITS).unwrap();
    let case = Case::new(Cell::Gru, (5, 8), &lengths(9), (true, true), 3);
    let processor = Processor::compile(&broken).unwrap();
    let orders = [false, true].map(|backwards| case.states(&processor, plan, backwards).0);
    assert!(orders[0] != orders[1]);
}
