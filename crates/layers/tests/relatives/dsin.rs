//! The layers of the Deep Session Interest Network.

use fain_layers::{
    BiasEncoding, DsinInterest, DsinInterestConfig, DsinParts, InterestInput, InterestLayer, Mode,
    SessionInterestExtractor, SessionInterestInteraction, SessionLimits, Sessions, Source, TargetAttention,
    TransformerBlockConfig,
};
use proptest::prelude::*;
use tch::{Device, Tensor, nn};

use crate::batch::{Batch, fill, lengths, matrix, numbers, rows};
use crate::naive::{Naive, Rows, dot, softmax, sum};
use crate::transformer::blocks;
use crate::{assert_close, config, gradients, promises};

fn settings() -> impl Strategy<Value = DsinInterestConfig> {
    (1i64..4, 1i64..4, blocks(2)).prop_map(|(sessions, events, transformer)| DsinInterestConfig {
        limits: SessionLimits { sessions, events },
        gap: None,
        transformer,
    })
}

/// `[U_I, U_H]` of one user whose events are divided into `sessions`.
fn naive(layer: &Naive<'_>, config: &DsinInterestConfig, candidate: &[f64], sessions: &[Rows]) -> Vec<f64> {
    let [of_session, of_place, of_unit] =
        ["session", "position", "unit"].map(|name| layer.vector(&format!("session.bias.{name}")));
    let mut interests = Rows::new();
    for (index, session) in sessions.iter().enumerate() {
        let age = sessions.len() - 1 - index;
        let encode = |(place, event): (usize, &Vec<f64>)| -> Vec<f64> {
            event
                .iter()
                .zip(&of_unit)
                .map(|(x, unit)| {
                    x + of_session[age.min(of_session.len() - 1)] + of_place[place.min(of_place.len() - 1)] + unit
                })
                .collect()
        };
        let encoded = session.iter().enumerate().map(encode).collect();
        let read = layer.transformer(&encoded, "session.", &config.transformer);
        let count = read.len() as f64;
        interests
            .push((0..candidate.len()).map(|unit| read.iter().map(|event| event[unit]).sum::<f64>() / count).collect());
    }
    let states = layer.bi_lstm(&interests, "interaction.");
    let activate = |interests: &Rows, name: &str| -> Vec<f64> {
        let weight = layer.matrix(&format!("{name}.bilinear.weight"));
        let query: Vec<f64> = weight.iter().map(|row| dot(row, candidate)).collect();
        let weights = softmax(&interests.iter().map(|interest| dot(interest, &query)).collect::<Vec<f64>>());
        let start = vec![vec![0.0; candidate.len()]];
        let weighed = interests.iter().zip(weights).map(|(row, weight)| row.iter().map(|x| x * weight).collect());
        weighed.fold(start, |total, row| sum(&total, &vec![row])).concat()
    };
    [activate(&interests, "interest_activation"), activate(&states, "interaction_activation")].concat()
}

/// The events of a user, `limits.events` at a time from the last one on.
fn divide(events: &Rows, limits: SessionLimits) -> Vec<Rows> {
    let chunks = events.rchunks(limits.events as usize).take(limits.sessions as usize);
    let mut sessions: Vec<Rows> = chunks.map(<[Vec<f64>]>::to_vec).collect();
    sessions.reverse();
    sessions
}

fn forward(layer: &DsinInterest, batch: &Batch) -> Tensor {
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
        let layer = DsinInterest::new(&store.root(), width, &settings).unwrap();
        let variables = fill(&mut store, seed);
        let got = forward(&layer, &batch);
        prop_assert_eq!(got.size(), [lengths.len() as i64, layer.outputs()]);
        for ((got, candidate), events) in matrix(&got).iter().zip(matrix(&batch.candidate)).zip(batch.events_of_each()) {
            let sessions = divide(&matrix(&events), settings.limits);
            assert_close(got, &naive(&Naive(&variables), &settings, &candidate, &sessions));
        }
        promises::check(&batch, &variables, &|batch| rows(&forward(&layer, batch)));
    }

    #[test]
    fn sessions_by_time_equal_their_definition_even_beyond_the_limits(settings in settings(), seed: u64) {
        let batch = Batch::new(&[3, 0, 4], 2, seed);
        let mut store = nn::VarStore::new(Device::Cpu);
        let layer = DsinInterest::new(&store.root(), 2, &settings).unwrap();
        let variables = fill(&mut store, seed);
        let limits = SessionLimits { sessions: 2, events: 3 };
        let sessions = Sessions::by_gap(&batch.layout(), &[0, 9, 10, 0, 9, 18, 19], 5, limits).unwrap();
        let got = layer.forward_sessions(&batch.candidate, &batch.history(), &sessions, Mode::Evaluation).unwrap();
        let (candidates, events) = (matrix(&batch.candidate), matrix(&batch.values));
        let divided = [
            vec![vec![events[0].clone()], events[1..3].to_vec()],
            vec![],
            vec![vec![events[4].clone()], events[5..].to_vec()],
        ];
        for ((got, candidate), sessions) in matrix(&got).iter().zip(&candidates).zip(&divided) {
            assert_close(got, &naive(&Naive(&variables), &settings, candidate, sessions));
        }
    }
}

proptest! {
    #![proptest_config(config(16))]

    #[test]
    fn gradients_equal_finite_differences(lengths in lengths(), settings in settings(), seed: u64) {
        let batch = Batch::new(&lengths, 4, seed);
        let mut store = nn::VarStore::new(Device::Cpu);
        let layer = DsinInterest::new(&store.root(), 4, &settings).unwrap();
        let variables = fill(&mut store, seed);
        let leaves = variables.iter().map(|(name, variable)| (name.as_str(), variable));
        let inputs = [("candidate", &batch.candidate), ("values", &batch.values)];
        gradients::check(leaves.chain(inputs), || forward(&layer, &batch));
    }
}

fn small() -> DsinInterestConfig {
    DsinInterestConfig {
        limits: SessionLimits { sessions: 2, events: 2 },
        gap: None,
        transformer: TransformerBlockConfig { heads: 2, ..Default::default() },
    }
}

#[test]
fn a_user_without_events_gives_zeros_and_takes_no_gradient() {
    let mut store = nn::VarStore::new(Device::Cpu);
    let layer = DsinInterest::new(&store.root(), 4, &small()).unwrap();
    let variables = fill(&mut store, 1);
    for lengths in [vec![0], vec![0, 0, 0], vec![3, 0, 1]] {
        let batch = Batch::new(&lengths, 4, 1);
        let candidate = batch.candidate.set_requires_grad(true);
        for variable in variables.values() {
            variable.shallow_clone().zero_grad();
        }
        let batch = Batch { candidate, ..batch };
        let vector = forward(&layer, &batch);
        vector.sum(tch::Kind::Double).backward();
        let gradient = batch.candidate.grad();
        for (row, _) in lengths.iter().enumerate().filter(|(_, length)| **length == 0) {
            assert_eq!(numbers(&vector.get(row as i64)), [0.0; 8]);
            assert_eq!(numbers(&gradient.get(row as i64)), [0.0; 4]);
        }
        if lengths.iter().all(|&length| length == 0) {
            for (name, variable) in &variables {
                let gradient = variable.grad();
                assert!(!gradient.defined() || numbers(&gradient).iter().all(|&entry| entry == 0.0), "{name}");
            }
        }
    }
}

#[test]
fn events_before_the_kept_sessions_take_no_gradient() {
    let mut store = nn::VarStore::new(Device::Cpu);
    let layer = DsinInterest::new(&store.root(), 4, &small()).unwrap();
    fill(&mut store, 1);
    let batch = Batch::new(&[6], 4, 1);
    let batch = Batch { values: batch.values.set_requires_grad(true), ..batch };
    forward(&layer, &batch).sum(tch::Kind::Double).backward();
    let gradients = matrix(&batch.values.grad());
    let without: Vec<usize> = (0..6).filter(|&event| gradients[event] == [0.0; 4]).collect();
    assert_eq!(without, [0, 1]);
}

#[test]
fn with_a_gap_sessions_end_where_nothing_happened() {
    let mut store = nn::VarStore::new(Device::Cpu);
    let config = DsinInterestConfig { gap: Some(60), ..small() };
    let layer = DsinInterest::new(&store.root(), 4, &config).unwrap();
    fill(&mut store, 1);
    let batch = Batch::new(&[3, 0, 4], 4, 1);
    let history = batch.history();
    let times = [100, 160, 221, 5, 5, 5, 500];
    let input = InterestInput { candidate: &batch.candidate, history: &history, negative: None, times: Some(&times) };
    let got = numbers(&layer.forward(&input, Mode::Evaluation).unwrap().vector);
    let sessions = Sessions::by_gap(&batch.layout(), &times, 60, config.limits).unwrap();
    assert_eq!(sessions.users().host_offsets(), [0, 2, 2, 4]);
    let expected = layer.forward_sessions(&batch.candidate, &history, &sessions, Mode::Evaluation).unwrap();
    assert_eq!(got, numbers(&expected));
    let message = layer.forward(&InterestInput { times: None, ..input }, Mode::Evaluation).unwrap_err().to_string();
    assert!(message.ends_with("no times for 7 events, whose sessions end at gaps"), "{message}");
    let falling = [100, 160, 150, 5, 5, 5, 500];
    let message = layer.forward(&InterestInput { times: Some(&falling), ..input }, Mode::Evaluation).unwrap_err();
    assert!(message.to_string().ends_with("event 2 has 150 after 160"), "{message}");
    assert_eq!(layer.outline().parts[0].from, [Source::History, Source::Times]);
}

#[test]
fn the_weights_of_a_users_sessions_sum_to_one() {
    let mut store = nn::VarStore::new(Device::Cpu);
    let layer = DsinInterest::new(&store.root(), 4, &small()).unwrap();
    fill(&mut store, 1);
    let batch = Batch::new(&[3, 0, 4], 4, 1);
    let sessions = Sessions::every(&batch.layout(), small().limits).unwrap();
    let (interests, states) = layer.session_weights(&batch.candidate, &batch.history(), &sessions).unwrap();
    for weights in [numbers(&interests), numbers(&states)] {
        assert_eq!(weights.len(), 4);
        assert_close(&[weights[0] + weights[1], weights[2] + weights[3]], &[1.0, 1.0]);
    }
}

#[test]
fn built_parts_must_fit() {
    let store = nn::VarStore::new(Device::Cpu);
    let (root, limits) = (store.root(), small().limits);
    let activation =
        |name: &str| TargetAttention::with_widths(&(&root / name), 3, 4, &DsinInterestConfig::activation()).unwrap();
    let parts = |interaction: i64| DsinParts {
        extractor: SessionInterestExtractor::new(&(&root / "a"), 4, limits, &small().transformer).unwrap(),
        interaction: SessionInterestInteraction::new(&(&root / "b"), interaction).unwrap(),
        interest_activation: activation("c"),
        interaction_activation: activation("d"),
    };
    let error = DsinInterest::from_parts(parts(6), limits, None).unwrap_err().to_string();
    assert!(error.starts_with("interaction.width = 6 after sessions of width 4 is not allowed"), "{error}");
    // A candidate of another width than the events is the business of the activations alone.
    let layer = DsinInterest::from_parts(parts(4), limits, None).unwrap();
    let batch = Batch::new(&[2, 0], 4, 1);
    let candidate = Batch::new(&[2, 0], 3, 1).candidate.to_kind(tch::Kind::Float);
    let history = fain_layers::Jagged::new(batch.values.to_kind(tch::Kind::Float), batch.layout()).unwrap();
    let sessions = Sessions::every(history.layout(), limits).unwrap();
    let vector = layer.forward_sessions(&candidate, &history, &sessions, Mode::Evaluation).unwrap();
    assert_eq!(vector.size(), [2, 8]);
}

#[test]
fn wrong_settings_are_refused_before_a_variable_is_registered() {
    let store = nn::VarStore::new(Device::Cpu);
    let root = store.root();
    let mut config = small();
    config.limits.sessions = 0;
    let message = DsinInterest::new(&root, 4, &config).unwrap_err().to_string();
    assert_eq!(message, "sessions = 0 is not allowed: at least 1");
    assert!(DsinInterest::new(&root, 3, &small()).is_err());
    let message =
        DsinInterest::new(&root, 4, &DsinInterestConfig { gap: Some(-1), ..small() }).unwrap_err().to_string();
    assert_eq!(message, "gap = -1 is not allowed: at least 0");
    assert!(BiasEncoding::new(&root, 0, small().limits).is_err());
    assert!(SessionInterestInteraction::new(&root, 0).is_err());
    assert!(store.is_empty());
    assert!(serde_json::from_str::<DsinInterestConfig>(r#"{"limits": {"session": 2}}"#).is_err());
}

#[test]
fn the_outline_names_the_parameters() {
    let store = nn::VarStore::new(Device::Cpu);
    let layer = DsinInterest::new(&store.root(), 4, &small()).unwrap();
    let outline = layer.outline();
    assert_eq!(outline.parts[outline.vector].output, "[B, 8]");
    let names: Vec<&str> = outline.parts.iter().map(|part| part.name.as_str()).collect();
    for variable in store.variables().into_keys() {
        assert!(names.iter().any(|name| !name.is_empty() && variable.starts_with(&format!("{name}."))), "{variable}");
    }
    assert!(store.variables().contains_key("session.attention.query.weight"));
}
