//! The dense map over pairs against its definition, what must not change it, and its errors.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fain_kernels::{
    InstructionSet, Pool, Real, Serial, TargetPairGradients, TargetPairs, target_pairs_backward,
    target_pairs_backward_with, target_pairs_forward, target_pairs_forward_with,
};
use proptest::prelude::*;

trait Number: Real {
    fn of(number: f64) -> Self;
    fn double(self) -> f64;
}

impl Number for f32 {
    fn of(number: f64) -> Self {
        number as Self
    }

    fn double(self) -> f64 {
        f64::from(self)
    }
}

impl Number for f64 {
    fn of(number: f64) -> Self {
        number
    }

    fn double(self) -> f64 {
        self
    }
}

/// Numbers from -1 to 1 that depend on the seed alone.
fn numbers(seed: u64, count: usize) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

#[derive(Clone, Debug)]
struct Case {
    offsets: Vec<u32>,
    width: usize,
    hidden: usize,
    product: bool,
    seed: u64,
}

/// The output, and the gradients of events, base, weight, candidate and the product's weight.
type Results = [Vec<f64>; 6];

impl Case {
    fn samples(&self) -> usize {
        self.offsets.len() - 1
    }

    fn events(&self) -> usize {
        self.offsets[self.samples()] as usize
    }

    /// Events, base, weight, candidate, the product's weight, and the gradient of the output.
    fn operands(&self) -> [Vec<f64>; 6] {
        let (width, hidden) = (self.width, self.hidden);
        let draw = |index: u64, count: usize| numbers(self.seed.wrapping_add(index << 40), count);
        [
            draw(0, self.events() * width),
            draw(1, self.samples() * hidden),
            draw(2, hidden * width),
            draw(3, self.samples() * width),
            draw(4, hidden * width),
            draw(5, self.events() * hidden),
        ]
    }

    fn run<T: Number>(&self, set: InstructionSet, pool: &dyn Pool) -> Results {
        let [events, base, weight, candidate, product_weight, gradient] =
            self.operands().map(|numbers| numbers.into_iter().map(T::of).collect::<Vec<T>>());
        let pairs = TargetPairs {
            offsets: &self.offsets,
            base: &base,
            events: &events,
            weight: &weight,
            product: self.product.then_some((&candidate[..], &product_weight[..])),
        };
        // What was there before must not show.
        let mut results = [&gradient, &events, &base, &weight, &candidate, &product_weight]
            .map(|like| vec![T::of(f64::NAN); like.len()]);
        let [output, by_events, by_base, by_weight, by_candidate, by_product] = &mut results;
        target_pairs_forward_with(set, self.width, self.hidden, &pairs, output, pool).unwrap();
        let mut gradients = TargetPairGradients {
            base: Some(by_base),
            events: Some(by_events),
            weight: Some(by_weight),
            candidate: Some(by_candidate),
            product_weight: Some(by_product),
        };
        target_pairs_backward_with(set, self.width, self.hidden, &pairs, &gradient, &mut gradients, pool).unwrap();
        results.map(|numbers| numbers.into_iter().map(Number::double).collect())
    }

    /// The same by the formula, number by number.
    fn definition(&self) -> Results {
        let (width, hidden) = (self.width, self.hidden);
        let [events, base, weight, candidate, mut product_weight, gradient] = self.operands();
        if !self.product {
            product_weight.fill(0.0);
        }
        let mut results =
            [&gradient, &events, &base, &weight, &candidate, &product_weight].map(|like| vec![0.0; like.len()]);
        let [output, by_events, by_base, by_weight, by_candidate, by_product] = &mut results;
        for sample in 0..self.samples() {
            for event in self.offsets[sample] as usize..self.offsets[sample + 1] as usize {
                for unit in 0..hidden {
                    let g = gradient[event * hidden + unit];
                    let mut sum = base[sample * hidden + unit];
                    by_base[sample * hidden + unit] += g;
                    for k in 0..width {
                        let place = unit * width + k;
                        let (x, q) = (events[event * width + k], candidate[sample * width + k]);
                        sum += weight[place] * x + product_weight[place] * q * x;
                        by_events[event * width + k] += g * (weight[place] + product_weight[place] * q);
                        by_weight[place] += g * x;
                        if self.product {
                            by_candidate[sample * width + k] += g * product_weight[place] * x;
                            by_product[place] += g * q * x;
                        }
                    }
                    output[event * hidden + unit] = sum;
                }
            }
        }
        results
    }
}

fn sets() -> impl Iterator<Item = InstructionSet> {
    InstructionSet::ALL.into_iter().filter(|set| set.is_available())
}

fn cases() -> impl Strategy<Value = Case> {
    let lengths = prop::collection::vec(prop_oneof![Just(0u32), 1u32..4, 0u32..30], 0..8);
    (lengths, 1usize..40, 1usize..75, any::<bool>(), any::<u64>()).prop_map(
        |(lengths, width, hidden, product, seed)| {
            let mut offsets = vec![0];
            offsets.extend(lengths.iter().scan(0, |sum, length| {
                *sum += length;
                Some(*sum)
            }));
            Case { offsets, width, hidden, product, seed }
        },
    )
}

fn compare<T: Number>(case: &Case, tolerance: f64) {
    let expected = case.definition();
    for set in sets() {
        for (index, (result, expected)) in case.run::<T>(set, &Serial).iter().zip(&expected).enumerate() {
            assert_eq!(result.len(), expected.len());
            for (result, expected) in result.iter().zip(expected) {
                let close = (result - expected).abs() <= tolerance * (1.0 + expected.abs());
                assert!(close, "{case:?} {set:?} {index}: {result} is not {expected}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn results_are_those_of_the_definition(case in cases()) {
        compare::<f64>(&case, 1e-12);
        compare::<f32>(&case, 1e-4);
    }
}

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

#[test]
fn any_pool_gives_the_same_bits() {
    // Ten tasks.
    let offsets = (0..=200).map(|sample| sample * 26).collect();
    let case = Case { offsets, width: 11, hidden: 37, product: true, seed: 5 };
    let bits = |results: Results| results.map(|numbers| numbers.into_iter().map(f64::to_bits).collect::<Vec<_>>());
    for set in sets() {
        let (single, double) = (bits(case.run::<f32>(set, &Serial)), bits(case.run::<f64>(set, &Serial)));
        for threads in [2, 3] {
            assert!(bits(case.run::<f32>(set, &Threads(threads))) == single, "{set:?} {threads}");
            assert!(bits(case.run::<f64>(set, &Threads(threads))) == double, "{set:?} {threads}");
        }
    }
}

#[test]
fn one_task_among_many_needs_no_gradient_of_its_sums() {
    let case = Case { offsets: vec![0, 3, 3, 5], width: 3, hidden: 4, product: true, seed: 1 };
    let [events, base, weight, candidate, product_weight, gradient] = case.operands();
    let product = Some((&candidate[..], &product_weight[..]));
    let pairs = TargetPairs { offsets: &case.offsets, base: &base, events: &events, weight: &weight, product };
    let mut by_events = vec![0.0; events.len()];
    let mut gradients = TargetPairGradients { events: Some(&mut by_events), ..TargetPairGradients::default() };
    target_pairs_backward(3, 4, &pairs, &gradient, &mut gradients, &Serial).unwrap();
    for (result, expected) in by_events.iter().zip(&case.definition()[1]) {
        assert!((result - expected).abs() < 1e-12, "{result} is not {expected}");
    }
}

#[test]
fn wrong_input_is_an_error_that_names_it() {
    let (four, six) = ([0.0f32; 4], [0.0f32; 6]);
    // Two samples, three events, two columns, two units.
    let pairs =
        TargetPairs { offsets: &[0, 1, 3], base: &four, events: &six, weight: &four, product: Some((&four, &four)) };
    let forward = |width: usize, pairs: &TargetPairs<'_, f32>, output: usize| {
        target_pairs_forward(width, 2, pairs, &mut vec![0.0; output], &Serial).unwrap_err().to_string()
    };
    assert!(target_pairs_forward(2, 2, &pairs, &mut [0.0; 6], &Serial).is_ok());
    assert_eq!(forward(0, &pairs, 6), "width is 0: at least 1 is needed");
    assert_eq!(forward(2, &pairs, 5), "output has 5 numbers: 6 are needed");
    for (pairs, expected) in [
        (TargetPairs { offsets: &[], ..pairs }, "offsets is empty: one number more than there are samples is needed"),
        (TargetPairs { offsets: &[0, 2, 1], ..pairs }, "offsets[2] is 1: at least 2 is needed"),
        (TargetPairs { base: &six, ..pairs }, "base has 6 numbers: 4 are needed"),
        (TargetPairs { events: &four, ..pairs }, "events has 4 numbers: 6 are needed"),
        (TargetPairs { weight: &six, ..pairs }, "weight has 6 numbers: 4 are needed"),
        (TargetPairs { product: Some((&six, &four)), ..pairs }, "candidate has 6 numbers: 4 are needed"),
        (TargetPairs { product: Some((&four, &six)), ..pairs }, "product_weight has 6 numbers: 4 are needed"),
    ] {
        assert_eq!(forward(2, &pairs, 6), expected);
    }
    let backward = |gradient: usize, mut gradients: TargetPairGradients<'_, f32>| {
        let gradient = vec![0.0; gradient];
        target_pairs_backward(2, 2, &pairs, &gradient, &mut gradients, &Serial).unwrap_err().to_string()
    };
    assert_eq!(backward(4, TargetPairGradients::default()), "gradient has 4 numbers: 6 are needed");
    let mut short = [0.0; 3];
    let gradients = TargetPairGradients { product_weight: Some(&mut short), ..TargetPairGradients::default() };
    assert_eq!(backward(6, gradients), "gradient of product_weight has 3 numbers: 4 are needed");
}
