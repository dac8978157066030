//! What is apart for embedding tables, against formulas written out.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fain_training::{
    AdagradConfig, AdamConfig, BiasCorrection, Moments, Optimizer, OptimizerConfig, TablesConfig, TrainedTable,
    UpdateRule,
};
use tch::{Kind, Tensor};

const ADAM: UpdateRule = UpdateRule::Adam(AdamConfig { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
const ADAM_W: UpdateRule = UpdateRule::AdamW(AdamConfig { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
const ADAGRAD: UpdateRule = UpdateRule::Adagrad(AdagradConfig { epsilon: 1e-10 });
const SGD: UpdateRule = UpdateRule::Sgd {};
const RATE: f64 = 0.05;
const START: [f64; 8] = [0.3, -0.2, 0.8, 1.0, -0.7, 0.1, 0.4, 0.5];
const COUNTS: [u32; 4] = [0, 7, 1, 20];

struct Training {
    table: Tensor,
    optimizer: Optimizer,
    sparse: bool,
}

impl Training {
    fn new(rule: UpdateRule, weight_decay: f64, tables: TablesConfig, sparse: bool) -> Self {
        let table = Tensor::from_slice(&START).reshape([4, 2]).set_requires_grad(true);
        let config = OptimizerConfig { learning_rate: RATE, weight_decay, rule };
        let trained = TrainedTable { parameter: "table".to_owned(), occurrences: Some(COUNTS.to_vec()) };
        let named = vec![("table".to_owned(), table.shallow_clone())];
        let optimizer = Optimizer::with_tables(named, config, tables, &[trained]).unwrap();
        Self { table, optimizer, sparse }
    }

    /// A step whose loss is the sum of the looked up rows times their coefficients.
    fn step(&mut self, lookups: &[(i64, [f64; 2])]) {
        let ids: Vec<i64> = lookups.iter().map(|(id, _)| *id).collect();
        let factors: Vec<f64> = lookups.iter().flat_map(|(_, factors)| *factors).collect();
        let rows = Tensor::embedding(&self.table, &Tensor::from_slice(&ids), -1, false, self.sparse);
        let loss = (rows * Tensor::from_slice(&factors).reshape([-1, 2])).sum(Kind::Double);
        self.optimizer.backward_step(&loss).unwrap();
    }

    fn values(&self) -> Vec<f64> {
        numbers(&self.table)
    }

    fn state(&self, name: &str) -> Option<Tensor> {
        self.optimizer.state().into_iter().find(|(known, _)| known == name).map(|(_, tensor)| tensor)
    }
}

fn numbers(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.detach().reshape([-1])).unwrap()
}

fn mean_square(gradient: [f64; 2]) -> f64 {
    gradient.iter().map(|number| number * number).sum::<f64>() / 2.0
}

fn assert_near(got: &[f64], expected: &[f64], what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (got, expected) in got.iter().zip(expected) {
        assert!((got - expected).abs() < 1e-12, "{what}: {got}, expected {expected}");
    }
}

fn mini_batch_aware(lambda: f64) -> TablesConfig {
    TablesConfig { mini_batch_aware: lambda, ..TablesConfig::default() }
}

/// Deep Interest Network, eq. (6): `w − η(g + λ/n · w)` for the rows of the batch.
#[test]
fn the_mini_batch_aware_regularisation_is_that_of_the_paper() {
    for sparse in [true, false] {
        let mut training = Training::new(SGD, 0.0, mini_batch_aware(0.6), sparse);
        training.step(&[(1, [1.0, 2.0]), (3, [0.5, -1.0]), (1, [0.25, 0.0]), (0, [1.0, 1.0])]);
        let expected = [
            // No training row has id 0; it counts as one.
            0.3 - RATE * (1.0 + 0.6 * 0.3),
            -0.2 - RATE * (1.0 - 0.6 * 0.2),
            0.8 - RATE * (1.25 + 0.6 / 7.0 * 0.8),
            1.0 - RATE * (2.0 + 0.6 / 7.0),
            -0.7,
            0.1,
            0.4 - RATE * (0.5 + 0.6 / 20.0 * 0.4),
            0.5 - RATE * (-1.0 + 0.6 / 20.0 * 0.5),
        ];
        assert_near(&training.values(), &expected, &format!("sparse {sparse}"));
        assert_eq!(training.values()[4..6], START[4..6]);
    }
}

/// Over all training rows, one by one, it adds up to `λw`, the gradient of `λ/2 · ‖w‖²`.
#[test]
fn an_epoch_of_single_rows_adds_up_to_the_whole_norm() {
    let row = |training: &Training| training.values()[2..4].to_vec();
    let mut training = Training::new(SGD, 0.0, mini_batch_aware(0.6), true);
    // So small a step that the row stays nearly the same over the seven batches that touch it.
    let config = OptimizerConfig { learning_rate: 1e-9, weight_decay: 0.0, rule: SGD };
    let named = vec![("table".to_owned(), training.table.shallow_clone())];
    let table = TrainedTable { parameter: "table".to_owned(), occurrences: Some(COUNTS.to_vec()) };
    training.optimizer = Optimizer::with_tables(named, config, mini_batch_aware(0.6), &[table]).unwrap();
    for _ in 0..COUNTS[1] {
        training.step(&[(1, [0.0, 0.0])]);
    }
    for (before, after) in START[2..4].iter().zip(row(&training)) {
        let gradient = (before - after) / 1e-9;
        assert!((gradient - 0.6 * before).abs() < 1e-6, "{gradient}");
    }
}

#[test]
fn no_lambda_is_the_same_as_no_occurrences() {
    for rule in [ADAM, ADAM_W, ADAGRAD, SGD] {
        for sparse in [true, false] {
            let mut with = Training::new(rule, 0.01, mini_batch_aware(0.0), sparse);
            let mut without = Training::new(rule, 0.01, TablesConfig::default(), sparse);
            without.optimizer = Optimizer::new(
                vec![("table".to_owned(), without.table.shallow_clone())],
                OptimizerConfig { learning_rate: RATE, weight_decay: 0.01, rule },
            )
            .unwrap();
            for lookups in [[(1, [1.0, 2.0]), (0, [0.5, 0.5])], [(2, [-1.0, 0.5]), (1, [1.0, 1.0])]] {
                with.step(&lookups);
                without.step(&lookups);
            }
            assert_eq!(with.values(), without.values(), "{rule:?}, sparse {sparse}");
        }
    }
}

/// The regularisation goes through the rule, as weight decay in the gradient does; `AdamW` shrinks besides.
#[test]
fn the_first_step_of_adam_sees_the_regularisation() {
    for (rule, weight_decay) in [(ADAM, 0.0), (ADAM_W, 0.1)] {
        let kept = 1.0 - RATE * weight_decay;
        let mut training = Training::new(rule, weight_decay, mini_batch_aware(2.0), true);
        // Without the regularisation the gradient would be above 0: 0.5 − 2/1 · 0.7 is below.
        training.step(&[(2, [0.5, 1.0])]);
        // A first step is as long as the learning rate.
        let expected = [-0.7 * kept + RATE, 0.1 * kept - RATE];
        let got = &training.values()[4..6];
        assert!((got[0] - expected[0]).abs() < 1e-6 && (got[1] - expected[1]).abs() < 1e-6, "{rule:?}: {got:?}");
    }
}

#[test]
fn moments_of_rows_are_means_of_squares() {
    let tables = TablesConfig { moments: Moments::Row, ..TablesConfig::default() };
    let steps = [[1.0, -3.0], [2.0, 0.5]];
    for sparse in [true, false] {
        let mut adagrad = Training::new(ADAGRAD, 0.0, tables, sparse);
        let (mut row, mut sum) = ([0.8, 1.0], 0.0f64);
        for gradient in steps {
            adagrad.step(&[(1, gradient)]);
            sum += mean_square(gradient);
            row = [0, 1].map(|column| row[column] - RATE * gradient[column] / (sum.sqrt() + 1e-10));
        }
        assert_near(&adagrad.values()[2..4], &row, "Adagrad");
        let remembered = adagrad.state("sum.table").unwrap();
        assert_eq!(remembered.size(), [4, 1]);
        assert_near(&numbers(&remembered), &[0.0, sum, 0.0, 0.0], "Adagrad's sum");
    }
    let mut adam = Training::new(ADAM, 0.0, tables, true);
    let (mut row, mut mean, mut square) = ([0.8, 1.0], [0.0; 2], 0.0f64);
    for (step, gradient) in (1..).zip(steps) {
        adam.step(&[(1, gradient)]);
        square = 0.999 * square + 0.001 * mean_square(gradient);
        mean = [0, 1].map(|column| 0.9 * mean[column] + 0.1 * gradient[column]);
        let rate = RATE * (1.0 - 0.999f64.powi(step)).sqrt() / (1.0 - 0.9f64.powi(step));
        row = [0, 1].map(|column| row[column] - rate * mean[column] / (square.sqrt() + 1e-8));
    }
    assert_near(&adam.values()[2..4], &row, "Adam");
    assert_eq!(adam.state("square.table").unwrap().size(), [4, 1]);
    assert_eq!(adam.state("mean.table").unwrap().size(), [4, 2]);
}

/// A row that is touched for the first time in step 9 moves as it would have in step 1.
#[test]
fn a_rows_own_correction_does_not_know_the_step() {
    for (rule, moments) in [(ADAM, Moments::Element), (ADAM_W, Moments::Row)] {
        let own = TablesConfig { moments, bias_correction: BiasCorrection::Row, ..TablesConfig::default() };
        let mut first = Training::new(rule, 0.0, own, true);
        first.step(&[(3, [0.5, -1.0])]);
        let mut late = Training::new(rule, 0.0, own, true);
        for _ in 0..8 {
            late.step(&[(0, [1.0, 1.0]), (0, [1.0, 0.5])]);
        }
        late.step(&[(3, [0.5, -1.0])]);
        assert_eq!(first.values()[6..], late.values()[6..], "{rule:?}");
        // Several lookups in a step are one update.
        assert_eq!(numbers(&late.state("count.table").unwrap()), [8.0, 0.0, 0.0, 1.0]);

        let by_step = TablesConfig { moments, ..TablesConfig::default() };
        let mut shared = Training::new(rule, 0.0, by_step, true);
        for _ in 0..8 {
            shared.step(&[(0, [1.0, 1.0])]);
        }
        shared.step(&[(3, [0.5, -1.0])]);
        assert!((shared.values()[6] - 0.4).abs() < (first.values()[6] - 0.4).abs(), "{rule:?}");
    }
}

/// A row of one touch a step, alone in its table, is a parameter like any other.
#[test]
fn a_row_touched_in_every_step_has_the_correction_of_the_step() {
    let own = TablesConfig { bias_correction: BiasCorrection::Row, ..TablesConfig::default() };
    let mut by_row = Training::new(ADAM, 0.01, own, true);
    let mut by_step = Training::new(ADAM, 0.01, TablesConfig::default(), true);
    for factor in [1.0, -2.0, 0.5] {
        let lookups = [(0, [factor, 1.0]), (1, [1.0, factor]), (2, [0.1, 0.2]), (3, [1.0, 1.0])];
        by_row.step(&lookups);
        by_step.step(&lookups);
    }
    assert_eq!(by_row.values(), by_step.values());
}

#[test]
fn tables_that_do_not_fit_are_refused() {
    let table = || Tensor::from_slice(&START).reshape([4, 2]);
    let named = |name: &str, occurrences: Option<Vec<u32>>| TrainedTable { parameter: name.to_owned(), occurrences };
    let refused = |value: Tensor, trained: TrainedTable, rule, tables| {
        let config = OptimizerConfig { learning_rate: RATE, weight_decay: 0.0, rule };
        Optimizer::with_tables(vec![("table".to_owned(), value)], config, tables, &[trained]).unwrap_err().to_string()
    };
    let rows = TablesConfig { moments: Moments::Row, ..TablesConfig::default() };
    for (value, trained, rule, tables, expected) in [
        (
            table(),
            named("tabel", None),
            SGD,
            mini_batch_aware(0.0),
            "the table tabel has no parameter of that name; one",
        ),
        (table().reshape([8]), named("table", None), ADAM, rows, "the table table has shape [8]; [V, D] is needed"),
        (
            table(),
            named("table", None),
            SGD,
            mini_batch_aware(0.1),
            "the table table has occurrences of 0 ids; one number for each of 4 rows is needed",
        ),
        (
            table(),
            named("table", Some(vec![1; 3])),
            SGD,
            mini_batch_aware(0.1),
            "the table table has occurrences of 3 ids; one number for each of 4 rows is needed",
        ),
        (table(), named("table", None), SGD, rows, "training.tables.moments is row; allowed: element"),
        (
            table(),
            named("table", None),
            ADAGRAD,
            TablesConfig { bias_correction: BiasCorrection::Row, ..TablesConfig::default() },
            "training.tables.bias_correction is row; allowed: step",
        ),
        (
            table(),
            named("table", None),
            SGD,
            mini_batch_aware(f64::NAN),
            "training.tables.mini_batch_aware is NaN; allowed: at least 0",
        ),
    ] {
        let message = refused(value, trained, rule, tables);
        assert!(message.contains(expected), "{message}");
    }
}
