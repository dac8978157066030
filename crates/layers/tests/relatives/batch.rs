//! Random batches and random variables.

use std::collections::BTreeMap;

use fain_layers::{Jagged, JaggedLayout};
use proptest::prelude::*;
use tch::{Device, Kind, Tensor, nn};

/// Samples with histories of float64 events.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Events of each sample.
    pub(crate) lengths: Vec<u32>,
    /// `[B, D]`
    pub(crate) candidate: Tensor,
    /// `[N, D]`
    pub(crate) values: Tensor,
}

impl Batch {
    pub(crate) fn new(lengths: &[u32], width: i64, seed: u64) -> Self {
        let events = lengths.iter().copied().map(i64::from).sum();
        Self {
            lengths: lengths.to_vec(),
            candidate: tensor(seed ^ 1, &[lengths.len() as i64, width]),
            values: tensor(seed ^ 2, &[events, width]),
        }
    }

    pub(crate) fn offsets(&self) -> Vec<u32> {
        let mut offsets = vec![0];
        for length in &self.lengths {
            offsets.push(offsets[offsets.len() - 1] + length);
        }
        offsets
    }

    pub(crate) fn layout(&self) -> JaggedLayout {
        JaggedLayout::new(&self.offsets(), Device::Cpu).unwrap()
    }

    pub(crate) fn history(&self) -> Jagged {
        Jagged::new(self.values.shallow_clone(), self.layout()).unwrap()
    }

    /// The samples of `order`, which may be fewer than all.
    pub(crate) fn samples(&self, order: &[usize]) -> Self {
        let values = self.events_of_each();
        let (lengths, candidates): (Vec<u32>, Vec<Tensor>) =
            order.iter().map(|&row| (self.lengths[row], self.candidate.narrow(0, row as i64, 1))).unzip();
        let values: Vec<&Tensor> = order.iter().map(|&row| &values[row]).collect();
        Self { lengths, candidate: Tensor::cat(&candidates, 0), values: Tensor::cat(&values, 0) }
    }

    /// The events of each sample, `[length, D]`.
    pub(crate) fn events_of_each(&self) -> Vec<Tensor> {
        events(&self.history())
    }
}

/// 1 to 6 samples with 0 to 5 events.
pub(crate) fn lengths() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(0u32..6, 1..7)
}

/// A result `[B, W]` sample by sample.
pub(crate) fn rows(result: &Tensor) -> Vec<Tensor> {
    (0..result.size()[0]).map(|row| result.narrow(0, row, 1)).collect()
}

/// A jagged result sample by sample, `[length, D]` each.
pub(crate) fn events(result: &Jagged) -> Vec<Tensor> {
    let pairs = result.layout().host_offsets().windows(2);
    pairs.map(|pair| result.values().narrow(0, i64::from(pair[0]), i64::from(pair[1] - pair[0]))).collect()
}

/// All entries, in order.
pub(crate) fn numbers(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.detach().to_kind(Kind::Double).reshape([-1])).unwrap()
}

/// The entries row by row.
pub(crate) fn matrix(tensor: &Tensor) -> Vec<Vec<f64>> {
    rows(tensor).iter().map(numbers).collect()
}

/// Gives every variable of the store numbers of its own, in float64.
pub(crate) fn fill(store: &mut nn::VarStore, seed: u64) -> BTreeMap<String, Tensor> {
    store.set_kind(Kind::Double);
    let variables: BTreeMap<String, Tensor> = store.variables().into_iter().collect();
    for (index, variable) in variables.values().enumerate() {
        let value = tensor(seed ^ (10 + index as u64), &variable.size());
        tch::no_grad(|| variable.shallow_clone().copy_(&value));
    }
    variables
}

/// Numbers between −1 and 1. libtorch's generator is shared by all tests of a process, so it is of no use here.
pub(crate) fn tensor(seed: u64, size: &[i64]) -> Tensor {
    let mut state = seed;
    let count: i64 = size.iter().product();
    let numbers: Vec<f64> = (0..count)
        .map(|_| {
            // SplitMix64.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut bits = state;
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            bits ^= bits >> 31;
            (bits >> 11) as f64 / (1u64 << 52) as f64 - 1.0
        })
        .collect();
    Tensor::from_slice(&numbers).reshape(size)
}
