//! Traps that people fell into with recurrences over histories, one test each.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use fain_layers::{
    AttentionalGru, AttentionalGruConfig, AttentionalGruKind, BiLstm, BiLstmConfig, Execution, GateOrder, Gru,
    GruConfig, Jagged, JaggedLayout, Recurrence, ResetGate,
};
use tch::{Device, Kind, Tensor, nn};

const EXECUTIONS: [Execution; 2] = [Execution::Plain, Execution::Auto];
const KINDS: [AttentionalGruKind; 4] =
    [AttentionalGruKind::Aigru, AttentionalGruKind::Agru, AttentionalGruKind::Augru, AttentionalGruKind::AugruOfficial];

fn numbers(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.detach().to_kind(Kind::Double).reshape([-1])).unwrap()
}

/// Numbers that differ from each other, between −1 and 1.
fn waves(size: &[i64], start: f64) -> Tensor {
    let count: i64 = size.iter().product();
    let numbers: Vec<f64> = (0..count).map(|index| (start + 1.7 * index as f64).sin()).collect();
    Tensor::from_slice(&numbers).reshape(size).to_kind(Kind::Float)
}

fn history(offsets: &[u32], width: i64) -> Jagged {
    let layout = JaggedLayout::new(offsets, Device::Cpu).unwrap();
    let values = waves(&[layout.events(), width], 0.3).set_requires_grad(true);
    Jagged::new(values, layout).unwrap()
}

fn fill(store: &nn::VarStore) -> BTreeMap<String, Tensor> {
    let variables: BTreeMap<String, Tensor> = store.variables().into_iter().collect();
    for (index, variable) in variables.values().enumerate() {
        tch::no_grad(|| variable.shallow_clone().copy_(&waves(&variable.size(), index as f64)));
    }
    variables
}

/// A recurrence over events of width 2, with states of width 3, whose parameters have fixed values.
fn attentional(kind: AttentionalGruKind, execution: Execution) -> (BTreeMap<String, Tensor>, AttentionalGru) {
    let store = nn::VarStore::new(Device::Cpu);
    let config = AttentionalGruConfig { kind, hidden: 3, bias: true, reset: ResetGate::After };
    let recurrence = AttentionalGru::new(&store.root(), 2, config).unwrap().with_execution(execution);
    (fill(&store), recurrence)
}

fn gru(execution: Execution) -> (BTreeMap<String, Tensor>, Gru) {
    let store = nn::VarStore::new(Device::Cpu);
    let config = GruConfig { hidden: 3, bias: true, reset: ResetGate::After };
    let gru = Gru::new(&store.root(), 2, config).unwrap().with_execution(execution);
    (fill(&store), gru)
}

fn lstm() -> (BTreeMap<String, Tensor>, BiLstm) {
    let store = nn::VarStore::new(Device::Cpu);
    let lstm = BiLstm::new(&store.root(), 2, BiLstmConfig { hidden: 3, ..BiLstmConfig::default() }).unwrap();
    (fill(&store), lstm)
}

/// From a history to the outputs of a recurrence.
type Forward = Box<dyn Fn(&Jagged) -> Jagged>;

/// Every recurrence with its name and its variables.
fn recurrences() -> Vec<(String, BTreeMap<String, Tensor>, Forward)> {
    let mut all: Vec<(String, BTreeMap<String, Tensor>, Forward)> = Vec::new();
    for execution in EXECUTIONS {
        for kind in KINDS {
            let (variables, recurrence) = attentional(kind, execution);
            let forward = move |history: &Jagged| {
                let scores = waves(&[history.layout().events(), 1], 0.9);
                recurrence.forward(history, &scores, None).unwrap()
            };
            all.push((format!("{kind:?} {execution:?}"), variables, Box::new(forward)));
        }
        let (variables, gru) = gru(execution);
        let forward = move |history: &Jagged| gru.forward(history, None).unwrap();
        all.push((format!("Gru {execution:?}"), variables, Box::new(forward)));
    }
    let (variables, lstm) = lstm();
    all.push(("BiLstm".to_owned(), variables, Box::new(move |history: &Jagged| lstm.forward(history).unwrap())));
    all
}

// Trap 1: a history of length 0 or 1 crashes or gives NaN. All-empty batch.

#[test]
fn trap_01_an_empty_history_among_others_ends_in_zeros() {
    for (name, _, forward) in recurrences() {
        let events = history(&[0, 0, 2, 2, 3, 3], 2);
        let last = forward(&events).last().unwrap();
        assert_eq!(last.size(), [5, 3], "{name}");
        let rows = numbers(&last);
        for (row, state) in rows.chunks(3).enumerate() {
            let empty = [0, 2, 4].contains(&row);
            assert_eq!(state.iter().all(|&entry| entry == 0.0), empty, "{name} row {row}");
            assert!(state.iter().all(|entry| entry.is_finite()), "{name} row {row}");
        }
        // The empty ones change nothing for the others.
        let alone = forward(&history(&[0, 2, 3], 2)).last().unwrap();
        for (got, expected) in numbers(&alone).iter().zip(rows[3..6].iter().chain(&rows[9..12])) {
            assert!((got - expected).abs() < 1e-6, "{name}: {got} {expected}");
        }
        last.narrow(0, 2, 1).sum(Kind::Float).backward();
        assert_eq!(numbers(&events.values().grad()), [0.0; 6], "{name}");
    }
}

#[test]
fn trap_01_an_all_empty_batch_ends_in_zeros_with_zero_gradients() {
    for offsets in [&[0u32, 0][..], &[0, 0, 0]] {
        for (name, variables, forward) in recurrences() {
            let states = forward(&history(offsets, 2));
            assert_eq!(states.values().size(), [0, 3], "{name}");
            let last = states.last().unwrap();
            assert_eq!(numbers(&last), vec![0.0; 3 * (offsets.len() - 1)], "{name}");
            last.sum(Kind::Float).backward();
            for (variable, value) in variables {
                let gradient = value.grad();
                assert!(gradient.defined(), "{name} {variable}");
                assert!(numbers(&gradient).iter().all(|&entry| entry == 0.0), "{name} {variable}");
            }
        }
    }
}

// Trap 2: a batch of one collapses a dimension.

#[test]
fn trap_02_a_batch_of_one_keeps_its_dimensions() {
    for (name, _, forward) in recurrences() {
        for events in [1u32, 3] {
            let states = forward(&history(&[0, events], 2));
            assert_eq!(states.values().size(), [i64::from(events), 3], "{name}");
            assert_eq!(states.last().unwrap().size(), [1, 3], "{name}");
        }
    }
    // Widths of one are no less prone to it.
    let store = nn::VarStore::new(Device::Cpu);
    let config = AttentionalGruConfig { hidden: 1, ..AttentionalGruConfig::default() };
    for execution in EXECUTIONS {
        let recurrence = AttentionalGru::new(&(store.root() / format!("{execution:?}")), 1, config)
            .unwrap()
            .with_execution(execution);
        let states = recurrence.forward(&history(&[0, 1], 1), &waves(&[1, 1], 0.0), None).unwrap();
        assert_eq!(states.values().size(), [1, 1]);
    }
}

// Trap 9: two bias vectors tied by mistake; gates inverted.

/// Sets the three numbers of one gate.
fn set(variable: &Tensor, gate: i64, value: f64) {
    let _filled = tch::no_grad(|| variable.narrow(0, gate * 3, 3).fill_(value));
}

#[test]
fn trap_09_gates_are_not_inverted_and_biases_not_tied() {
    let events = history(&[0, 2, 3], 2);
    let initial = waves(&[2, 3], 2.0);
    let kept = numbers(&events.layout().expand(&initial).unwrap());
    for execution in EXECUTIONS {
        // PyTorch's z keeps the state: open, the state stays; shut, it is the candidate, here tanh(±1e4).
        let (variables, gru) = gru(execution);
        let states = || numbers(gru.forward(&events, Some(&initial)).unwrap().values());
        set(&variables["bias_ih"], 1, 1e4);
        assert_eq!(states(), kept, "{execution:?}");
        set(&variables["bias_ih"], 1, -1e4);
        set(&variables["bias_ih"], 2, 1e4);
        assert_eq!(states(), [1.0; 9], "{execution:?}");

        // DIEN's u lets the candidate in: shut, the state stays.
        let (variables, paper) = attentional(AttentionalGruKind::Augru, execution);
        let scores = Tensor::ones([3, 1], (Kind::Float, Device::Cpu));
        let run = |recurrence: &AttentionalGru, scores: &Tensor| {
            numbers(recurrence.forward(&events, scores, Some(&initial)).unwrap().values())
        };
        set(&variables["bias_ih"], 0, -1e4);
        assert_eq!(run(&paper, &scores), kept, "{execution:?}");
        set(&variables["bias_ih"], 0, 1e4);
        set(&variables["bias_ih"], 2, 1e4);
        assert_eq!(run(&paper, &scores), [1.0; 9], "{execution:?}");
        // An event without relevance keeps the state, however open u is.
        assert_eq!(run(&paper, &(&scores * 0.0)), kept, "{execution:?}");

        // The authors' code has it the other way round: u keeps the state as far as the score lets it.
        let (variables, official) = attentional(AttentionalGruKind::AugruOfficial, execution);
        set(&variables["bias_ih"], 0, 1e4);
        set(&variables["bias_ih"], 2, 1e4);
        assert_eq!(run(&official, &(&scores * 0.0)), kept, "{execution:?}");
        assert_eq!(run(&official, &scores), [1.0; 9], "{execution:?}");

        // The score of AGRU is the share of the candidate.
        let (variables, agru) = attentional(AttentionalGruKind::Agru, execution);
        set(&variables["bias_ih"], 1, 1e4);
        assert_eq!(run(&agru, &(&scores * 0.0)), kept, "{execution:?}");
        assert_eq!(run(&agru, &scores), [1.0; 9], "{execution:?}");
    }
}

#[test]
fn trap_09_the_two_biases_are_two() {
    // A reset gate that is shut drops the state's bias of the candidate, and only that one.
    for execution in EXECUTIONS {
        for (kind, reset, candidate) in [(AttentionalGruKind::Agru, 0, 1), (AttentionalGruKind::Augru, 1, 2)] {
            let (variables, recurrence) = attentional(kind, execution);
            let scores = Tensor::ones([3, 1], (Kind::Float, Device::Cpu));
            let events = history(&[0, 2, 3], 2);
            let states = || numbers(recurrence.forward(&events, &scores, None).unwrap().values());
            assert_ne!(variables["bias_ih"].data_ptr(), variables["bias_hh"].data_ptr());
            set(&variables["bias_ih"], reset, -1e4);
            let before = states();
            set(&variables["bias_hh"], candidate, 0.7);
            assert_eq!(states(), before, "{kind:?} {execution:?}");
            set(&variables["bias_ih"], candidate, 0.7);
            assert_ne!(states(), before, "{kind:?} {execution:?}");
        }
        // Their gradients differ: the reset gate stands before one of them only.
        for (name, variables, forward) in recurrences().into_iter().filter(|(name, ..)| name != "BiLstm") {
            forward(&history(&[0, 3, 5], 2)).values().sum(Kind::Float).backward();
            let gradient = |name: &str| numbers(&variables[name].grad());
            assert_ne!(gradient("bias_ih"), gradient("bias_hh"), "{name}");
        }
    }
}

#[test]
fn trap_09_a_stack_in_another_order_gives_other_states_until_it_is_reordered() {
    for execution in EXECUTIONS {
        let (variables, recurrence) = attentional(AttentionalGruKind::Augru, execution);
        let events = history(&[0, 2, 5], 2);
        let scores = waves(&[5, 1], 0.4);
        let states = || numbers(recurrence.forward(&events, &scores, None).unwrap().values());
        let expected = states();
        let reorder = |from: &str, to: &str| {
            let order = GateOrder { from: from.to_owned(), to: to.to_owned() };
            for variable in variables.values() {
                tch::no_grad(|| variable.shallow_clone().copy_(&order.apply(variable).unwrap()));
            }
        };
        reorder("urn", "run");
        assert_ne!(states(), expected, "{execution:?}");
        reorder("run", "urn");
        assert_eq!(states(), expected, "{execution:?}");
    }
}
