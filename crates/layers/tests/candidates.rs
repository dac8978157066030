//! Candidates before one history that was read once, against as many copies of the history.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Mutex, PoisonError};

use fain_layers::{
    AttentionScoring, BstInterest, BstInterestConfig, BstOutput, DienInterest, DienInterestConfig, DsinInterest,
    DsinInterestConfig, EvolutionKind, InterestInput, InterestLayer, Jagged, JaggedLayout, Mode, SessionLimits,
    TargetAttention, TargetAttentionConfig,
};
use proptest::prelude::*;
use tch::{Device, Kind, Tensor, nn};

const WIDTH: i64 = 8;

/// Every reader of histories, and its settings in words.
fn layers() -> Vec<(String, Box<dyn InterestLayer>)> {
    // libtorch's generator belongs to the process: between its seed and the draws no other test may draw.
    static DRAWS: Mutex<()> = Mutex::new(());
    let _draws = DRAWS.lock().unwrap_or_else(PoisonError::into_inner);
    tch::manual_seed(11);
    let store = nn::VarStore::new(Device::Cpu);
    let mut layers: Vec<(String, Box<dyn InterestLayer>)> = Vec::new();
    for scoring in [AttentionScoring::Mlp, AttentionScoring::Bilinear, AttentionScoring::InnerProduct] {
        let config = TargetAttentionConfig::of(scoring);
        let layer = TargetAttention::new(&store.root(), WIDTH, &config).unwrap();
        layers.push((format!("attention {scoring:?}"), Box::new(layer)));
    }
    for evolution in [EvolutionKind::Gru, EvolutionKind::Aigru, EvolutionKind::Agru, EvolutionKind::Augru] {
        let config = DienInterestConfig { evolution, hidden: Some(5), ..DienInterestConfig::default() };
        layers
            .push((format!("DIEN {evolution:?}"), Box::new(DienInterest::new(&store.root(), WIDTH, &config).unwrap())));
    }
    for gap in [None, Some(5)] {
        let limits = SessionLimits { sessions: 2, events: 3 };
        let config = DsinInterestConfig { limits, gap, ..DsinInterestConfig::default() };
        layers.push((format!("DSIN {gap:?}"), Box::new(DsinInterest::new(&store.root(), WIDTH, &config).unwrap())));
    }
    for output in [BstOutput::Flatten, BstOutput::Candidate] {
        let config = BstInterestConfig { output, ..BstInterestConfig::default() };
        layers.push((format!("BST {output:?}"), Box::new(BstInterest::new(&store.root(), WIDTH, &config).unwrap())));
    }
    layers
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_history_read_once_gives_the_vectors_of_its_copies(
        (numbers, gaps) in (0usize..8).prop_flat_map(|events| (
            prop::collection::vec(-1.0f32..1.0, events * WIDTH as usize),
            prop::collection::vec(0i64..12, events),
        )),
        candidates in (1usize..5).prop_flat_map(|rows| prop::collection::vec(-1.0f32..1.0, rows * WIDTH as usize)),
    ) {
        let times: Vec<i64> = gaps.iter().scan(0, |time, gap| { *time += gap; Some(*time) }).collect();
        let layout = JaggedLayout::new(&[0, times.len() as u32], Device::Cpu).unwrap();
        let history = Jagged::new(Tensor::from_slice(&numbers).reshape([-1, WIDTH]), layout).unwrap();
        let candidates = Tensor::from_slice(&candidates).reshape([-1, WIDTH]);
        let rows = candidates.size()[0];
        let (many, many_times) = (history.repeat(rows).unwrap(), times.repeat(rows as usize));
        for (name, layer) in layers() {
            let state = layer.read_history(&history, Some(&times)).unwrap();
            let got = layer.forward_candidates(&candidates, &state).unwrap();
            let input = InterestInput {
                candidate: &candidates,
                history: &many,
                negative: None,
                times: Some(&many_times),
            };
            let expected = layer.forward(&input, Mode::Evaluation).unwrap().vector;
            prop_assert_eq!(got.size(), [rows, layer.outputs()], "{}", name);
            let difference = f64::try_from((got - expected).abs().max()).unwrap();
            prop_assert!(difference < 1e-6, "{}: {}", name, difference);
        }
    }
}

#[test]
fn a_state_that_another_layer_has_read_is_refused() {
    let layout = JaggedLayout::new(&[0, 2], Device::Cpu).unwrap();
    let history = Jagged::new(Tensor::ones([2, WIDTH], (Kind::Float, Device::Cpu)), layout).unwrap();
    let store = nn::VarStore::new(Device::Cpu);
    let attention = TargetAttention::new(&store.root(), WIDTH, &TargetAttentionConfig::default()).unwrap();
    let dsin = DsinInterest::new(&store.root(), WIDTH, &DsinInterestConfig::default()).unwrap();
    let state = attention.read_history(&history, None).unwrap();
    let candidates = Tensor::ones([3, WIDTH], (Kind::Float, Device::Cpu));
    let error = dsin.forward_candidates(&candidates, &state).unwrap_err().to_string();
    assert!(error.contains("another layer has read the history"), "{error}");
    // Two samples are no single history.
    assert!(attention.read_history(&history.repeat(2).unwrap(), None).is_err());
}
