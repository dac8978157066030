//! Factorisation machine and product layer.

use fain_layers::{LayerError, ProductKind, ProductLayer, factorization_machine};
use proptest::prelude::*;
use tch::{Device, Kind, Tensor, nn};

use crate::batch::{fill, matrix, numbers, tensor};
use crate::naive::{Rows, dot};
use crate::{assert_close, config, gradients};

/// The fields of each sample.
fn split(fields: &Tensor) -> Vec<Rows> {
    (0..fields.size()[0]).map(|row| matrix(&fields.get(row))).collect()
}

/// The inner products of all pairs, in order.
fn pairs(fields: &Rows) -> Vec<f64> {
    let pair = |first: usize| (first + 1..fields.len()).map(move |second| (first, second));
    (0..fields.len()).flat_map(pair).map(|(first, second)| dot(&fields[first], &fields[second])).collect()
}

fn outer(kernels: i64) -> ProductKind {
    ProductKind::Outer { kernels }
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn the_factorization_machine_sums_the_inner_products_of_all_pairs(
        rows in 1i64..5, count in 0i64..6, width in 1i64..5, seed: u64,
    ) {
        let fields = tensor(seed, &[rows, count, width]);
        let got = factorization_machine(&fields).unwrap();
        prop_assert_eq!(got.size(), [rows, 1]);
        let expected: Vec<f64> = split(&fields).iter().map(|fields| pairs(fields).iter().sum()).collect();
        assert_close(&numbers(&got), &expected);
        gradients::check([("fields", &fields)], || factorization_machine(&fields).unwrap());
    }

    #[test]
    fn inner_products_are_those_of_all_pairs(rows in 1i64..5, count in 2i64..6, width in 1i64..5, seed: u64) {
        let fields = tensor(seed, &[rows, count, width]);
        let store = nn::VarStore::new(Device::Cpu);
        let layer = ProductLayer::new(&store.root(), count, width, ProductKind::Inner).unwrap();
        prop_assert!(store.is_empty());
        let got = layer.forward(&fields).unwrap();
        prop_assert_eq!(got.size(), [rows, layer.outputs()]);
        assert_close(&numbers(&got), &split(&fields).iter().flat_map(pairs).collect::<Vec<f64>>());
        gradients::check([("fields", &fields)], || layer.forward(&fields).unwrap());
    }

    #[test]
    fn kernels_weigh_the_outer_product_of_the_sum(
        rows in 1i64..5, count in 1i64..6, width in 1i64..5, kernels in 1i64..4, seed: u64,
    ) {
        let fields = tensor(seed, &[rows, count, width]);
        let mut store = nn::VarStore::new(Device::Cpu);
        let layer = ProductLayer::new(&store.root(), count, width, outer(kernels)).unwrap();
        let variables = fill(&mut store, seed);
        let weight = matrix(&variables["weight"]);
        let mut expected = Vec::new();
        for fields in split(&fields) {
            for kernel in &weight {
                // The sum over all pairs of fields, each pair in both orders and with itself.
                let mut sum = 0.0;
                for first in &fields {
                    for second in &fields {
                        let entries = first.iter().flat_map(|x| second.iter().map(move |y| x * y));
                        sum += entries.zip(kernel).map(|(product, weight)| product * weight).sum::<f64>();
                    }
                }
                expected.push(sum);
            }
        }
        let got = layer.forward(&fields).unwrap();
        prop_assert_eq!(got.size(), [rows, layer.outputs()]);
        assert_close(&numbers(&got), &expected);
        gradients::check([("fields", &fields), ("weight", &variables["weight"])], || layer.forward(&fields).unwrap());
    }
}

#[test]
fn wrong_settings_and_shapes_are_refused_before_a_variable_is_registered() {
    let store = nn::VarStore::new(Device::Cpu);
    let message = |fields, width, kind| {
        let error = ProductLayer::new(&store.root(), fields, width, kind).unwrap_err();
        assert!(matches!(error, LayerError::Config { .. }));
        error.to_string()
    };
    assert_eq!(message(1, 4, ProductKind::Inner), "fields = 1 is not allowed: at least 2 for inner products");
    assert_eq!(message(0, 4, outer(2)), "fields = 0 is not allowed: at least 1");
    assert_eq!(message(2, 4, outer(0)), "outer.kernels = 0 is not allowed: at least 1");
    assert_eq!(message(2, 0, outer(2)), "width = 0 is not allowed: at least 1");
    assert!(store.is_empty());

    let layer = ProductLayer::new(&store.root(), 3, 2, ProductKind::Inner).unwrap();
    let fields = |size: &[i64]| Tensor::zeros(size, (Kind::Float, Device::Cpu));
    let error = layer.forward(&fields(&[5, 2, 2])).unwrap_err().to_string();
    assert_eq!(error, "fields has shape [5, 2, 2], but [B, F, D] = [any, 3, 2] is needed");
    assert!(factorization_machine(&fields(&[5, 2])).is_err());
}

#[test]
fn the_kind_of_product_is_written_in_words() {
    let read = |text: &str| serde_json::from_str::<ProductKind>(text);
    assert_eq!(read("\"inner\"").unwrap(), ProductKind::Inner);
    assert_eq!(read(r#"{"outer": {"kernels": 3}}"#).unwrap(), outer(3));
    assert!(read(r#"{"outer": {"kernel": 3}}"#).is_err());
}
