//! The equations of the recurrences, one number at a time.
#![allow(clippy::many_single_char_names, reason = "these are the letters of the equations")]

use std::collections::BTreeMap;

use fain_layers::{AttentionalGruKind, ResetGate};

use crate::problem::{Batch, Cell, Layer, Problem, numbers};

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// `W x + b` for the rows of one gate.
struct Gate<'a> {
    weight: &'a [f64],
    bias: Option<&'a [f64]>,
}

impl Gate<'_> {
    fn apply(&self, x: &[f64]) -> Vec<f64> {
        let products = self.weight.chunks(x.len()).map(|row| row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>());
        products.enumerate().map(|(row, product)| product + self.bias.map_or(0.0, |bias| bias[row])).collect()
    }
}

/// The parameters of a layer as numbers.
struct Parameters(BTreeMap<String, Vec<f64>>);

impl Parameters {
    /// The part of gate `index` in `weight_ih`, `bias_ih` (`ih`) or `weight_hh`, `bias_hh` (`hh`).
    fn gate(&self, side: &str, index: usize, hidden: usize) -> Gate<'_> {
        let weight = &self.0[&format!("weight_{side}")];
        // Both matrices have the same rows.
        let width = weight.len() * hidden / self.0["weight_hh"].len();
        let rows = index * hidden..(index + 1) * hidden;
        Gate {
            weight: &weight[rows.start * width..rows.end * width],
            bias: self.0.get(&format!("bias_{side}")).map(|bias| &bias[rows]),
        }
    }
}

/// The states `[N, H]`, row by row.
pub(crate) fn states(problem: &Problem, batch: &Batch, layer: &Layer, reset: ResetGate) -> Vec<f64> {
    let hidden = problem.hidden as usize;
    let parameters = Parameters(layer.variables.iter().map(|(name, value)| (name.clone(), numbers(value))).collect());
    let (inputs, scores) = (numbers(&batch.inputs), numbers(&batch.scores));
    let initial = batch.initial.as_ref().map(numbers);
    let mut states = Vec::new();
    for (row, range) in problem.offsets().windows(2).enumerate() {
        let mut state = match &initial {
            Some(initial) => initial[row * hidden..(row + 1) * hidden].to_vec(),
            None => vec![0.0; hidden],
        };
        for event in range[0] as usize..range[1] as usize {
            let width = problem.width as usize;
            let input = &inputs[event * width..(event + 1) * width];
            state = step(layer.cell, reset, &parameters, input, scores[event], &state);
            states.extend(&state);
        }
    }
    states
}

fn step(cell: Cell, reset: ResetGate, parameters: &Parameters, x: &[f64], a: f64, h: &[f64]) -> Vec<f64> {
    let hidden = h.len();
    let x: Vec<f64> = match cell {
        Cell::Attentional(AttentionalGruKind::Aigru) => x.iter().map(|x| a * x).collect(),
        _ => x.to_vec(),
    };
    let input = |index: usize| parameters.gate("ih", index, hidden).apply(&x);
    let product = |index: usize, h: &[f64]| parameters.gate("hh", index, hidden).apply(h);
    let gate = |index: usize| -> Vec<f64> {
        input(index).iter().zip(product(index, h)).map(|(input, product)| sigmoid(input + product)).collect()
    };
    let (r_index, n_index) = match cell {
        Cell::Gru | Cell::Attentional(AttentionalGruKind::Aigru) => (0, 2),
        Cell::Attentional(AttentionalGruKind::Agru) => (0, 1),
        Cell::Attentional(AttentionalGruKind::Augru | AttentionalGruKind::AugruOfficial) => (1, 2),
    };
    let r = gate(r_index);
    let from_state: Vec<f64> = match reset {
        ResetGate::After => product(n_index, h).iter().zip(&r).map(|(product, r)| r * product).collect(),
        ResetGate::Before => {
            let rh: Vec<f64> = h.iter().zip(&r).map(|(h, r)| r * h).collect();
            product(n_index, &rh)
        }
    };
    let n: Vec<f64> = input(n_index).iter().zip(&from_state).map(|(input, state)| (input + state).tanh()).collect();
    (0..hidden)
        .map(|unit| {
            let (h, n) = (h[unit], n[unit]);
            match cell {
                Cell::Gru | Cell::Attentional(AttentionalGruKind::Aigru) => {
                    let z = gate(1)[unit];
                    (1.0 - z) * n + z * h
                }
                Cell::Attentional(AttentionalGruKind::Agru) => (1.0 - a) * h + a * n,
                Cell::Attentional(AttentionalGruKind::Augru) => {
                    let u = a * gate(0)[unit];
                    (1.0 - u) * h + u * n
                }
                Cell::Attentional(AttentionalGruKind::AugruOfficial) => {
                    let u = (1.0 - a) * gate(0)[unit];
                    u * h + (1.0 - u) * n
                }
            }
        })
        .collect()
}
