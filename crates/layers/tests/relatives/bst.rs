//! The Behavior Sequence Transformer.

use fain_layers::{
    BstInterest, BstInterestConfig, BstOutput, InterestInput, InterestLayer, Mode, PositionCombination,
    PositionalEmbedding, PositionalEmbeddingConfig, TransformerBlock, TransformerBlockConfig,
};
use proptest::prelude::*;
use tch::{Device, Kind, Tensor, nn};

use crate::batch::{Batch, fill, lengths, matrix, rows};
use crate::naive::{Naive, Rows};
use crate::transformer::blocks;
use crate::{assert_close, config, gradients, promises};

const OUTPUTS: [BstOutput; 2] = [BstOutput::Flatten, BstOutput::Candidate];

/// Settings for events of an even width.
fn settings() -> impl Strategy<Value = BstInterestConfig> {
    let positions = prop_oneof![
        Just(PositionCombination::Add),
        (1i64..3).prop_map(|pairs| PositionCombination::Concatenate { width: 2 * pairs }),
    ];
    (1i64..6, positions, 1i64..3, blocks(2), prop::sample::select(&OUTPUTS[..])).prop_map(
        |(max_length, positions, blocks, transformer, output)| BstInterestConfig {
            max_length,
            positions,
            blocks,
            transformer,
            output,
        },
    )
}

fn naive(layer: &Naive<'_>, config: &BstInterestConfig, candidate: &[f64], events: &Rows) -> Vec<f64> {
    let table = layer.matrix("position.weight");
    let length = config.max_length as usize;
    let recent = &events[events.len().saturating_sub(length)..];
    let sequence: Vec<&[f64]> = recent.iter().map(Vec::as_slice).chain([candidate]).collect();
    let last = sequence.len() - 1;
    let mut sequence: Rows = sequence
        .iter()
        .enumerate()
        .map(|(index, entry)| {
            let position = &table[last - index];
            match config.positions {
                PositionCombination::Add => entry.iter().zip(position).map(|(x, y)| x + y).collect(),
                PositionCombination::Concatenate { .. } => entry.iter().chain(position).copied().collect(),
            }
        })
        .collect();
    for block in 0..config.blocks {
        sequence = layer.transformer(&sequence, &format!("block{block}."), &config.transformer);
    }
    let width = sequence[0].len();
    sequence.reverse();
    match config.output {
        BstOutput::Candidate => sequence[0].clone(),
        BstOutput::Flatten => {
            sequence.resize(length + 1, vec![0.0; width]);
            sequence.concat()
        }
    }
}

fn forward(layer: &BstInterest, batch: &Batch) -> Tensor {
    let history = batch.history();
    let input = InterestInput { candidate: &batch.candidate, history: &history, negative: None, times: None };
    layer.forward(&input, Mode::Training).unwrap().vector
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn it_equals_its_definition(lengths in lengths(), settings in settings(), head in 1i64..3, seed: u64) {
        let width = 2 * head;
        let batch = Batch::new(&lengths, width, seed);
        let mut store = nn::VarStore::new(Device::Cpu);
        let layer = BstInterest::new(&store.root(), width, &settings).unwrap();
        let variables = fill(&mut store, seed);
        let got = forward(&layer, &batch);
        prop_assert_eq!(got.size(), [lengths.len() as i64, layer.outputs()]);
        for ((got, candidate), events) in matrix(&got).iter().zip(matrix(&batch.candidate)).zip(batch.events_of_each()) {
            assert_close(got, &naive(&Naive(&variables), &settings, &candidate, &matrix(&events)));
        }
        promises::check(&batch, &variables, &|batch| rows(&forward(&layer, batch)));
    }
}

proptest! {
    #![proptest_config(config(16))]

    #[test]
    fn gradients_equal_finite_differences(lengths in lengths(), settings in settings(), seed: u64) {
        let batch = Batch::new(&lengths, 4, seed);
        let mut store = nn::VarStore::new(Device::Cpu);
        let layer = BstInterest::new(&store.root(), 4, &settings).unwrap();
        let variables = fill(&mut store, seed);
        let leaves = variables.iter().map(|(name, variable)| (name.as_str(), variable));
        let inputs = [("candidate", &batch.candidate), ("values", &batch.values)];
        gradients::check(leaves.chain(inputs), || forward(&layer, &batch));
    }
}

fn small() -> BstInterestConfig {
    let transformer = TransformerBlockConfig { heads: 2, ..Default::default() };
    BstInterestConfig { max_length: 3, transformer, ..Default::default() }
}

#[test]
fn a_sample_without_events_is_its_candidate() {
    for output in OUTPUTS {
        let mut store = nn::VarStore::new(Device::Cpu);
        let settings = BstInterestConfig { output, ..small() };
        let layer = BstInterest::new(&store.root(), 4, &settings).unwrap();
        let variables = fill(&mut store, 1);
        for lengths in [vec![0], vec![0, 0, 0]] {
            let batch = Batch::new(&lengths, 4, 1);
            for (got, candidate) in matrix(&forward(&layer, &batch)).iter().zip(matrix(&batch.candidate)) {
                assert_close(got, &naive(&Naive(&variables), &settings, &candidate, &vec![]));
                assert!(got.iter().any(|&entry| entry != 0.0));
            }
        }
    }
}

#[test]
fn events_beyond_the_longest_history_take_no_gradient() {
    let mut store = nn::VarStore::new(Device::Cpu);
    let layer = BstInterest::new(&store.root(), 4, &small()).unwrap();
    fill(&mut store, 1);
    let batch = Batch::new(&[5], 4, 1);
    let batch = Batch { values: batch.values.set_requires_grad(true), ..batch };
    forward(&layer, &batch).square().sum(Kind::Double).backward();
    let gradients = matrix(&batch.values.grad());
    let without: Vec<usize> = (0..5).filter(|&event| gradients[event] == [0.0; 4]).collect();
    assert_eq!(without, [0, 1]);
}

#[test]
fn wrong_settings_are_refused_before_a_variable_is_registered() {
    let store = nn::VarStore::new(Device::Cpu);
    let message = |width, change: &dyn Fn(&mut BstInterestConfig)| {
        let mut config = small();
        change(&mut config);
        BstInterest::new(&store.root(), width, &config).unwrap_err().to_string()
    };
    assert_eq!(message(4, &|config| config.max_length = 0), "max_length = 0 is not allowed: at least 1");
    assert_eq!(message(4, &|config| config.blocks = 0), "blocks = 0 is not allowed: at least 1");
    assert_eq!(message(0, &|_| ()), "width = 0 is not allowed: at least 1");
    assert!(message(3, &|_| ()).starts_with("heads = 2 for events of width 11 is not allowed"));
    assert!(store.is_empty());
    assert!(serde_json::from_str::<BstInterestConfig>(r#"{"length": 2}"#).is_err());
}

#[test]
fn built_parts_must_fit() {
    let store = nn::VarStore::new(Device::Cpu);
    let root = store.root();
    let position = || {
        let config = PositionalEmbeddingConfig { max_length: 3, combination: PositionCombination::Add };
        PositionalEmbedding::new(&(&root / "position"), 4, config).unwrap()
    };
    let error = BstInterest::from_parts(position(), vec![], BstOutput::Candidate).unwrap_err().to_string();
    assert_eq!(error, "blocks = 0 is not allowed: at least 1");
    let block = TransformerBlock::new(&(&root / "block"), 6, &small().transformer).unwrap();
    let error = BstInterest::from_parts(position(), vec![block], BstOutput::Candidate).unwrap_err().to_string();
    assert!(error.starts_with("blocks.width = 6 after positions of width 4 is not allowed"), "{error}");
}

#[test]
fn a_candidate_of_another_width_is_refused() {
    let store = nn::VarStore::new(Device::Cpu);
    let layer = BstInterest::new(&store.root(), 4, &small()).unwrap();
    let (batch, other) = (Batch::new(&[2, 1], 4, 1), Batch::new(&[2, 1], 3, 1));
    let history = batch.history();
    let input = InterestInput { candidate: &other.candidate, history: &history, negative: None, times: None };
    let error = layer.forward(&input, Mode::Evaluation).unwrap_err().to_string();
    assert_eq!(error, "candidate has shape [2, 3], but [B, D] = [2, 4] is needed");
}

#[test]
fn the_outline_names_the_parameters() {
    let store = nn::VarStore::new(Device::Cpu);
    let layer = BstInterest::new(&store.root(), 4, &BstInterestConfig { blocks: 2, ..small() }).unwrap();
    let outline = layer.outline();
    assert_eq!(outline.parts[outline.vector].output, "[B, 48]");
    let names: Vec<&str> = outline.parts.iter().map(|part| part.name.as_str()).collect();
    assert_eq!(names, ["position", "block0", "block1", ""]);
    for variable in store.variables().into_keys() {
        assert!(names.iter().any(|name| !name.is_empty() && variable.starts_with(&format!("{name}."))), "{variable}");
    }
}
