//! What the auxiliary loss promises, for every scorer and average.

use std::collections::BTreeMap;

use fain_autograd::check_leaves;
use fain_layers::{
    ActivationConfig, AuxiliaryAverage, AuxiliaryLoss, AuxiliaryLossConfig, AuxiliaryNetConfig, AuxiliaryScorer,
    InputNorm, Jagged, Mode,
};
use fain_tests::draw_variables;
use proptest::prelude::*;
use tch::{Device, Kind, Tensor, nn};

use crate::problem::{Problem, SLOPES, config, difference, gradient, numbers};

struct Layer {
    name: String,
    config: AuxiliaryLossConfig,
    loss: AuxiliaryLoss,
    variables: BTreeMap<String, Tensor>,
}

/// Every scorer and average that fits the problem.
fn layers(problem: &Problem, kind: Kind) -> Vec<Layer> {
    let net = |hidden: &[i64], activation, input_norm| {
        AuxiliaryScorer::Mlp(AuxiliaryNetConfig { hidden: hidden.to_vec(), activation, input_norm })
    };
    let mut scorers = vec![
        net(&[3, 2], ActivationConfig::Sigmoid, InputNorm::None),
        net(&[4], ActivationConfig::Prelu, InputNorm::None),
        net(&[3], ActivationConfig::Sigmoid, InputNorm::BatchNorm),
        net(&[3], ActivationConfig::Sigmoid, InputNorm::Keras),
    ];
    if problem.hidden == problem.width {
        scorers.push(AuxiliaryScorer::InnerProduct);
    }
    let averages = [AuxiliaryAverage::Entries, AuxiliaryAverage::Pairs];
    scorers
        .iter()
        .flat_map(|scorer| averages.map(|average| (scorer.clone(), average)))
        .map(|(scorer, average)| {
            let config = AuxiliaryLossConfig { scorer, average, weight: 0.5 };
            let mut store = nn::VarStore::new(Device::Cpu);
            let loss = AuxiliaryLoss::new(&store.root(), problem.hidden, problem.width, &config).unwrap();
            let variables = draw_variables(&mut store, problem.seed.wrapping_add(10), kind).unwrap();
            Layer { name: format!("{config:?}"), config, loss, variables }
        })
        .collect()
}

/// States, events and events that did not happen.
fn inputs(problem: &Problem, kind: Kind) -> [Jagged; 3] {
    [(1, problem.hidden), (2, problem.width), (3, problem.width)]
        .map(|(which, width)| problem.jagged(which, width, kind))
}

fn forward(layer: &Layer, [states, history, negative]: &[Jagged; 3], mode: Mode) -> Tensor {
    layer.loss.forward(states, history, negative, mode).unwrap()
}

fn value(tensor: &Tensor) -> f64 {
    assert_eq!(tensor.size(), [0i64; 0]);
    f64::try_from(tensor.detach()).unwrap()
}

/// Pairs of a batch.
fn pairs(lengths: &[u32]) -> u32 {
    lengths.iter().map(|length| length.saturating_sub(1)).sum()
}

/// The loss in evaluation by its definition, in plain numbers.
fn naive(problem: &Problem, layer: &Layer, inputs: &[Jagged; 3]) -> f64 {
    let [states, history, negative] = inputs.each_ref().map(|jagged| -> Vec<Vec<f64>> {
        numbers(jagged.values()).chunks(jagged.width() as usize).map(<[f64]>::to_vec).collect()
    });
    let mut total = 0.0;
    for pair in problem.offsets().windows(2) {
        for event in (pair[0] as usize..pair[1] as usize).skip(1) {
            total -= (1.0 / (1.0 + (-logit(layer, &states[event - 1], &history[event])).exp())).ln();
            total -= (1.0 / (1.0 + logit(layer, &states[event - 1], &negative[event]).exp())).ln();
        }
    }
    let count = f64::from(pairs(&problem.lengths));
    let divisor = if layer.config.average == AuxiliaryAverage::Entries { 2.0 * count } else { count };
    if divisor == 0.0 { 0.0 } else { total / divisor }
}

fn logit(layer: &Layer, state: &[f64], event: &[f64]) -> f64 {
    let AuxiliaryScorer::Mlp(net) = &layer.config.scorer else {
        return state.iter().zip(event).map(|(state, event)| state * event).sum();
    };
    let variable = |name: &str| numbers(&layer.variables[name]);
    let mut hidden = [state, event].concat();
    if net.input_norm != InputNorm::None {
        let epsilon = if net.input_norm == InputNorm::Keras { 1e-3 } else { 1e-5 };
        let [mean, variance, scale, shift] =
            ["running_mean", "running_var", "weight", "bias"].map(|name| variable(&format!("input_norm.{name}")));
        for (index, entry) in hidden.iter_mut().enumerate() {
            *entry = (*entry - mean[index]) / (variance[index] + epsilon).sqrt() * scale[index] + shift[index];
        }
    }
    let dense = |name: &str, input: &[f64]| -> Vec<f64> {
        let (weight, bias) = (variable(&format!("{name}.weight")), variable(&format!("{name}.bias")));
        let rows = weight.chunks(input.len()).zip(bias);
        rows.map(|(row, bias)| row.iter().zip(input).map(|(weight, entry)| weight * entry).sum::<f64>() + bias)
            .collect()
    };
    for index in 0..net.hidden.len() {
        hidden = dense(&format!("dense{index}"), &hidden);
        for entry in &mut hidden {
            *entry = match net.activation {
                ActivationConfig::Prelu => {
                    entry.max(0.0) + variable(&format!("activation{index}.weight"))[0] * entry.min(0.0)
                }
                _ => 1.0 / (1.0 + (-*entry).exp()),
            };
        }
    }
    dense("output", &hidden)[0]
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn it_equals_its_definition(problem in Problem::any()) {
        let inputs = inputs(&problem, Kind::Double);
        for layer in layers(&problem, Kind::Double) {
            let (got, expected) = (value(&forward(&layer, &inputs, Mode::Evaluation)), naive(&problem, &layer, &inputs));
            prop_assert!(difference(&[got], &[expected]) < 1e-12, "{}: {got}, expected {expected}", layer.name);
        }
    }

    #[test]
    fn a_batch_has_the_mean_of_its_samples_weighted_by_pairs(problem in Problem::any()) {
        let inputs = inputs(&problem, Kind::Double);
        for layer in layers(&problem, Kind::Double) {
            let mut total = 0.0;
            for (row, length) in problem.lengths.iter().enumerate() {
                let alone = inputs.each_ref().map(|jagged| problem.part(&[row], jagged));
                total += value(&forward(&layer, &alone, Mode::Evaluation)) * f64::from(pairs(&[*length]));
            }
            let expected = total / f64::from(pairs(&problem.lengths).max(1));
            let got = value(&forward(&layer, &inputs, Mode::Evaluation));
            prop_assert!(difference(&[got], &[expected]) < 1e-12, "{}: {got}, expected {expected}", layer.name);
        }
    }

    #[test]
    fn what_has_no_part_in_a_pair_gets_no_gradient(problem in Problem::any()) {
        for layer in layers(&problem, Kind::Float) {
            let inputs = inputs(&problem, Kind::Float).map(|jagged| problem.shape(jagged.values().set_requires_grad(true)));
            let loss = forward(&layer, &inputs, Mode::Training);
            if loss.requires_grad() {
                loss.backward();
            }
            let [states, history, negative] = inputs.each_ref().map(|jagged| -> Vec<bool> {
                let entries = gradient(jagged.values());
                assert!(entries.iter().all(|entry| entry.is_finite()), "{}", layer.name);
                entries.chunks(jagged.width() as usize).map(|row| row.iter().all(|&entry| entry == 0.0)).collect()
            });
            for pair in problem.offsets().windows(2).filter(|pair| pair[0] < pair[1]) {
                let (first, last) = (pair[0] as usize, pair[1] as usize - 1);
                prop_assert!(states[last] && history[first] && negative[first], "{}", layer.name);
            }
            if pairs(&problem.lengths) == 0 {
                prop_assert_eq!(numbers(&loss), [0.0]);
                let zero = layer.variables.values().all(|variable| gradient(variable).iter().all(|&entry| entry == 0.0));
                prop_assert!(zero, "{}", layer.name);
            }
        }
    }
}

proptest! {
    #![proptest_config(config(8))]

    #[test]
    fn gradients_equal_finite_differences(problem in Problem::any()) {
        for layer in layers(&problem, Kind::Double) {
            let inputs = inputs(&problem, Kind::Double).map(|jagged| problem.shape(jagged.values().set_requires_grad(true)));
            let mut leaves: Vec<(&str, &Tensor)> = ["states", "history", "negative"]
                .into_iter()
                .zip(inputs.iter().map(Jagged::values))
                .collect();
            let parameters = layer.variables.iter().filter(|(_, variable)| variable.requires_grad());
            leaves.extend(parameters.map(|(name, variable)| (name.as_str(), variable)));
            for mode in [Mode::Training, Mode::Evaluation] {
                let [states, history, negative] = &inputs;
                let result = check_leaves(|| layer.loss.forward(states, history, negative, mode), &leaves, &SLOPES);
                prop_assert!(result.is_ok(), "{} {mode:?}: {}", layer.name, result.unwrap_err());
            }
        }
    }
}

#[test]
fn it_reads_what_belongs_together_only() {
    let problem = Problem { lengths: vec![2, 0, 3], width: 2, hidden: 3, seed: 1 };
    let layer = &layers(&problem, Kind::Float)[0];
    let [states, history, _] = inputs(&problem, Kind::Float);
    for (lengths, width, expected) in [
        (vec![2, 1, 2], 2, "sample 1 of negative has 1 events, but 0 are needed"),
        (vec![2, 3], 2, "negative has shape [2], but [B] = [3] samples is needed"),
        (vec![2, 0, 3], 3, "others has shape [5, 3], but [N, D] = [5, 2] is needed"),
    ] {
        let negative = Problem { lengths, ..problem.clone() }.jagged(3, width, Kind::Float);
        let error = layer.loss.forward(&states, &history, &negative, Mode::Training).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!(layer.loss.weight().to_bits(), 0.5f64.to_bits());
}
