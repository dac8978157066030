//! Updates of rows against the rules written out, number by number, in `f64`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::float_cmp, reason = "what is not touched stays to the last bit")]

use fain_kernels::{
    Correction, InstructionSet, KernelError, Lookups, Pool, RowRule, RowState, RowStep, SecondMoment, Serial,
    update_rows, update_rows_with,
};
use proptest::prelude::*;

/// Threads of the standard library, one for each task, started from the last to the first.
struct Threads;

impl Pool for Threads {
    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        std::thread::scope(|scope| (0..tasks).rev().for_each(|index| drop(scope.spawn(move || task(index)))));
    }
}

/// A pool that leaves the last task undone.
struct Lazy;

impl Pool for Lazy {
    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        (1..tasks).for_each(|index| task(index - 1));
    }
}

/// A table with what is remembered of it.
#[derive(Clone, Debug, PartialEq)]
struct Table {
    values: Vec<f64>,
    mean: Vec<f64>,
    second: Vec<f64>,
    count: Vec<f64>,
}

impl Table {
    fn state(&mut self, row_moments: bool) -> (&mut [f64], RowState<'_, f64>) {
        let second =
            if row_moments { SecondMoment::Row(&mut self.second) } else { SecondMoment::Element(&mut self.second) };
        let state = RowState { mean: Some(&mut self.mean), second: Some(second), count: Some(&mut self.count) };
        (&mut self.values, state)
    }
}

#[derive(Clone, Debug)]
struct Problem {
    width: usize,
    row_moments: bool,
    table: Table,
    ids: Vec<i64>,
    gradients: Vec<f64>,
    l2_of_rows: Option<Vec<f64>>,
    rule: RowRule,
    l2: f64,
    shrink: f64,
}

impl Problem {
    fn step(&self) -> RowStep<'_, f64> {
        let (rule, l2, shrink) = (self.rule, self.l2, self.shrink);
        RowStep { rule, learning_rate: 0.1, l2, shrink, l2_of_rows: self.l2_of_rows.as_deref() }
    }

    fn lookups(&self) -> Lookups {
        let mut lookups = Lookups::default();
        lookups.sort(&self.ids, self.table.count.len()).unwrap();
        lookups
    }

    fn updated(&self, set: InstructionSet, pool: &dyn Pool) -> Table {
        let mut table = self.table.clone();
        let (values, state) = table.state(self.row_moments);
        let (step, lookups) = (self.step(), self.lookups());
        update_rows_with(set, self.width, values, state, &lookups, &self.gradients, &step, pool).unwrap();
        table
    }

    /// Row by row, by the formulas of the rules.
    fn expected(&self) -> Table {
        let mut table = self.table.clone();
        let width = self.width;
        for row in 0..table.count.len() {
            let places: Vec<usize> = (0..self.ids.len()).filter(|&place| self.ids[place] == row as i64).collect();
            if places.is_empty() {
                continue;
            }
            let l2 = self.l2 + self.l2_of_rows.as_ref().map_or(0.0, |l2| l2[row]);
            let gradient: Vec<f64> = (0..width)
                .map(|column| {
                    let sum: f64 = places.iter().map(|place| self.gradients[place * width + column]).sum();
                    sum + l2 * table.values[row * width + column]
                })
                .collect();
            let mean_square = gradient.iter().map(|gradient| gradient * gradient).sum::<f64>() / width as f64;
            if matches!(self.rule, RowRule::Adam { correction: Correction::Row, .. }) {
                table.count[row] += 1.0;
            }
            let updates = table.count[row];
            for column in 0..width {
                let (place, gradient) = (row * width + column, gradient[column]);
                let second = if self.row_moments { row } else { place };
                let first_of_second = !self.row_moments || column == 0;
                let square = if self.row_moments { mean_square } else { gradient * gradient };
                let old = table.values[place] * (1.0 - self.shrink);
                table.values[place] = old
                    - 0.1
                        * match self.rule {
                            RowRule::Sgd => gradient,
                            RowRule::Adagrad { epsilon } => {
                                if first_of_second {
                                    table.second[second] += square;
                                }
                                gradient / (table.second[second].sqrt() + epsilon)
                            }
                            RowRule::Adam { beta1, beta2, epsilon, correction } => {
                                let power = match correction {
                                    Correction::Step(number) => number as f64,
                                    Correction::Row => updates,
                                };
                                let mean = &mut table.mean[place];
                                *mean = beta1 * *mean + (1.0 - beta1) * gradient;
                                if first_of_second {
                                    table.second[second] = beta2 * table.second[second] + (1.0 - beta2) * square;
                                }
                                (1.0 - beta2.powf(power)).sqrt() / (1.0 - beta1.powf(power)) * *mean
                                    / (table.second[second].sqrt() + epsilon)
                            }
                        };
            }
        }
        table
    }
}

fn rule() -> impl Strategy<Value = RowRule> {
    let correction = prop_oneof![(1u64..50).prop_map(Correction::Step), Just(Correction::Row)];
    prop_oneof![
        Just(RowRule::Sgd),
        Just(RowRule::Adagrad { epsilon: 1e-10 }),
        correction.prop_map(|correction| RowRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, correction }),
    ]
}

/// Up to 40 rows and widths on both sides of a vector; so many lookups at times that there are several tasks.
fn problem() -> impl Strategy<Value = Problem> {
    let width = prop_oneof![1usize..40, prop::sample::select(vec![1usize, 4, 8, 16, 32, 64])];
    let sizes = (1usize..40, width, prop_oneof![0usize..60, 2000usize..5000], any::<bool>(), any::<u64>());
    let step = (rule(), prop_oneof![Just(0.0), 0.0..0.1f64], prop_oneof![Just(0.0), 0.0..0.1f64], any::<bool>());
    (sizes, step).prop_map(|((rows, width, lookups, row_moments, seed), (rule, l2, shrink, of_rows))| {
        let mut state = seed;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let mut numbers = |count: usize, low: f64, high: f64| -> Vec<f64> {
            (0..count).map(|_| low + draw() * (high - low)).collect()
        };
        let table = Table {
            values: numbers(rows * width, -1.0, 1.0),
            mean: numbers(rows * width, -1.0, 1.0),
            second: numbers(if row_moments { rows } else { rows * width }, 0.1, 1.0),
            count: numbers(rows, 0.0, 9.0).into_iter().map(f64::floor).collect(),
        };
        let ids = numbers(lookups, 0.0, rows as f64).into_iter().map(|id| id as i64).collect();
        let gradients = numbers(lookups * width, -1.0, 1.0);
        let l2_of_rows = of_rows.then(|| numbers(rows, 0.0, 0.5));
        Problem { width, row_moments, table, ids, gradients, l2_of_rows, rule, l2, shrink }
    })
}

fn assert_near(got: &[f64], expected: &[f64]) {
    assert_eq!(got.len(), expected.len());
    for (place, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert!(
            (got - expected).abs() <= 1e-11 * expected.abs().max(1.0),
            "number {place}: {got}, expected {expected}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_row_moves_by_the_rule(problem in problem()) {
        let (got, expected) = (problem.updated(InstructionSet::best(), &Serial), problem.expected());
        assert_near(&got.values, &expected.values);
        assert_near(&got.mean, &expected.mean);
        assert_near(&got.second, &expected.second);
        prop_assert_eq!(&got.count, &expected.count);
        let looked_up: Vec<usize> = problem.lookups().rows().collect();
        for row in (0..problem.table.count.len()).filter(|row| !looked_up.contains(row)) {
            let part = row * problem.width..(row + 1) * problem.width;
            prop_assert_eq!(&got.values[part.clone()], &problem.table.values[part]);
        }
    }

    #[test]
    fn threads_and_instruction_sets_change_no_bit(problem in problem()) {
        let one = problem.updated(InstructionSet::Portable, &Serial);
        for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
            prop_assert_eq!(&problem.updated(set, &Threads), &one);
        }
    }
}

/// A step of Adam in `f32`: the table, its means and its means of squares.
fn single(width: usize, set: InstructionSet, ids: &[i64], table: &[f32], gradients: &[f32]) -> [Vec<f32>; 3] {
    let rows = table.len() / width;
    let mut lookups = Lookups::default();
    lookups.sort(ids, rows).unwrap();
    let (mut values, mut mean, mut second) = (table.to_vec(), vec![0.25; rows * width], vec![0.5; rows * width]);
    let rule = RowRule::Adam { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, correction: Correction::Step(3) };
    let step = RowStep { rule, learning_rate: 0.1, l2: 0.01, shrink: 0.001, l2_of_rows: None };
    let state =
        RowState { mean: Some(&mut mean), second: Some(SecondMoment::Element(&mut second)), ..RowState::default() };
    update_rows_with(set, width, &mut values, state, &lookups, gradients, &step, &Threads).unwrap();
    [values, mean, second]
}

/// One column of some rows.
fn column(rows: &[f32], width: usize, column: usize) -> Vec<f32> {
    rows.chunks_exact(width).map(|row| row[column]).collect()
}

#[test]
fn rows_of_any_width_move_as_their_columns_do_one_by_one() {
    let number = |index: usize| ((index * 7919) % 1009) as f32 / 1009.0 - 0.5;
    let ids: Vec<i64> = (0..2100i64).map(|index| index * index * 31 % 23).collect();
    for width in [1, 2, 4, 7, 8, 16, 17, 32, 33, 64, 65] {
        let table: Vec<f32> = (0..24 * width).map(number).collect();
        let gradients: Vec<f32> = (0..ids.len() * width).map(|index| number(index + 5)).collect();
        let sets = InstructionSet::ALL.into_iter().filter(|set| set.is_available());
        for got in sets.map(|set| single(width, set, &ids, &table, &gradients)) {
            for at in 0..width {
                let (table, gradients) = (column(&table, width, at), column(&gradients, width, at));
                let expected = single(1, InstructionSet::Portable, &ids, &table, &gradients);
                let got = [0, 1, 2].map(|of: usize| column(&got[of], width, at));
                assert_eq!(got, expected, "column {at} of {width}");
            }
            assert_eq!(got[0][23 * width..], table[23 * width..], "no lookup is of the last row");
            assert_ne!(got[0][..width], table[..width]);
        }
    }
}

#[test]
fn single_precision_is_as_near_as_it_can_be() {
    let (mut values, mut sums) = ([0.5f32, -0.25, 1.0], [0.0f32; 3]);
    let mut lookups = Lookups::default();
    lookups.sort(&[2, 0, 2], 3).unwrap();
    let rule = RowRule::Adagrad { epsilon: 0.0 };
    let step = RowStep { rule, learning_rate: 0.5, l2: 0.0, shrink: 0.0, l2_of_rows: None };
    let state = RowState { second: Some(SecondMoment::Element(&mut sums)), ..RowState::default() };
    update_rows(1, &mut values, state, &lookups, &[1.0, 4.0, 2.0], &step, &Serial).unwrap();
    // The first step of Adagrad is the learning rate.
    assert_eq!((values, sums), ([0.0, -0.25, 0.5], [16.0, 0.0, 9.0]));
}

#[test]
fn what_does_not_fit_is_refused_and_moves_nothing() {
    let adam = |correction| RowRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, correction };
    let mut lookups = Lookups::default();
    lookups.sort(&[1, 0], 2).unwrap();
    // Width, then the lengths of table, mean, second moment, count, gradients and coefficients of the rows.
    for (width, lengths, rule, expected) in [
        (0, [0, 0, 0, 0, 0, 2], RowRule::Sgd, KernelError::Zero { name: "width" }),
        (3, [5, 0, 0, 0, 6, 2], RowRule::Sgd, KernelError::Length { buffer: "table", length: 5, needed: 6 }),
        (3, [6, 0, 0, 0, 7, 2], RowRule::Sgd, KernelError::Length { buffer: "gradients", length: 7, needed: 6 }),
        (3, [6, 0, 0, 0, 6, 1], RowRule::Sgd, KernelError::Length { buffer: "l2_of_rows", length: 1, needed: 2 }),
        (
            3,
            [6, 0, 2, 0, 6, 2],
            RowRule::Adagrad { epsilon: 1.0 },
            KernelError::Length { buffer: "second", length: 2, needed: 6 },
        ),
        (
            3,
            [6, 2, 6, 0, 6, 2],
            adam(Correction::Step(1)),
            KernelError::Length { buffer: "mean", length: 2, needed: 6 },
        ),
        (3, [6, 6, 6, 0, 6, 2], adam(Correction::Row), KernelError::Length { buffer: "count", length: 0, needed: 2 }),
    ] {
        let [mut table, mut mean, mut second, mut count, gradients, l2] = lengths.map(|length| vec![0.5f32; length]);
        let state = RowState {
            mean: Some(&mut mean),
            second: Some(SecondMoment::Element(&mut second)),
            count: Some(&mut count),
        };
        let step = RowStep { rule, learning_rate: 0.1, l2: 0.0, shrink: 0.0, l2_of_rows: Some(&l2) };
        assert_eq!(update_rows(width, &mut table, state, &lookups, &gradients, &step, &Serial), Err(expected));
        assert!(table.iter().all(|&number| number == 0.5));
    }
    let step = RowStep::<f32> { rule: RowRule::Sgd, learning_rate: 0.1, l2: 0.0, shrink: 0.0, l2_of_rows: None };
    let undone = update_rows(1, &mut [0.0, 0.0], RowState::default(), &lookups, &[0.0, 0.0], &step, &Lazy);
    assert_eq!(undone, Err(KernelError::Pool { tasks: 1, done: 0 }));
}

#[test]
fn a_batch_without_lookups_moves_nothing() {
    let mut lookups = Lookups::default();
    lookups.sort(&[], 2).unwrap();
    assert!(lookups.is_empty());
    let step = RowStep { rule: RowRule::Sgd, learning_rate: 0.1, l2: 1.0, shrink: 0.5, l2_of_rows: None };
    let mut table = [1.0f64, 2.0];
    update_rows(1, &mut table, RowState::default(), &lookups, &[], &step, &Serial).unwrap();
    assert_eq!(table, [1.0, 2.0]);
}
