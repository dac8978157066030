//! Target attention: the fused functions against plain operations.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fain_layers::{
    ActivationConfig, AttentionInputs, AttentionNormalization, AttentionScale, Execution, Jagged, JaggedLayout, Mode,
    TargetAttention, TargetAttentionConfig,
};
use proptest::prelude::*;
use tch::{Device, Kind, Tensor, nn};

#[derive(Clone, Debug)]
struct Problem {
    config: TargetAttentionConfig,
    lengths: Vec<u32>,
    candidate: i64,
    history: i64,
}

/// Numbers from -1 to 1, others for each `seed`.
fn numbers(size: &[i64], seed: u32) -> Tensor {
    let count = size.iter().product::<i64>() as u32;
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    let drawn: Vec<f64> = (0..count)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 8) / f64::from(1u32 << 23) - 1.0
        })
        .collect();
    Tensor::from_slice(&drawn).reshape(size)
}

impl Problem {
    /// The output and the gradients of candidate, history and all variables.
    fn run(&self, execution: Execution, kind: Kind, mode: Mode) -> Vec<(String, Tensor)> {
        let mut store = nn::VarStore::new(Device::Cpu);
        let attention = TargetAttention::with_widths(&store.root(), self.candidate, self.history, &self.config);
        let attention = attention.unwrap().with_execution(execution);
        store.set_kind(kind);
        let mut variables: Vec<_> = store.variables().into_iter().collect();
        variables.sort_by(|left, right| left.0.cmp(&right.0));
        for (seed, (name, variable)) in variables.iter_mut().enumerate() {
            if !name.contains("running") {
                tch::no_grad(|| variable.copy_(&numbers(&variable.size(), 10 + seed as u32)));
            }
        }
        let mut offsets = vec![0];
        offsets.extend(self.lengths.iter().scan(0, |sum, length| {
            *sum += length;
            Some(*sum)
        }));
        let layout = JaggedLayout::new(&offsets, Device::Cpu).unwrap();
        let leaf = |rows: i64, width: i64, seed| numbers(&[rows, width], seed).to_kind(kind).set_requires_grad(true);
        let events = leaf(layout.events(), self.history, 1);
        let candidate = leaf(layout.rows(), self.candidate, 2);
        let history = Jagged::new(events.shallow_clone(), layout).unwrap();
        let output = attention.forward(&candidate, &history, mode).unwrap();
        let slopes = numbers(&output.size(), 3).to_kind(kind);
        (&output * slopes).sum(kind).backward();
        let inputs = [("candidate".to_owned(), candidate), ("history".to_owned(), events)];
        let leaves = inputs.into_iter().chain(variables.into_iter().filter(|(_, tensor)| tensor.requires_grad()));
        let mut results = vec![("output".to_owned(), output.detach())];
        // Where nothing was computed from a leaf its gradient is not defined.
        results.extend(leaves.map(|(name, leaf)| {
            let gradient = leaf.grad();
            let gradient = if gradient.defined() { gradient } else { leaf.detach().zeros_like() };
            (name, gradient)
        }));
        results
    }

    fn compare(&self, kind: Kind, mode: Mode, tolerance: f64) {
        let (plain, fused) = (self.run(Execution::Plain, kind, mode), self.run(Execution::Auto, kind, mode));
        assert_eq!(plain.len(), fused.len());
        for ((name, plain), (_, fused)) in plain.iter().zip(&fused) {
            assert_eq!(plain.size(), fused.size(), "{name}");
            if plain.numel() == 0 {
                continue;
            }
            let largest = |tensor: &Tensor| f64::try_from(tensor.abs().max().to_kind(Kind::Double)).unwrap();
            let (difference, scale) = (largest(&(plain - fused)), largest(plain));
            assert!(difference <= tolerance * (1.0 + scale), "{self:?}: {name}: {difference} of {scale}");
        }
    }
}

const INPUTS: [AttentionInputs; 3] = [AttentionInputs::Full, AttentionInputs::Pair, AttentionInputs::Product];
const NORMALIZATIONS: [AttentionNormalization; 3] =
    [AttentionNormalization::None, AttentionNormalization::Softmax, AttentionNormalization::Sigmoid];

fn config(inputs: AttentionInputs, normalization: AttentionNormalization, hidden: i64) -> TargetAttentionConfig {
    TargetAttentionConfig {
        inputs,
        normalization,
        hidden: vec![hidden, 5],
        // Smooth: where a rectifier's input is next to zero, rounding decides its slope.
        activation: ActivationConfig::Sigmoid,
        scale: AttentionScale::SqrtWidth,
        ..TargetAttentionConfig::default()
    }
}

fn problems() -> impl Strategy<Value = Problem> {
    let settings = (prop::sample::select(&INPUTS[..]), prop::sample::select(&NORMALIZATIONS[..]));
    let lengths = prop::collection::vec(prop_oneof![Just(0u32), 1u32..12], 1..9);
    (settings, lengths, 1i64..20, 1i64..40, 1i64..20).prop_map(|(settings, lengths, width, hidden, other)| {
        let config = config(settings.0, settings.1, hidden);
        let candidate = if settings.0 == AttentionInputs::Pair { other } else { width };
        Problem { config, lengths, candidate, history: width }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn fused_is_plain(problem in problems()) {
        for mode in [Mode::Training, Mode::Evaluation] {
            problem.compare(Kind::Double, mode, 1e-10);
            problem.compare(Kind::Float, mode, 1e-4);
        }
    }
}

#[test]
fn fused_is_plain_with_dice_over_many_events() {
    for inputs in INPUTS {
        for normalization in NORMALIZATIONS {
            let config = TargetAttentionConfig {
                activation: ActivationConfig::Dice,
                hidden: vec![64, 32],
                ..config(inputs, normalization, 64)
            };
            let lengths = (0..100).map(|sample| sample % 51).collect();
            Problem { config, lengths, candidate: 16, history: 16 }.compare(Kind::Double, Mode::Training, 1e-8);
        }
    }
}

#[test]
fn small_batches_are_alike() {
    for lengths in [vec![0], vec![0, 0, 0], vec![1], vec![0, 1, 0], vec![2, 0]] {
        for inputs in INPUTS {
            for normalization in NORMALIZATIONS {
                let config = config(inputs, normalization, 7);
                let problem = Problem { config, lengths: lengths.clone(), candidate: 3, history: 3 };
                problem.compare(Kind::Double, Mode::Training, 1e-12);
                let results = problem.run(Execution::Auto, Kind::Double, Mode::Training);
                for (name, result) in results {
                    assert!(i64::try_from(result.isfinite().all()).unwrap() == 1, "{lengths:?} {name}");
                }
            }
        }
    }
}
