//! Self-attention, layer normalisation and the transformer block.

use fain_layers::{
    FeedForwardActivation, Jagged, JaggedLayout, LayerNorm, Mode, SelfAttention, TransformerBlock,
    TransformerBlockConfig,
};
use proptest::prelude::*;
use tch::{Device, Kind, Tensor, nn};

use crate::batch::{Batch, events, fill, lengths, matrix, numbers, tensor};
use crate::naive::Naive;
use crate::{assert_close, config, gradients, promises};

/// All settings of a block with `heads` heads.
pub(crate) fn blocks(heads: i64) -> impl Strategy<Value = TransformerBlockConfig> {
    let activation = prop_oneof![Just(FeedForwardActivation::LeakyRelu), Just(FeedForwardActivation::Relu)];
    (1i64..4, activation, any::<bool>()).prop_map(move |(expansion, activation, layer_norm)| TransformerBlockConfig {
        heads,
        expansion,
        activation,
        layer_norm,
        dropout: 0.0,
    })
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn self_attention_equals_its_definition(lengths in lengths(), heads in 1i64..4, head in 1i64..4, seed: u64) {
        let width = heads * head;
        let batch = Batch::new(&lengths, width, seed);
        let mut store = nn::VarStore::new(Device::Cpu);
        let layer = SelfAttention::new(&store.root(), width, heads).unwrap();
        let variables = fill(&mut store, seed);
        let got = events(&layer.forward(&batch.history()).unwrap());
        for (got, sample) in got.iter().zip(batch.events_of_each()) {
            let expected = Naive(&variables).self_attention(&matrix(&sample), "", heads);
            assert_close(&numbers(got), &expected.concat());
        }
        promises::check(&batch, &variables, &|batch| events(&layer.forward(&batch.history()).unwrap()));
    }

    #[test]
    fn a_transformer_block_equals_its_definition(
        lengths in lengths(),
        ((heads, block), head) in ((1i64..4).prop_flat_map(|heads| (Just(heads), blocks(heads))), 1i64..4),
        seed: u64,
    ) {
        let width = heads * head;
        let batch = Batch::new(&lengths, width, seed);
        let mut store = nn::VarStore::new(Device::Cpu);
        let layer = TransformerBlock::new(&store.root(), width, &block).unwrap();
        let variables = fill(&mut store, seed);
        for mode in [Mode::Training, Mode::Evaluation] {
            let got = events(&layer.forward(&batch.history(), mode).unwrap());
            for (got, sample) in got.iter().zip(batch.events_of_each()) {
                let expected = Naive(&variables).transformer(&matrix(&sample), "", &block);
                assert_close(&numbers(got), &expected.concat());
            }
            promises::check(&batch, &variables, &|batch| events(&layer.forward(&batch.history(), mode).unwrap()));
        }
    }

    #[test]
    fn layer_normalisation_equals_its_definition(rows in 0i64..5, width in 1i64..6, seed: u64) {
        let input = tensor(seed, &[rows, width]);
        let mut store = nn::VarStore::new(Device::Cpu);
        let layer = LayerNorm::new(&(store.root() / "norm"), width).unwrap();
        let variables = fill(&mut store, seed);
        let got = layer.forward(&input).unwrap();
        prop_assert_eq!(got.size(), input.size());
        assert_close(&numbers(&got), &Naive(&variables).layer_norm(&matrix(&input), "norm").concat());
    }
}

proptest! {
    #![proptest_config(config(16))]

    #[test]
    fn gradients_of_a_block_equal_finite_differences(
        lengths in lengths(), block in blocks(2), head in 2i64..4, seed: u64,
    ) {
        let batch = Batch::new(&lengths, 2 * head, seed);
        let mut store = nn::VarStore::new(Device::Cpu);
        let layer = TransformerBlock::new(&store.root(), 2 * head, &block).unwrap();
        let variables = fill(&mut store, seed);
        let leaves = variables.iter().map(|(name, variable)| (name.as_str(), variable));
        gradients::check(leaves.chain([("values", &batch.values)]), || {
            layer.forward(&batch.history(), Mode::Training).unwrap().values().shallow_clone()
        });
    }
}

#[test]
fn dropout_falls_on_the_two_networks_and_on_training_only() {
    let mut store = nn::VarStore::new(Device::Cpu);
    let block = TransformerBlockConfig { heads: 2, layer_norm: false, dropout: 0.5, ..Default::default() };
    let layer = TransformerBlock::new(&store.root(), 4, &block).unwrap();
    let variables = fill(&mut store, 3);
    let batch = Batch::new(&[40], 4, 3);
    let evaluated = layer.forward(&batch.history(), Mode::Evaluation).unwrap();
    let events = matrix(&batch.values);
    let expected = Naive(&variables).transformer(&events, "", &block);
    assert_close(&numbers(evaluated.values()), &expected.concat());

    // Where both networks were dropped, the residual connections leave the event as it was; that is a quarter of 160.
    let trained = layer.forward(&batch.history(), Mode::Training).unwrap();
    let kept = numbers(trained.values())
        .iter()
        .zip(events.concat())
        .filter(|(got, event)| (*got - event).abs() < 1e-12)
        .count();
    assert!((10..80).contains(&kept), "{kept} of 160 entries are left as they were");
}

#[test]
fn large_logits_give_no_nan() {
    let mut store = nn::VarStore::new(Device::Cpu);
    let layer = SelfAttention::new(&store.root(), 2, 1).unwrap();
    let variables = fill(&mut store, 1);
    let layout = JaggedLayout::new(&[0, 3, 3, 4], Device::Cpu).unwrap();
    let values = (tensor(4, &[4, 2]) * 1e4).set_requires_grad(true);
    let output = layer.forward(&Jagged::new(values.shallow_clone(), layout).unwrap()).unwrap();
    output.values().sum(Kind::Double).backward();
    let gradients = variables.values().chain([&values]).map(Tensor::grad);
    for tensor in gradients.chain([output.values().shallow_clone()]) {
        assert!(numbers(&tensor).iter().all(|entry| entry.is_finite()), "{tensor:?}");
    }
}

#[test]
fn wrong_settings_are_refused_before_a_variable_is_registered() {
    let store = nn::VarStore::new(Device::Cpu);
    let message = |width, change: &dyn Fn(&mut TransformerBlockConfig)| {
        let mut config = TransformerBlockConfig { heads: 2, ..Default::default() };
        change(&mut config);
        TransformerBlock::new(&store.root(), width, &config).unwrap_err().to_string()
    };
    let divides = "a number from 1 that divides the width";
    assert_eq!(message(3, &|_| ()), format!("heads = 2 for events of width 3 is not allowed: {divides}"));
    let none = message(4, &|config| config.heads = 0);
    assert_eq!(none, format!("heads = 0 for events of width 4 is not allowed: {divides}"));
    assert_eq!(message(0, &|_| ()), "width = 0 is not allowed: at least 1");
    assert_eq!(message(4, &|config| config.expansion = 0), "expansion = 0 is not allowed: at least 1");
    assert!(message(4, &|config| config.dropout = 1.0).starts_with("dropout = 1 is not allowed"));
    assert!(SelfAttention::new(&store.root(), 4, 3).is_err());
    assert!(LayerNorm::new(&store.root(), 0).is_err());
    assert!(store.is_empty());
    assert!(serde_json::from_str::<TransformerBlockConfig>(r#"{"head": 2}"#).is_err());
}
