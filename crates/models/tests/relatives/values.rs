//! The models' own terms against their definitions in plain loops.

use proptest::prelude::*;
use tch::nn;

use crate::support::{Row, build, numbers, row, scores, settings, variable};

/// The network adds nothing: what is left of the logit is the model's own.
fn silence_the_network(variables: &nn::VarStore) {
    for name in ["output.weight", "output.bias"] {
        let _ = tch::no_grad(|| variable(variables, name).zero_());
    }
}

/// Fills a variable with `0.1, -0.2, 0.3, …`, from a start of its own.
fn fill(variables: &nn::VarStore, name: &str, start: usize) -> Vec<f64> {
    let mut target = variable(variables, name);
    let values =
        (start..start + target.numel()).map(|n| (n as f32 * 0.1).copysign(if n % 2 == 0 { -1.0 } else { 1.0 }));
    let values = tch::Tensor::from_slice(&values.collect::<Vec<f32>>()).reshape(target.size());
    tch::no_grad(|| target.copy_(&values));
    numbers(&target)
}

/// The linear part of a row, with the numbers of `{part}.{feature}`.
struct Linear {
    features: Vec<(&'static str, Vec<f64>)>,
}

impl Linear {
    fn new(variables: &nn::VarStore, part: &str) -> Self {
        let names = ["user", "item", "shop", "items", "shops", "words", "price"];
        let filled = names
            .into_iter()
            .enumerate()
            .map(|(start, name)| (name, fill(variables, &format!("{part}.{name}.weight"), start)));
        Self { features: filled.collect() }
    }

    fn of(&self, row: &Row) -> f64 {
        self.features
            .iter()
            .map(|(name, weights)| ids(row, name).iter().map(|&id| weights[id]).sum::<f64>())
            .sum::<f64>()
            + self.features[6].1[0] * f64::from(row.price)
    }
}

/// The ids a row has in a feature; none in a number.
fn ids(row: &Row, feature: &str) -> Vec<usize> {
    let ids = match feature {
        "user" => vec![row.user],
        "item" => vec![row.item],
        "shop" => vec![row.shop],
        "items" => row.events.iter().map(|event| event.0).collect(),
        "shops" => row.events.iter().map(|event| event.1).collect(),
        "words" => row.words.clone(),
        _ => Vec::new(),
    };
    ids.into_iter().map(|id| id as usize).collect()
}

/// The six fields of a row, lists as means.
fn fields(variables: &nn::VarStore, row: &Row) -> Vec<[f64; 3]> {
    let tables = [
        ("user", "user"),
        ("item", "item"),
        ("shop", "shop"),
        ("items", "item"),
        ("shops", "shop"),
        ("words", "words"),
    ];
    let field = |(feature, table): (&str, &str)| {
        let table = numbers(&variable(variables, &format!("embedding.{table}.weight")));
        let ids = ids(row, feature);
        let mean = |unit: usize| ids.iter().map(|id| table[id * 3 + unit]).sum::<f64>() / ids.len().max(1) as f64;
        [mean(0), mean(1), mean(2)]
    };
    tables.map(field).to_vec()
}

fn product(left: &[f64; 3], right: &[f64; 3]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

/// The products of each two fields: (0, 1), (0, 2), …
fn products(fields: &[[f64; 3]]) -> Vec<f64> {
    let pairs = (0..fields.len()).flat_map(|left| (left + 1..fields.len()).map(move |right| (left, right)));
    pairs.map(|(left, right)| product(&fields[left], &fields[right])).collect()
}

/// `Σ wₙ xₙ` with the weights of [`weighing`].
fn weigh(numbers: &[f64]) -> f64 {
    numbers.iter().enumerate().map(|(index, number)| (index + 1) as f64 * 0.01 * number).sum()
}

/// A network of one linear unit that weighs column `n` by `(n + 1)/100`, without a hidden corner.
fn weighing(name: &str) -> (Box<dyn fain_models::Model>, nn::VarStore) {
    let settings =
        settings(name).replace("hidden = [7, 4], activation = \"relu\"", "hidden = [1], activation = \"linear\"");
    let (model, variables) = build(&settings);
    let mut dense = variable(&variables, "mlp.dense0.weight");
    let weights: Vec<f32> = (0..dense.numel()).map(|index| (index + 1) as f32 * 0.01).collect();
    tch::no_grad(|| dense.copy_(&tch::Tensor::from_slice(&weights).reshape([1, -1])));
    for (name, value) in [("mlp.dense0.bias", 0.0), ("output.weight", 1.0), ("output.bias", 0.0)] {
        let _ = tch::no_grad(|| variable(&variables, name).fill_(value));
    }
    (model, variables)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// `w·x` of each feature, and one number for the combination of two categories.
    #[test]
    fn the_wide_part_is_linear_in_ids_and_combinations(rows in prop::collection::vec(row(), 1..6)) {
        let (model, variables) = build(&settings("wide_deep"));
        silence_the_network(&variables);
        let linear = Linear::new(&variables, "wide");
        let exact = fill(&variables, "cross0.weight", 3);
        let hashed = fill(&variables, "cross1.weight", 8);
        for (row, score) in rows.iter().zip(scores(model.as_ref(), &rows)) {
            let combination = (row.user * 9 + row.item) as usize;
            let hash = [row.user, row.shop].iter().fold(0u64, |hash, &id| {
                let product = (hash + u64::from(id) + 1) * 742_938_285 % 2_147_483_647;
                product ^ (product >> 15)
            });
            let expected = linear.of(row) + exact[combination] + hashed[(hash % 7) as usize];
            prop_assert!((f64::from(score) - expected).abs() < 1e-4, "{score} {expected}");
        }
    }

    /// Rendle's sum over pairs, and the terms of degree one.
    #[test]
    fn deepfm_adds_products_and_linear_terms(rows in prop::collection::vec(row(), 1..6)) {
        let (model, variables) = build(&settings("deepfm"));
        silence_the_network(&variables);
        let linear = Linear::new(&variables, "first_order");
        for (row, score) in rows.iter().zip(scores(model.as_ref(), &rows)) {
            let expected = linear.of(row) + products(&fields(&variables, row)).iter().sum::<f64>();
            prop_assert!((f64::from(score) - expected).abs() < 1e-4, "{score} {expected}");
        }
    }

    /// The network reads the vectors, the price, then the products.
    #[test]
    fn pnn_reads_vectors_and_inner_products(rows in prop::collection::vec(row(), 1..6)) {
        let (model, variables) = weighing("ipnn");
        for (row, score) in rows.iter().zip(scores(model.as_ref(), &rows)) {
            let fields = fields(&variables, row);
            let expected = weigh(&[fields.concat(), vec![f64::from(row.price)], products(&fields)].concat());
            prop_assert!((f64::from(score) - expected).abs() < 1e-5, "{score} {expected}");
        }
    }

    /// The outer product of the sum of the fields, weighed by kernels.
    #[test]
    fn pnn_reads_vectors_and_weighed_outer_products(rows in prop::collection::vec(row(), 1..6)) {
        let (model, variables) = weighing("opnn");
        let kernels = numbers(&variable(&variables, "product.weight"));
        for (row, score) in rows.iter().zip(scores(model.as_ref(), &rows)) {
            let fields = fields(&variables, row);
            let sum = |unit: usize| fields.iter().map(|field| field[unit]).sum::<f64>();
            let weighed = |kernel: usize| {
                (0..9).map(|place| kernels[kernel * 9 + place] * sum(place / 3) * sum(place % 3)).sum::<f64>()
            };
            let columns = [fields.concat(), vec![f64::from(row.price)], vec![weighed(0), weighed(1)]].concat();
            let expected = weigh(&columns);
            prop_assert!((f64::from(score) - expected).abs() < 1e-5, "{score} {expected}");
        }
    }
}
