//! A batch of numbers, and its way through both programs.

use fain_kernels::{Cell, Sequences, Serial, StateGradient, Weights, recurrence_backward, recurrence_forward};

use super::Processor;
use crate::buffers::{Backward, Forward};
use crate::plan::Plan;

/// Sizes and numbers of one call.
pub(super) struct Case {
    cell: Cell,
    width: usize,
    hidden: usize,
    offsets: Vec<u32>,
    inputs: Vec<f32>,
    scores: Option<Vec<f32>>,
    initial: Option<Vec<f32>>,
    input_weight: Vec<f32>,
    hidden_weight: Vec<f32>,
    input_bias: Vec<f32>,
    hidden_bias: Option<Vec<f32>>,
    gradient: Vec<f32>,
}

/// Of all operands.
#[derive(PartialEq)]
pub(super) struct Gradients<T> {
    inputs: Vec<T>,
    scores: Vec<T>,
    initial: Vec<T>,
    input_weight: Vec<T>,
    hidden_weight: Vec<T>,
    input_bias: Vec<T>,
    hidden_bias: Vec<T>,
}

impl<T> Gradients<T> {
    pub(super) fn named(&self) -> [(&'static str, &Vec<T>); 7] {
        [
            ("inputs", &self.inputs),
            ("scores", &self.scores),
            ("initial", &self.initial),
            ("input_weight", &self.input_weight),
            ("hidden_weight", &self.hidden_weight),
            ("input_bias", &self.input_bias),
            ("hidden_bias", &self.hidden_bias),
        ]
    }
}

/// Numbers from -1 to 1 that depend on the seed alone.
fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn doubles(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().map(|&number| f64::from(number)).collect()
}

/// `left` transposed times `right`, both with `rows` rows.
fn over_rows(left: &[f32], right: &[f32], rows: usize) -> Vec<f32> {
    let (height, width) = (left.len().checked_div(rows).unwrap_or(0), right.len().checked_div(rows).unwrap_or(0));
    let mut sums = vec![0.0; height * width];
    for row in 0..rows {
        for i in 0..height {
            for j in 0..width {
                sums[i * width + j] += left[row * height + i] * right[row * width + j];
            }
        }
    }
    sums
}

impl Case {
    /// `flags` say whether there are a state's bias and initial states.
    pub(super) fn new(
        cell: Cell,
        (width, hidden): (usize, usize),
        lengths: &[u32],
        flags: (bool, bool),
        seed: u64,
    ) -> Self {
        let mut offsets = vec![0];
        for length in lengths {
            offsets.push(offsets.last().unwrap() + length);
        }
        let (samples, events) = (lengths.len(), *offsets.last().unwrap() as usize);
        let rows = cell.gates() * hidden;
        let draw = |place: u64, count: usize| numbers(seed.wrapping_add(place << 32), count);
        let bound = 2.0 / (hidden as f32).sqrt();
        let scaled = |mut numbers: Vec<f32>| -> Vec<f32> {
            for number in &mut numbers {
                *number *= bound;
            }
            numbers
        };
        Self {
            cell,
            width,
            hidden,
            offsets,
            inputs: draw(1, events * width),
            scores: cell.takes_scores().then(|| draw(2, events).iter().map(|score| score.abs()).collect()),
            initial: flags.1.then(|| draw(3, samples * hidden)),
            input_weight: scaled(draw(4, rows * width)),
            hidden_weight: scaled(draw(5, rows * hidden)),
            input_bias: draw(6, rows),
            hidden_bias: flags.0.then(|| draw(7, rows)),
            gradient: draw(8, events * hidden),
        }
    }

    fn events(&self) -> usize {
        *self.offsets.last().unwrap() as usize
    }

    fn samples(&self) -> usize {
        self.offsets.len() - 1
    }

    /// States and gradients by `fain_kernels`, in double precision.
    pub(super) fn expected(&self) -> (Vec<f64>, Gradients<f64>) {
        let (cell, width, hidden) = (self.cell, self.width, self.hidden);
        let inputs = doubles(&self.inputs);
        let scores = self.scores.as_deref().map(doubles);
        let initial = self.initial.as_deref().map(doubles);
        let sequences = Sequences {
            offsets: &self.offsets,
            inputs: &inputs,
            scores: scores.as_deref(),
            initial: initial.as_deref(),
        };
        let (input, state) = (doubles(&self.input_weight), doubles(&self.hidden_weight));
        let (input_bias, state_bias) = (doubles(&self.input_bias), self.hidden_bias.as_deref().map(doubles));
        let weights = Weights {
            input: &input,
            hidden: &state,
            input_bias: Some(&input_bias),
            hidden_bias: state_bias.as_deref(),
        };
        let mut states = vec![0.0; self.events() * hidden];
        let mut saved = vec![0.0; self.events() * cell.saved_width(hidden)];
        recurrence_forward(cell, width, hidden, &sequences, &weights, &mut states, Some(&mut saved), &Serial).unwrap();
        let rows = cell.gates() * hidden;
        let mut gradients = Gradients {
            inputs: vec![0.0; inputs.len()],
            scores: vec![0.0; scores.as_ref().map_or(0, Vec::len)],
            initial: vec![0.0; self.samples() * hidden],
            input_weight: vec![0.0; rows * width],
            hidden_weight: vec![0.0; rows * hidden],
            input_bias: vec![0.0; rows],
            hidden_bias: vec![0.0; rows],
        };
        let mut buffers = fain_kernels::Gradients {
            inputs: Some(&mut gradients.inputs),
            scores: cell.takes_scores().then_some(&mut gradients.scores),
            initial: Some(&mut gradients.initial),
            input_weight: Some(&mut gradients.input_weight),
            hidden_weight: Some(&mut gradients.hidden_weight),
            input_bias: Some(&mut gradients.input_bias),
            hidden_bias: Some(&mut gradients.hidden_bias),
        };
        let gradient = doubles(&self.gradient);
        recurrence_backward(
            cell,
            width,
            hidden,
            &sequences,
            &weights,
            &states,
            &saved,
            StateGradient::Events(&gradient),
            &mut buffers,
            &Serial,
        )
        .unwrap();
        (states, gradients)
    }

    /// States and what is saved, by the emulated kernel. The buffers are full of NaN before: what stays unwritten shows.
    pub(super) fn states(&self, processor: &Processor, plan: Plan, backwards: bool) -> (Vec<f32>, Vec<f32>) {
        let (width, hidden, rows) = (self.width, self.hidden, self.cell.gates() * self.hidden);
        let offsets = self.long_offsets();
        let mut projected = Vec::with_capacity(self.events() * rows);
        for event in self.inputs.chunks_exact(width) {
            for (row, bias) in self.input_weight.chunks_exact(width).zip(&self.input_bias) {
                let product: f64 = row.iter().zip(event).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                projected.push((product + f64::from(*bias)) as f32);
            }
        }
        let transposed: Vec<f32> = (0..hidden)
            .flat_map(|k| (0..rows).map(move |row| (row, k)))
            .map(|(row, k)| self.hidden_weight[row * hidden + k])
            .collect();
        let mut states = vec![f32::NAN; self.events() * hidden];
        let mut saved = vec![f32::NAN; self.events() * self.cell.saved_width(hidden)];
        let arguments = Forward {
            offsets: address(&offsets),
            projected: address(&projected),
            weight: address(&transposed),
            bias: optional(self.hidden_bias.as_deref()),
            scores: optional(self.scores.as_deref()),
            initial: optional(self.initial.as_deref()),
            states: states.as_mut_ptr() as u64,
            saved: saved.as_mut_ptr() as u64,
            samples: self.samples() as i64,
        };
        // SAFETY: the addresses are those of the vectors above, of the lengths that the kernel uses.
        unsafe { processor.forward(&arguments, &plan, backwards) }.unwrap();
        (states, saved)
    }

    /// States and gradients by the emulated kernels, with the products that the caller adds to them.
    pub(super) fn run(&self, processor: &Processor, plans: [Plan; 2], backwards: bool) -> (Vec<f32>, Gradients<f32>) {
        let (states, saved) = self.states(processor, plans[0], backwards);
        let (hidden, rows) = (self.hidden, self.cell.gates() * self.hidden);
        let offsets = self.long_offsets();
        let room = |width: usize| vec![f32::NAN; self.events() * width];
        let (mut projected, mut state) = (room(rows), room(rows));
        let (mut previous, mut terms) = (room(hidden), room(hidden));
        let mut initial = vec![0.0_f32; self.samples() * hidden];
        let arguments = Backward {
            offsets: address(&offsets),
            weight: address(&self.hidden_weight),
            scores: optional(self.scores.as_deref()),
            initial: optional(self.initial.as_deref()),
            states: address(&states),
            saved: address(&saved),
            gradient: address(&self.gradient),
            projected_gradient: projected.as_mut_ptr() as u64,
            state_gradient: state.as_mut_ptr() as u64,
            previous: previous.as_mut_ptr() as u64,
            score_terms: terms.as_mut_ptr() as u64,
            initial_gradient: initial.as_mut_ptr() as u64,
            samples: self.samples() as i64,
        };
        // SAFETY: as for the forward pass.
        unsafe { processor.backward(&arguments, &plans[1], backwards) }.unwrap();
        let events = self.events();
        let ones = vec![1.0; events];
        let inputs = projected.chunks_exact(rows).flat_map(|row| over_rows(row, &self.input_weight, rows)).collect();
        let sums = |left: &[f32], right: &[f32], needed: usize| {
            let sums = over_rows(left, right, events);
            if events == 0 { vec![0.0; needed] } else { sums }
        };
        let gradients = Gradients {
            inputs,
            scores: if self.cell.takes_scores() {
                terms.chunks_exact(hidden).map(|row| row.iter().sum()).collect()
            } else {
                Vec::new()
            },
            initial,
            input_weight: sums(&projected, &self.inputs, rows * self.width),
            hidden_weight: sums(&state, &previous, rows * hidden),
            input_bias: sums(&projected, &ones, rows),
            hidden_bias: sums(&state, &ones, rows),
        };
        (states, gradients)
    }

    fn long_offsets(&self) -> Vec<i64> {
        self.offsets.iter().map(|&offset| i64::from(offset)).collect()
    }
}

fn address<T>(numbers: &[T]) -> u64 {
    numbers.as_ptr() as u64
}

fn optional(numbers: Option<&[f32]>) -> u64 {
    numbers.map_or(0, address)
}
