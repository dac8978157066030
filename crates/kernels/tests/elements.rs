//! Dense parameters are moved by what their rules say, in any cut and with any instructions.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fain_kernels::{
    ElementRule, ElementStep, Elements, InstructionSet, KernelError, Pool, Serial, update_elements,
    update_elements_with,
};
use proptest::prelude::*;

const RULES: [ElementRule; 3] = [
    ElementRule::Sgd,
    ElementRule::Adagrad { epsilon: 1e-3 },
    ElementRule::Adam { beta1: 0.9, beta2: 0.99, epsilon: 1e-3, number: 3 },
];

/// Tasks from the last to the first.
struct Backwards;

impl Pool for Backwards {
    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        (0..tasks).rev().for_each(task);
    }
}

/// A pool that forgets its last task.
struct Forgetful;

impl Pool for Forgetful {
    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        (1..tasks).for_each(task);
    }
}

/// Parameters with their gradients and moments.
#[derive(Clone, Debug, PartialEq)]
struct Parameter {
    values: Vec<f64>,
    gradients: Vec<f64>,
    mean: Vec<f64>,
    second: Vec<f64>,
}

impl Parameter {
    /// Numbers that differ by their place; second moments are not negative.
    fn new(length: usize, rule: ElementRule) -> Self {
        let numbers = |factor: f64| -> Vec<f64> { (0..length).map(|place| (place as f64 * factor).sin()).collect() };
        let (adam, sgd) = (matches!(rule, ElementRule::Adam { .. }), rule == ElementRule::Sgd);
        Self {
            values: numbers(0.7),
            gradients: numbers(1.3),
            mean: if adam { numbers(2.1) } else { Vec::new() },
            second: if sgd { Vec::new() } else { numbers(0.3).into_iter().map(f64::abs).collect() },
        }
    }

    fn lend(&mut self) -> Elements<'_, f64> {
        let Self { values, gradients, mean, second } = self;
        Elements { values, gradients, mean, second }
    }

    /// The rule as it is written, number by number.
    fn step(&mut self, step: &ElementStep) {
        for place in 0..self.values.len() {
            let value = self.values[place];
            let gradient = self.gradients[place] + step.l2 * value;
            let shrunk = value * (1.0 - step.shrink);
            self.values[place] = match step.rule {
                ElementRule::Sgd => shrunk - step.learning_rate * gradient,
                ElementRule::Adagrad { epsilon } => {
                    self.second[place] += gradient * gradient;
                    shrunk - step.learning_rate * gradient / (self.second[place].sqrt() + epsilon)
                }
                ElementRule::Adam { beta1, beta2, epsilon, number } => {
                    self.mean[place] = beta1 * self.mean[place] + (1.0 - beta1) * gradient;
                    self.second[place] = beta2 * self.second[place] + (1.0 - beta2) * gradient * gradient;
                    let mean = self.mean[place] / (1.0 - beta1.powf(number as f64));
                    let square = self.second[place] / (1.0 - beta2.powf(number as f64));
                    shrunk - step.learning_rate * mean / (square.sqrt() + epsilon)
                }
            };
        }
    }
}

fn steps() -> impl Strategy<Value = ElementStep> {
    (0..RULES.len(), prop_oneof![Just(0.0), 0.01..0.2], prop_oneof![Just(0.0), 0.01..0.2])
        .prop_map(|(rule, l2, shrink)| ElementStep { rule: RULES[rule], learning_rate: 0.05, l2, shrink })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Also across the bounds of tasks, and for parameters without numbers.
    #[test]
    fn numbers_move_as_the_rule_says(step in steps(), lengths in prop::collection::vec(0..20_000usize, 0..4)) {
        let start: Vec<Parameter> = lengths.iter().map(|&length| Parameter::new(length, step.rule)).collect();
        let mut expected = start.clone();
        for parameter in &mut expected {
            parameter.step(&step);
        }
        let mut serial = start.clone();
        update_elements(serial.iter_mut().map(Parameter::lend).collect(), &step, &Serial).unwrap();
        for (got, expected) in serial.iter().zip(&expected) {
            for (got, expected) in [
                (&got.values, &expected.values),
                (&got.mean, &expected.mean),
                (&got.second, &expected.second),
            ] {
                prop_assert_eq!(got.len(), expected.len());
                for (got, expected) in got.iter().zip(expected) {
                    prop_assert!((got - expected).abs() < 1e-12, "{:?}: {} {}", step, got, expected);
                }
            }
        }
        for set in InstructionSet::ALL {
            let mut other = start.clone();
            match update_elements_with(set, other.iter_mut().map(Parameter::lend).collect(), &step, &Backwards) {
                Ok(()) => prop_assert_eq!(&other, &serial),
                Err(KernelError::Unavailable { .. }) => {}
                Err(error) => prop_assert!(false, "{}", error),
            }
        }
    }
}

#[test]
fn single_precision_is_moved_too() {
    let (mut values, mut second) = ([1.0f32, -2.0], [0.0f32, 3.0]);
    let parameter = Elements { values: &mut values, gradients: &[2.0, 1.0], mean: &mut [], second: &mut second };
    let step = ElementStep { rule: ElementRule::Adagrad { epsilon: 0.0 }, learning_rate: 0.5, l2: 0.0, shrink: 0.0 };
    update_elements(vec![parameter], &step, &Serial).unwrap();
    assert_eq!((values, second), ([0.5, -2.25], [4.0, 4.0]));
}

#[test]
fn wrong_lengths_move_nothing() {
    let step = ElementStep { rule: RULES[2], learning_rate: 0.5, l2: 0.0, shrink: 0.0 };
    for (gradients, mean, second, buffer) in [(3, 2, 2, "gradients"), (2, 0, 2, "mean"), (2, 2, 1, "second")] {
        let (mut first, mut values) = (Parameter::new(2, step.rule), [1.0; 2]);
        let broken = Elements {
            values: &mut values,
            gradients: &vec![1.0; gradients],
            mean: &mut vec![1.0; mean],
            second: &mut vec![1.0; second],
        };
        let error = update_elements(vec![first.lend(), broken], &step, &Serial).unwrap_err();
        assert!(matches!(error, KernelError::Length { buffer: named, .. } if named == buffer), "{error}");
        assert_eq!((first, values), (Parameter::new(2, step.rule), [1.0; 2]));
    }
    let unneeded = ElementStep { rule: ElementRule::Sgd, ..step };
    let error = update_elements(vec![Parameter::new(2, step.rule).lend()], &unneeded, &Serial).unwrap_err();
    assert!(matches!(error, KernelError::Length { buffer: "mean", needed: 0, .. }), "{error}");
}

#[test]
fn a_pool_that_forgets_tasks_is_an_error() {
    let step = ElementStep { rule: RULES[0], learning_rate: 0.5, l2: 0.0, shrink: 0.0 };
    let mut parameter = Parameter::new(3, step.rule);
    let error = update_elements(vec![parameter.lend()], &step, &Forgetful).unwrap_err();
    assert!(matches!(error, KernelError::Pool { tasks: 1, done: 0 }), "{error}");
}
