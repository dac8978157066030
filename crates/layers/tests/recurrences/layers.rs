//! What a recurrence registers, accepts and refuses.

use std::sync::{Mutex, PoisonError};

use fain_layers::{
    AttentionalGru, AttentionalGruConfig, AttentionalGruKind, BiLstm, BiLstmConfig, Directions, Gru, GruConfig, Jagged,
    JaggedLayout, LayerError, Recurrence, ResetGate,
};
use tch::{Device, Kind, Tensor, nn};

use crate::problem::numbers;

/// libtorch's generator belongs to the process: between its seed and the draws no other test may draw.
static GENERATOR: Mutex<()> = Mutex::new(());

const KINDS: [(AttentionalGruKind, i64, &str); 4] = [
    (AttentionalGruKind::Aigru, 3, "AIGRU"),
    (AttentionalGruKind::Agru, 2, "AGRU"),
    (AttentionalGruKind::Augru, 3, "AUGRU"),
    (AttentionalGruKind::AugruOfficial, 3, "AUGRU of the authors' code"),
];

fn attentional(variables: &nn::Path<'_>, kind: AttentionalGruKind) -> AttentionalGru {
    let config = AttentionalGruConfig { kind, hidden: 4, ..AttentionalGruConfig::default() };
    AttentionalGru::new(variables, 3, config).unwrap()
}

/// Names and shapes of the variables.
fn shapes(store: &nn::VarStore) -> Vec<(String, Vec<i64>)> {
    let mut shapes: Vec<_> = store.variables().into_iter().map(|(name, value)| (name, value.size())).collect();
    shapes.sort();
    shapes
}

#[test]
fn parameters_are_named_and_stacked_as_in_pytorch() {
    for (kind, gates, name) in KINDS {
        let store = nn::VarStore::new(Device::Cpu);
        let recurrence = attentional(&store.root(), kind);
        let rows = gates * 4;
        let expected = [
            ("bias_hh", vec![rows]),
            ("bias_ih", vec![rows]),
            ("weight_hh", vec![rows, 4]),
            ("weight_ih", vec![rows, 3]),
        ];
        assert_eq!(shapes(&store), expected.map(|(name, size)| (name.to_owned(), size)));
        assert_eq!((recurrence.hidden(), recurrence.kind()), (4, name));
    }
    let store = nn::VarStore::new(Device::Cpu);
    let gru = Gru::new(&store.root(), 3, GruConfig { hidden: 4, bias: false, ..GruConfig::default() }).unwrap();
    let expected = [("weight_hh", vec![12, 4]), ("weight_ih", vec![12, 3])];
    assert_eq!(shapes(&store), expected.map(|(name, size)| (name.to_owned(), size)));
    assert_eq!(gru.hidden(), 4);
}

#[test]
fn parameters_are_drawn_as_pytorch_draws_them() {
    let _generator = GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
    tch::manual_seed(3);
    let store = nn::VarStore::new(Device::Cpu);
    let root = store.root();
    let _gru = Gru::new(&(&root / "gru"), 25, GruConfig { hidden: 16, ..GruConfig::default() }).unwrap();
    let _lstm = BiLstm::new(&(&root / "lstm"), 25, BiLstmConfig { hidden: 16, ..BiLstmConfig::default() }).unwrap();
    assert_eq!(store.variables().len(), 12);
    for (name, variable) in store.variables() {
        let values = numbers(&variable);
        let (lowest, highest) = values.iter().fold((0.0f64, 0.0f64), |(low, high), &v| (low.min(v), high.max(v)));
        // Uniform in ±1/√16, whatever the width of the inputs.
        assert!((-0.25..-0.2).contains(&lowest) && (0.2..=0.25).contains(&highest), "{name}: {lowest} {highest}");
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        assert!(mean.abs() < 0.06, "{name}: {mean}");
    }
}

#[test]
fn a_width_that_is_not_positive_registers_nothing() {
    let store = nn::VarStore::new(Device::Cpu);
    let root = store.root();
    let refused = |result: Result<(), LayerError>, expected: &str| {
        assert_eq!(result.unwrap_err().to_string(), expected);
        assert!(store.variables().is_empty());
    };
    let hidden = "hidden = 0 is not allowed: at least 1";
    let inputs = "inputs = -1 is not allowed: at least 1";
    let zero = GruConfig { hidden: 0, ..GruConfig::default() };
    refused(Gru::new(&root, 3, zero).map(drop), hidden);
    refused(Gru::new(&root, -1, GruConfig::default()).map(drop), inputs);
    let zero = AttentionalGruConfig { hidden: 0, ..AttentionalGruConfig::default() };
    refused(AttentionalGru::new(&root, 3, zero).map(drop), hidden);
    refused(AttentionalGru::new(&root, -1, AttentionalGruConfig::default()).map(drop), inputs);
    let zero = BiLstmConfig { hidden: 0, ..BiLstmConfig::default() };
    refused(BiLstm::new(&root, 3, zero).map(drop), hidden);
    refused(BiLstm::new(&root, -1, BiLstmConfig::default()).map(drop), inputs);
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    let store = nn::VarStore::new(Device::Cpu);
    let zeros = |size: &[i64]| Tensor::zeros(size, (Kind::Float, Device::Cpu));
    let history = |offsets: &[u32], width: i64| {
        let layout = JaggedLayout::new(offsets, Device::Cpu).unwrap();
        Jagged::new(zeros(&[layout.events(), width]), layout).unwrap()
    };
    for (index, (kind, ..)) in KINDS.into_iter().enumerate() {
        let recurrence = attentional(&(store.root() / index), kind);
        // With and without events: an empty batch of a wrong width is wrong too.
        for (offsets, events) in [(&[0u32, 2, 3][..], 3), (&[0, 0, 0], 0)] {
            let fits = history(offsets, 3);
            let message = |inputs: &Jagged, scores: &Tensor, initial: Option<&Tensor>| {
                recurrence.forward(inputs, scores, initial).unwrap_err().to_string()
            };
            let scores = zeros(&[events, 1]);
            assert_eq!(
                message(&history(offsets, 5), &scores, None),
                format!("inputs has shape [{events}, 5], but [N, D] = [{events}, 3] is needed")
            );
            for size in [&[events][..], &[events + 1, 1], &[events, 3], &[1, events, 1]] {
                assert_eq!(
                    message(&fits, &zeros(size), None),
                    format!("scores has shape {size:?}, but [N, 1] = [{events}, 1] is needed")
                );
            }
            for size in [&[1, 4][..], &[2, 3], &[4]] {
                assert_eq!(
                    message(&fits, &scores, Some(&zeros(size))),
                    format!("initial has shape {size:?}, but [B, H] = [2, 4] is needed")
                );
            }
        }
    }
}

#[test]
fn tensors_of_mixed_kinds_are_an_error() {
    let store = nn::VarStore::new(Device::Cpu);
    let recurrence = attentional(&store.root(), AttentionalGruKind::Augru);
    let layout = JaggedLayout::new(&[0, 2], Device::Cpu).unwrap();
    let double = (Kind::Double, Device::Cpu);
    let history = Jagged::new(Tensor::zeros([2, 3], double), layout).unwrap();
    let error = recurrence.forward(&history, &Tensor::zeros([2, 1], double), None).unwrap_err();
    assert!(matches!(error, LayerError::Torch(_)), "{error}");
}

#[test]
fn settings_are_read_by_name_and_unknown_ones_refused() {
    let text = r#"{"kind": "augru_official", "hidden": 36, "bias": false, "reset": "before"}"#;
    let config: AttentionalGruConfig = serde_json::from_str(text).unwrap();
    let expected = AttentionalGruConfig {
        kind: AttentionalGruKind::AugruOfficial,
        hidden: 36,
        bias: false,
        reset: ResetGate::Before,
    };
    assert_eq!(config, expected);
    assert_eq!(serde_json::from_str::<AttentionalGruKind>("\"augru\"").unwrap(), AttentionalGruKind::default());
    let config: GruConfig = serde_json::from_str(r#"{"hidden": 8}"#).unwrap();
    assert_eq!(config, GruConfig { hidden: 8, bias: true, reset: ResetGate::After });
    let config: BiLstmConfig = serde_json::from_str(r#"{"directions": "concatenation"}"#).unwrap();
    assert_eq!(config, BiLstmConfig { hidden: 16, directions: Directions::Concatenation });
    let error = serde_json::from_str::<GruConfig>(r#"{"hiden": 8}"#).unwrap_err().to_string();
    assert!(error.starts_with("unknown field `hiden`, expected one of `hidden`, `bias`, `reset`"), "{error}");
    let error = serde_json::from_str::<AttentionalGruConfig>(r#"{"kind": "gru"}"#).unwrap_err().to_string();
    assert!(error.contains("expected one of `aigru`, `agru`, `augru`, `augru_official`"), "{error}");
    let error = serde_json::from_str::<BiLstmConfig>(r#"{"bias": true}"#).unwrap_err().to_string();
    assert!(error.starts_with("unknown field `bias`"), "{error}");
}
