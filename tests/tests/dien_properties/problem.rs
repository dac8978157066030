//! Random batches.

use fain_autograd::GradientCheck;
use fain_layers::{Jagged, JaggedLayout};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use tch::{Device, Kind, Tensor};

/// Some entries of each leaf; layers have kinks.
pub(crate) const SLOPES: GradientCheck =
    GradientCheck { step: 1e-6, absolute: 1e-6, relative: 1e-6, entries: 4, kinks: true };

/// The same problems in every run: a gradient next to a kink must not fail once in a thousand runs.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    // The tests of a process run beside each other; threads of libtorch for tiny tensors would only wait for a core.
    tch::set_num_threads(1);
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() }
}

/// A batch's shape, with the seed of all numbers.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    /// Events of each sample.
    pub(crate) lengths: Vec<u32>,
    /// `D`
    pub(crate) width: i64,
    /// `H`
    pub(crate) hidden: i64,
    pub(crate) seed: u64,
}

impl Problem {
    /// Batches of 1 to 6 samples with 0 to 5 events of width 1 to 4, and states of width 1 to 4.
    pub(crate) fn any() -> impl Strategy<Value = Self> {
        (prop::collection::vec(0u32..6, 1..7), 1i64..5, 1i64..5, any::<u64>())
            .prop_map(|(lengths, width, hidden, seed)| Self { lengths, width, hidden, seed })
    }

    pub(crate) fn rows(&self) -> i64 {
        self.lengths.len() as i64
    }

    pub(crate) fn offsets(&self) -> Vec<u32> {
        let mut offsets = vec![0];
        for length in &self.lengths {
            offsets.push(offsets[offsets.len() - 1] + length);
        }
        offsets
    }

    /// Jagged `[N, width]` of drawn numbers; `which` tells the tensors of a problem apart.
    pub(crate) fn jagged(&self, which: u64, width: i64, kind: Kind) -> Jagged {
        let events = self.lengths.iter().copied().map(i64::from).sum();
        self.shape(draw(self.seed ^ which, &[events, width], kind))
    }

    /// `values` with the lengths of this problem.
    pub(crate) fn shape(&self, values: Tensor) -> Jagged {
        Jagged::new(values, JaggedLayout::new(&self.offsets(), Device::Cpu).unwrap()).unwrap()
    }

    /// The samples `rows` of this problem, in that order, with their part of a jagged tensor.
    pub(crate) fn part(&self, rows: &[usize], jagged: &Jagged) -> Jagged {
        let offsets = self.offsets();
        let parts: Vec<Tensor> = rows
            .iter()
            .map(|&row| jagged.values().narrow(0, i64::from(offsets[row]), i64::from(self.lengths[row])))
            .collect();
        let lengths = rows.iter().map(|&row| self.lengths[row]).collect();
        Self { lengths, ..self.clone() }.shape(Tensor::cat(&parts, 0))
    }
}

pub(crate) fn draw(seed: u64, size: &[i64], kind: Kind) -> Tensor {
    fain_tests::draw(seed, size, kind).unwrap()
}

/// All entries, in order.
pub(crate) fn numbers(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.detach().to_kind(Kind::Double).reshape([-1])).unwrap()
}

/// A leaf's gradient as numbers; zeros where nothing depends on it.
pub(crate) fn gradient(leaf: &Tensor) -> Vec<f64> {
    let gradient = leaf.grad();
    if gradient.defined() { numbers(&gradient) } else { vec![0.0; leaf.numel()] }
}

/// The largest difference between two lists, as a share of `1 + |expected|`; infinite for a NaN.
pub(crate) fn difference(got: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let shares = got.iter().zip(expected).map(|(got, expected)| (got - expected).abs() / (1.0 + expected.abs()));
    shares.fold(0.0, |worst, share| if share.is_nan() { f64::INFINITY } else { worst.max(share) })
}
