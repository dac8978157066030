//! Positional embedding.

use fain_layers::{PositionCombination, PositionalEmbedding, PositionalEmbeddingConfig, SequenceEnd};
use proptest::prelude::*;
use tch::{Device, nn};

use crate::batch::{Batch, events, fill, lengths, matrix};
use crate::{assert_close, config, gradients, promises};

fn combination() -> impl Strategy<Value = PositionCombination> {
    prop_oneof![Just(PositionCombination::Add), (1i64..4).prop_map(|width| PositionCombination::Concatenate { width }),]
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn a_position_counts_back_from_the_candidate(
        lengths in lengths(), width in 1i64..4, max_length in 1i64..6, combination in combination(), seed: u64,
    ) {
        let batch = Batch::new(&lengths, width, seed);
        let mut store = nn::VarStore::new(Device::Cpu);
        let settings = PositionalEmbeddingConfig { max_length, combination };
        let layer = PositionalEmbedding::new(&store.root(), width, settings).unwrap();
        let variables = fill(&mut store, seed);
        let table = matrix(&variables["weight"]);
        prop_assert_eq!(table.len() as i64, max_length + 1);

        for (end, first) in [(SequenceEnd::Candidate, 0), (SequenceEnd::Event, 1)] {
            let got = layer.forward(&batch.history(), end).unwrap();
            prop_assert_eq!(got.width(), layer.outputs());
            for (got, sample) in events(&got).iter().zip(batch.events_of_each()) {
                let (got, sample) = (matrix(got), matrix(&sample));
                for (index, event) in sample.iter().enumerate() {
                    let position = &table[(sample.len() - 1 - index + first).min(max_length as usize)];
                    let expected: Vec<f64> = match combination {
                        PositionCombination::Add => event.iter().zip(position).map(|(x, y)| x + y).collect(),
                        PositionCombination::Concatenate { .. } => event.iter().chain(position).copied().collect(),
                    };
                    assert_close(&got[index], &expected);
                }
            }
            promises::check(&batch, &variables, &|batch| events(&layer.forward(&batch.history(), end).unwrap()));
        }
        let leaves = [("values", &batch.values), ("weight", &variables["weight"])];
        gradients::check(leaves, || {
            layer.forward(&batch.history(), SequenceEnd::Candidate).unwrap().values().shallow_clone()
        });
    }
}

#[test]
fn wrong_settings_are_refused_before_a_variable_is_registered() {
    let store = nn::VarStore::new(Device::Cpu);
    let message = |width, max_length, combination| {
        let config = PositionalEmbeddingConfig { max_length, combination };
        PositionalEmbedding::new(&store.root(), width, config).unwrap_err().to_string()
    };
    assert_eq!(message(2, 0, PositionCombination::Add), "max_length = 0 is not allowed: at least 1");
    let concatenate = PositionCombination::Concatenate { width: 0 };
    assert_eq!(message(2, 3, concatenate), "concatenate.width = 0 is not allowed: at least 1");
    assert_eq!(message(0, 3, PositionCombination::Add), "width = 0 is not allowed: at least 1");
    assert!(store.is_empty());
}
