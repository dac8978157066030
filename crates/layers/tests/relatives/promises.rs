//! What every reader of a history promises.

use std::collections::BTreeMap;

use tch::{Kind, Tensor};

use crate::assert_close;
use crate::batch::{Batch, numbers};

/// A result for each sample.
pub(crate) type Forward<'a> = dyn Fn(&Batch) -> Vec<Tensor> + 'a;

/// A sample's result is the same alone, among others and in any place of the batch, and takes gradients from nobody
/// else; nothing is NaN.
#[track_caller]
pub(crate) fn check(batch: &Batch, variables: &BTreeMap<String, Tensor>, forward: &Forward<'_>) {
    let together = forward(batch);
    assert_eq!(together.len(), batch.lengths.len());
    for (row, result) in together.iter().enumerate() {
        assert!(numbers(result).iter().all(|number| number.is_finite()), "sample {row}");
        assert_close(&numbers(result), &numbers(&forward(&batch.samples(&[row]))[0]));
    }
    let order: Vec<usize> = (0..together.len()).rev().collect();
    for (permuted, &row) in forward(&batch.samples(&order)).iter().zip(&order) {
        assert_close(&numbers(permuted), &numbers(&together[row]));
    }
    for row in 0..together.len() {
        only_own_gradients(batch, row, forward);
    }
    everything_is_finite(batch, variables, forward);
}

/// The result of sample `row` has gradients in its own candidate and events only, all others are exactly 0.
#[track_caller]
fn only_own_gradients(batch: &Batch, row: usize, forward: &Forward<'_>) {
    let batch = leaves(batch);
    forward(&batch)[row].square().sum(Kind::Double).backward();
    let of = |leaf: &Tensor, row: usize, start: u32, length: u32| {
        let gradient = leaf.grad();
        let defined = gradient.defined();
        assert!(!defined || gradient.size() == leaf.size());
        let part = if defined { numbers(&gradient.narrow(0, i64::from(start), i64::from(length))) } else { vec![] };
        (row, part)
    };
    let offsets = batch.offsets();
    for other in (0..batch.lengths.len()).filter(|&other| other != row) {
        for (other, part) in [
            of(&batch.candidate, other, other as u32, 1),
            of(&batch.values, other, offsets[other], batch.lengths[other]),
        ] {
            assert!(part.iter().all(|&entry| entry == 0.0), "sample {row} takes a gradient from {other}: {part:?}");
        }
    }
}

/// Every gradient is a number, whatever is empty.
#[track_caller]
fn everything_is_finite(batch: &Batch, variables: &BTreeMap<String, Tensor>, forward: &Forward<'_>) {
    let batch = leaves(batch);
    for variable in variables.values() {
        variable.shallow_clone().zero_grad();
    }
    let total: Tensor = forward(&batch).iter().map(|result| result.square().sum(Kind::Double)).sum();
    total.backward();
    for leaf in variables.values().chain([&batch.candidate, &batch.values]) {
        let gradient = leaf.grad();
        let finite = !gradient.defined() || numbers(&gradient).iter().all(|entry| entry.is_finite());
        assert!(finite, "{gradient:?}");
    }
}

/// The same numbers, with gradients of their own.
fn leaves(batch: &Batch) -> Batch {
    let leaf = |tensor: &Tensor| tensor.detach().copy().set_requires_grad(true);
    Batch { lengths: batch.lengths.clone(), candidate: leaf(&batch.candidate), values: leaf(&batch.values) }
}
