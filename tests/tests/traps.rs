//! Traps that people fell into with models of this kind, one test each.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use fain_layers::{
    ActivationConfig, AttentionNormalization, BatchNorm, BatchNormConfig, Dice, DiceVariant, Embedding,
    EmbeddingConfig, Jagged, JaggedLayout, LayerError, Mlp, MlpConfig, Mode, Pooling, TargetAttention,
    TargetAttentionConfig, pool, segment_softmax,
};
use tch::{Device, Kind, Tensor, nn};

const MODES: [Mode; 2] = [Mode::Training, Mode::Evaluation];
const POOLINGS: [Pooling; 4] = [Pooling::Sum, Pooling::Mean, Pooling::Max, Pooling::PaddedMax(3)];
const NORMALIZATIONS: [AttentionNormalization; 3] =
    [AttentionNormalization::None, AttentionNormalization::Softmax, AttentionNormalization::Sigmoid];

fn numbers(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.detach().to_kind(Kind::Double).reshape([-1])).unwrap()
}

fn jagged(values: &[f64], width: i64, offsets: &[u32]) -> Jagged {
    let values = Tensor::from_slice(values).to_kind(Kind::Float).reshape([-1, width]);
    Jagged::new(values, JaggedLayout::new(offsets, Device::Cpu).unwrap()).unwrap()
}

fn rows(values: &[f64], width: i64) -> Tensor {
    Tensor::from_slice(values).to_kind(Kind::Float).reshape([-1, width])
}

/// An attention over events of width 2, with batch norm and Dice: whatever takes statistics is in it.
fn attention(normalization: AttentionNormalization) -> (nn::VarStore, TargetAttention) {
    let store = nn::VarStore::new(Device::Cpu);
    let config = TargetAttentionConfig {
        hidden: vec![4, 3],
        activation: ActivationConfig::Dice,
        batch_norm: true,
        normalization,
        ..TargetAttentionConfig::default()
    };
    let attention = TargetAttention::new(&store.root(), 2, &config).unwrap();
    (store, attention)
}

fn buffers(store: &nn::VarStore) -> BTreeMap<String, Vec<f64>> {
    let variables = store.variables().into_iter().filter(|(_, variable)| !variable.requires_grad());
    variables.map(|(name, variable)| (name, numbers(&variable))).collect()
}

// Trap 1: a history of length 0 or 1 crashes or gives NaN. All-empty batch.

#[test]
fn trap_01_an_all_empty_batch_gives_zeros_and_leaves_statistics_alone() {
    let history = jagged(&[], 2, &[0, 0, 0]);
    for pooling in POOLINGS {
        assert_eq!(numbers(&pool(&history, pooling).unwrap()), [0.0; 4], "{pooling:?}");
    }
    let candidate = rows(&[0.5, -1.0, 2.0, 0.25], 2);
    for normalization in NORMALIZATIONS {
        for mode in MODES {
            let (store, attention) = attention(normalization);
            let before = buffers(&store);
            let interest = attention.forward(&candidate, &history, mode).unwrap();
            assert_eq!(interest.size(), [2, 2]);
            assert_eq!(numbers(&interest), [0.0; 4], "{normalization:?} {mode:?}");
            assert_eq!(attention.weights(&candidate, &history, mode).unwrap().size(), [0, 1]);
            assert_eq!(buffers(&store), before, "{normalization:?} {mode:?}");
        }
    }
}

#[test]
fn trap_01_an_empty_history_among_others_is_zero() {
    let history = jagged(&[1.0, -2.0, 3.0, 4.0, -5.0, 0.5], 2, &[0, 0, 2, 2, 3, 3]);
    for (pooling, expected) in [
        (Pooling::Sum, [0.0, 0.0, 4.0, 2.0, 0.0, 0.0, -5.0, 0.5, 0.0, 0.0]),
        (Pooling::Mean, [0.0, 0.0, 2.0, 1.0, 0.0, 0.0, -5.0, 0.5, 0.0, 0.0]),
        (Pooling::Max, [0.0, 0.0, 3.0, 4.0, 0.0, 0.0, -5.0, 0.5, 0.0, 0.0]),
        (Pooling::PaddedMax(3), [0.0, 0.0, 3.0, 4.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0]),
    ] {
        assert_eq!(numbers(&pool(&history, pooling).unwrap()), expected, "{pooling:?}");
    }
}

#[test]
fn trap_01_the_only_event_has_all_the_softmax_weight() {
    for logit in [-1e4, 0.0, 1e4] {
        let logits = rows(&[logit], 1);
        let layout = JaggedLayout::new(&[0, 0, 1], Device::Cpu).unwrap();
        assert_eq!(numbers(&segment_softmax(&logits, &layout).unwrap()), [1.0]);
    }
    let candidate = rows(&[0.5, -1.0, 2.0, 0.25], 2);
    for mode in MODES {
        let (_store, attention) = attention(AttentionNormalization::Softmax);
        // Two histories of one event, and a batch whose only event leaves nothing to take statistics over.
        let interest = attention.forward(&candidate, &jagged(&[1.0, -2.0, 3.0, 4.0], 2, &[0, 1, 2]), mode).unwrap();
        assert_eq!(numbers(&interest), [1.0, -2.0, 3.0, 4.0], "{mode:?}");
        let interest = attention.forward(&candidate, &jagged(&[3.0, 4.0], 2, &[0, 0, 1]), mode).unwrap();
        assert_eq!(numbers(&interest), [0.0, 0.0, 3.0, 4.0], "{mode:?}");
    }
}

// Trap 2: a batch of one collapses a dimension; a last batch of one breaks batch norm.

#[test]
fn trap_02_a_batch_of_one_keeps_its_dimensions() {
    let history = jagged(&[1.0, -2.0, 3.0, 4.0], 2, &[0, 2]);
    let candidate = rows(&[0.5, -1.0], 2);
    for mode in MODES {
        for normalization in NORMALIZATIONS {
            let (_store, attention) = attention(normalization);
            assert_eq!(attention.forward(&candidate, &history, mode).unwrap().size(), [1, 2]);
            assert_eq!(attention.weights(&candidate, &history, mode).unwrap().size(), [2, 1]);
        }
    }
    for pooling in POOLINGS {
        assert_eq!(pool(&history, pooling).unwrap().size(), [1, 2]);
    }
    // Widths of one are no less prone to it.
    let store = nn::VarStore::new(Device::Cpu);
    let config = MlpConfig { hidden: vec![1, 1], ..MlpConfig::default() };
    let mlp = Mlp::new(&store.root(), 1, &config).unwrap();
    assert_eq!(mlp.forward(&rows(&[0.5], 1), Mode::Evaluation).unwrap().size(), [1, 1]);
}

#[test]
fn trap_02_statistics_of_one_row_are_an_error_that_changes_nothing() {
    let store = nn::VarStore::new(Device::Cpu);
    let root = store.root();
    let norm = BatchNorm::new(&(&root / "norm"), 2, BatchNormConfig::default()).unwrap();
    let dice = Dice::new(&(&root / "dice"), 2, DiceVariant::Paper).unwrap();
    let config = MlpConfig { hidden: vec![2], batch_norm: true, ..MlpConfig::default() };
    let mlp = Mlp::new(&(&root / "mlp"), 2, &config).unwrap();
    let before = buffers(&store);
    let input = rows(&[1.0, 2.0], 2);
    for result in [
        norm.forward(&input, Mode::Training),
        dice.forward(&input, Mode::Training),
        mlp.forward(&input, Mode::Training),
    ] {
        let error = result.unwrap_err();
        assert!(matches!(error, LayerError::TooFewRows { rows: 1, .. }), "{error}");
    }
    assert_eq!(buffers(&store), before);
    for result in [
        norm.forward(&input, Mode::Evaluation),
        dice.forward(&input, Mode::Evaluation),
        mlp.forward(&input, Mode::Evaluation),
    ] {
        let output = result.unwrap();
        assert_eq!(output.size(), [1, 2]);
        assert!(numbers(&output).iter().all(|entry| entry.is_finite()));
    }
}

// Trap 3: masks guessed from `id != 0`; id 0 is real; padding takes softmax mass or enters batch statistics; the
// padding row is trained.

#[test]
fn trap_03_id_0_is_an_id_like_any_other() {
    let store = nn::VarStore::new(Device::Cpu);
    let table =
        Embedding::new(&store.root(), 3, EmbeddingConfig { dim: 2, std: 1.0, ..EmbeddingConfig::default() }).unwrap();
    let weight = numbers(table.weight());
    assert!(weight[..2].iter().any(|&entry| entry != 0.0), "row 0 starts like the others");
    // Ids 0, 2 in the first history, 0 in the second.
    let vectors = table.weight().index_select(0, &Tensor::from_slice(&[0i64, 2, 0]));
    let layout = JaggedLayout::new(&[0, 2, 3], Device::Cpu).unwrap();
    let means = pool(&Jagged::new(vectors, layout).unwrap(), Pooling::Mean).unwrap();
    let expected = [f64::midpoint(weight[0], weight[4]), f64::midpoint(weight[1], weight[5]), weight[0], weight[1]];
    for (got, expected) in numbers(&means).iter().zip(expected) {
        assert!((got - expected).abs() < 1e-6, "{got} {expected}");
    }
    means.sum(Kind::Float).backward();
    assert_eq!(numbers(&table.weight().grad()), [1.5, 1.5, 0.0, 0.0, 0.5, 0.5]);
}

#[test]
fn trap_03_an_event_of_zeros_is_an_event() {
    let history = jagged(&[0.0, 0.0, 4.0, -2.0], 2, &[0, 2]);
    assert_eq!(numbers(&pool(&history, Pooling::Mean).unwrap()), [2.0, -1.0]);
    assert_eq!(numbers(&pool(&history, Pooling::Max).unwrap()), [4.0, 0.0]);
    let (store, attention) = attention(AttentionNormalization::Softmax);
    // Without weights in the output layer every event scores the same.
    let weight = store.variables().remove("output.weight").unwrap();
    let _zeroed = tch::no_grad(|| weight.shallow_clone().zero_());
    let weights = attention.weights(&rows(&[1.0, 1.0], 2), &history, Mode::Evaluation).unwrap();
    assert_eq!(numbers(&weights), [0.5, 0.5]);
}

#[test]
fn trap_03_statistics_see_real_events_only() {
    let (store, attention) = attention(AttentionNormalization::None);
    let history = jagged(&[1.0, -2.0, 3.0, 4.0, -5.0, 0.5], 2, &[0, 1, 1, 3]);
    let candidate = rows(&[0.5, -1.0, 7.0, 7.0, 2.0, 0.25], 2);
    let _interest = attention.forward(&candidate, &history, Mode::Training).unwrap();
    let variables = store.variables();

    // The first dense map of the three events, each beside its own candidate; the second sample has none.
    let query = candidate.index_select(0, &Tensor::from_slice(&[0i64, 2, 2]));
    let key = history.values();
    let inputs = Tensor::cat(&[&query, key, &(&query - key), &(&query * key)], 1);
    let dense = inputs.linear(&variables["score.dense0.weight"], Some(&variables["score.dense0.bias"]));
    // The running mean starts at 0 and takes a tenth of the batch's.
    let expected = numbers(&(dense.mean_dim([0].as_slice(), false, Kind::Float) * 0.1));
    let got = numbers(&variables["score.batchnorm0.running_mean"]);
    for (got, expected) in got.iter().zip(&expected) {
        assert!((got - expected).abs() < 1e-6, "{got} {expected}");
    }
    assert_eq!(got.len(), 4);
}
