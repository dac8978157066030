//! The layers by their definitions, in plain numbers, one sample at a time.

use std::collections::BTreeMap;

use fain_layers::{FeedForwardActivation, TransformerBlockConfig};
use tch::Tensor;

use crate::batch::{matrix, numbers};

pub(crate) type Rows = Vec<Vec<f64>>;

/// A layer's variables.
pub(crate) struct Naive<'a>(pub(crate) &'a BTreeMap<String, Tensor>);

impl Naive<'_> {
    pub(crate) fn vector(&self, name: &str) -> Vec<f64> {
        numbers(&self.0[name])
    }

    pub(crate) fn matrix(&self, name: &str) -> Rows {
        matrix(&self.0[name])
    }

    /// `x Wᵀ + b`; without `b` where there is none.
    pub(crate) fn linear(&self, rows: &Rows, name: &str) -> Rows {
        let weight = self.matrix(&format!("{name}.weight"));
        let bias = self.0.get(&format!("{name}.bias")).map_or(vec![0.0; weight.len()], numbers);
        let unit = |row: &[f64], unit: usize| bias[unit] + dot(row, &weight[unit]);
        rows.iter().map(|row| (0..bias.len()).map(|index| unit(row, index)).collect()).collect()
    }

    pub(crate) fn layer_norm(&self, rows: &Rows, name: &str) -> Rows {
        let (weight, bias) = (self.vector(&format!("{name}.weight")), self.vector(&format!("{name}.bias")));
        let normalize = |row: &Vec<f64>| {
            let count = row.len() as f64;
            let mean = row.iter().sum::<f64>() / count;
            let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
            let normalized = row.iter().map(|x| (x - mean) / (variance + 1e-5).sqrt());
            normalized.zip(&weight).zip(&bias).map(|((x, weight), bias)| x * weight + bias).collect()
        };
        rows.iter().map(normalize).collect()
    }

    pub(crate) fn self_attention(&self, events: &Rows, name: &str, heads: i64) -> Rows {
        let [query, key, value] = ["query", "key", "value"].map(|part| self.linear(events, &format!("{name}{part}")));
        let width = events.first().map_or(0, Vec::len);
        let head = width / heads as usize;
        let mut attended = vec![vec![0.0; width]; events.len()];
        for start in (0..width).step_by(head.max(1)) {
            let units = start..start + head;
            for (event, query) in query.iter().enumerate() {
                let logits: Vec<f64> = key
                    .iter()
                    .map(|key| dot(&query[units.clone()], &key[units.clone()]) / (head as f64).sqrt())
                    .collect();
                for (weight, value) in softmax(&logits).iter().zip(&value) {
                    for unit in units.clone() {
                        attended[event][unit] += weight * value[unit];
                    }
                }
            }
        }
        self.linear(&attended, &format!("{name}output"))
    }

    /// A block in evaluation; `name` is its prefix with a dot at the end.
    pub(crate) fn transformer(&self, events: &Rows, name: &str, config: &TransformerBlockConfig) -> Rows {
        let norm = |rows: Rows, part: &str| {
            if config.layer_norm { self.layer_norm(&rows, &format!("{name}{part}")) } else { rows }
        };
        let attended = self.self_attention(events, &format!("{name}attention."), config.heads);
        let attended = norm(sum(events, &attended), "attention_norm");
        let mut hidden = self.linear(&attended, &format!("{name}feed_forward.hidden"));
        let slope = match config.activation {
            FeedForwardActivation::LeakyRelu => 0.01,
            FeedForwardActivation::Relu => 0.0,
        };
        for unit in hidden.iter_mut().flatten().filter(|unit| **unit < 0.0) {
            *unit *= slope;
        }
        let transformed = self.linear(&hidden, &format!("{name}feed_forward.output"));
        norm(sum(&attended, &transformed), "feed_forward_norm")
    }

    /// The sum of both directions of an LSTM with PyTorch's parameters.
    pub(crate) fn bi_lstm(&self, inputs: &Rows, name: &str) -> Rows {
        let forward = self.lstm(inputs, name, "");
        let mut backward = self.lstm(&inputs.iter().rev().cloned().collect(), name, "_reverse");
        backward.reverse();
        sum(&forward, &backward)
    }

    fn lstm(&self, inputs: &Rows, name: &str, direction: &str) -> Rows {
        let matrix = |part: &str| self.matrix(&format!("{name}{part}_l0{direction}"));
        let vector = |part: &str| self.vector(&format!("{name}{part}_l0{direction}"));
        let (input_weight, state_weight) = (matrix("weight_ih"), matrix("weight_hh"));
        let (input_bias, state_bias) = (vector("bias_ih"), vector("bias_hh"));
        let hidden = input_bias.len() / 4;
        let (mut state, mut memory) = (vec![0.0; hidden], vec![0.0; hidden]);
        let mut states = Vec::new();
        for input in inputs {
            let gates: Vec<f64> = (0..4 * hidden)
                .map(|row| {
                    let bias = input_bias[row] + state_bias[row];
                    dot(&input_weight[row], input) + dot(&state_weight[row], &state) + bias
                })
                .collect();
            for unit in 0..hidden {
                let gate = |index: usize| gates[index * hidden + unit];
                memory[unit] = sigmoid(gate(1)) * memory[unit] + sigmoid(gate(0)) * gate(2).tanh();
                state[unit] = sigmoid(gate(3)) * memory[unit].tanh();
            }
            states.push(state.clone());
        }
        states
    }
}

pub(crate) fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

pub(crate) fn sum(left: &Rows, right: &Rows) -> Rows {
    let add = |(left, right): (&Vec<f64>, &Vec<f64>)| left.iter().zip(right).map(|(x, y)| x + y).collect();
    left.iter().zip(right).map(add).collect()
}

pub(crate) fn softmax(logits: &[f64]) -> Vec<f64> {
    let total: f64 = logits.iter().map(|logit| logit.exp()).sum();
    logits.iter().map(|logit| logit.exp() / total).collect()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
