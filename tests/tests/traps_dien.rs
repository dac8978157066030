//! Traps that people fell into with DIEN, one test each.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fain_layers::{
    ActivationConfig, AttentionScoring, AuxiliaryAverage, AuxiliaryLoss, AuxiliaryLossConfig, AuxiliaryScorer,
    DienInterest, DienInterestConfig, EvolutionKind, InterestInput, InterestLayer, Jagged, JaggedLayout, Mode,
    TargetAttentionConfig,
};
use fain_tests::{draw, draw_variables};
use tch::{Device, Kind, Tensor, nn};

const KINDS: [EvolutionKind; 5] =
    [EvolutionKind::Gru, EvolutionKind::Aigru, EvolutionKind::Agru, EvolutionKind::Augru, EvolutionKind::AugruOfficial];
const MODES: [Mode; 2] = [Mode::Training, Mode::Evaluation];

fn numbers(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.detach().to_kind(Kind::Double).reshape([-1])).unwrap()
}

/// Drawn events of width 2.
fn events(seed: u64, offsets: &[u32]) -> Jagged {
    let layout = JaggedLayout::new(offsets, Device::Cpu).unwrap();
    Jagged::new(draw(seed, &[layout.events(), 2], Kind::Double).unwrap(), layout).unwrap()
}

/// A layer with whatever takes statistics in it, and the auxiliary loss.
fn dien(evolution: EvolutionKind) -> (nn::VarStore, DienInterest) {
    let mut store = nn::VarStore::new(Device::Cpu);
    let attention = TargetAttentionConfig {
        hidden: vec![3],
        activation: ActivationConfig::Dice,
        batch_norm: true,
        normalization: DienInterestConfig::attention().normalization,
        ..TargetAttentionConfig::of(AttentionScoring::Mlp)
    };
    let auxiliary = Some(AuxiliaryLossConfig::default());
    let config = DienInterestConfig { attention, evolution, auxiliary, ..DienInterestConfig::default() };
    let layer = DienInterest::new(&store.root(), 2, &config).unwrap();
    draw_variables(&mut store, 11, Kind::Double).unwrap();
    (store, layer)
}

/// Vector and auxiliary loss of a batch, after a backward pass that must leave finite gradients.
fn run(evolution: EvolutionKind, offsets: &[u32], mode: Mode) -> (Tensor, f64) {
    let (store, layer) = dien(evolution);
    let (history, negative) = (events(1, offsets), events(2, offsets));
    let candidate = draw(3, &[offsets.len() as i64 - 1, 2], Kind::Double).unwrap();
    let input = InterestInput { candidate: &candidate, history: &history, negative: Some(&negative), times: None };
    let interest = layer.forward(&input, mode).unwrap();
    let auxiliary = interest.auxiliary.unwrap();
    (interest.vector.sum(Kind::Double) + &auxiliary).backward();
    for (name, variable) in store.variables() {
        let gradient = if variable.grad().defined() { variable.grad() } else { variable };
        assert!(numbers(&gradient).iter().all(|entry| entry.is_finite()), "{evolution:?} {mode:?} {name}");
    }
    (interest.vector, f64::try_from(auxiliary).unwrap())
}

// Trap 1: a history of length 0 or 1 crashes or gives NaN. All-empty batch.

#[test]
fn trap_01_empty_histories_and_single_events_are_histories() {
    for evolution in KINDS {
        for mode in MODES {
            let (vector, auxiliary) = run(evolution, &[0, 0, 0, 0], mode);
            assert_eq!((vector.size(), numbers(&vector)), (vec![3, 2], vec![0.0; 6]), "{evolution:?} {mode:?}");
            assert_eq!(auxiliary.to_bits(), 0.0f64.to_bits());
            // Single events: no event has a successor.
            let (vector, auxiliary) = run(evolution, &[0, 1, 1, 2], mode);
            let vector = numbers(&vector);
            assert_eq!(vector[2..4], [0.0, 0.0], "{evolution:?} {mode:?}");
            assert!(vector.iter().all(|entry| entry.is_finite()) && vector[0] != 0.0 && vector[4] != 0.0);
            assert_eq!(auxiliary.to_bits(), 0.0f64.to_bits());
            // One event in the whole batch leaves nothing to take statistics over.
            let (vector, _) = run(evolution, &[0, 0, 1], mode);
            let vector = numbers(&vector);
            assert!(vector[..2] == [0.0, 0.0] && vector[2].is_finite() && vector[2] != 0.0, "{evolution:?} {mode:?}");
        }
    }
}

// Trap 2: a batch of one collapses a dimension.

#[test]
fn trap_02_a_batch_of_one_keeps_its_dimensions() {
    for evolution in KINDS {
        for mode in MODES {
            for offsets in [[0, 3], [0, 1], [0, 0]] {
                let (vector, auxiliary) = run(evolution, &offsets, mode);
                assert_eq!(vector.size(), [1, 2], "{evolution:?} {mode:?} {offsets:?}");
                assert_eq!(auxiliary > 0.0, offsets[1] > 1, "{evolution:?} {mode:?} {offsets:?}");
            }
        }
    }
}

// Trap 8: click loss summed while auxiliary loss is averaged: the weight means something else at each batch size.

#[test]
fn trap_08_auxiliary_loss_means_the_same_at_each_batch_size() {
    for average in [AuxiliaryAverage::Entries, AuxiliaryAverage::Pairs] {
        for scorer in [AuxiliaryScorer::default(), AuxiliaryScorer::InnerProduct] {
            let mut store = nn::VarStore::new(Device::Cpu);
            let config = AuxiliaryLossConfig { scorer, average, weight: 1.0 };
            let loss = AuxiliaryLoss::new(&store.root(), 2, 2, &config).unwrap();
            draw_variables(&mut store, 7, Kind::Double).unwrap();
            let of = |offsets: &[u32], copies: i64| -> f64 {
                let layout = JaggedLayout::new(offsets, Device::Cpu).unwrap();
                let events = layout.events() / copies;
                let [states, history, negative] = [1, 2, 3].map(|seed| {
                    let values = draw(seed, &[events, 2], Kind::Double).unwrap().repeat([copies, 1]);
                    Jagged::new(values, layout.clone()).unwrap()
                });
                f64::try_from(loss.forward(&states, &history, &negative, Mode::Training).unwrap()).unwrap()
            };
            let once = of(&[0, 3, 3, 5], 1);
            assert!(once > 0.1, "{once}");
            // The same samples twice, and beside samples that have no pair: the loss is the same.
            let twice = of(&[0, 3, 3, 5, 8, 8, 10], 2);
            assert!((twice - once).abs() < 1e-12, "{config:?}: {twice} for twice the batch, {once} for one");
            let beside = of(&[0, 0, 3, 3, 5, 5, 5], 1);
            assert!((beside - once).abs() < 1e-12, "{config:?}: {beside} beside empty histories, {once} alone");
        }
    }
}
