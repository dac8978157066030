//! The recurrences as their formulas say, number by number, in double precision. With [`Dual`] numbers the same loops
//! give exact derivatives along a direction.

use std::ops::{Add, Div, Mul, Sub};

use fain_kernels::{AugruGate, Cell};

/// A number the formulas can be computed with.
pub(crate) trait Number:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// A constant.
    fn constant(value: f64) -> Self;
    /// e to this power.
    fn exp(self) -> Self;
    /// The hyperbolic tangent.
    fn tanh(self) -> Self;
}

impl Number for f64 {
    fn constant(value: f64) -> Self {
        value
    }

    fn exp(self) -> Self {
        f64::exp(self)
    }

    fn tanh(self) -> Self {
        f64::tanh(self)
    }
}

/// A value and its derivative along a direction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dual {
    pub(crate) value: f64,
    pub(crate) slope: f64,
}

impl Add for Dual {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { value: self.value + other.value, slope: self.slope + other.slope }
    }
}

impl Sub for Dual {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self { value: self.value - other.value, slope: self.slope - other.slope }
    }
}

impl Mul for Dual {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self { value: self.value * other.value, slope: self.slope * other.value + self.value * other.slope }
    }
}

impl Div for Dual {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        Self { value, slope: (self.slope - value * other.slope) / other.value }
    }
}

impl Number for Dual {
    fn constant(value: f64) -> Self {
        Self { value, slope: 0.0 }
    }

    fn exp(self) -> Self {
        let value = self.value.exp();
        Self { value, slope: value * self.slope }
    }

    fn tanh(self) -> Self {
        let value = self.value.tanh();
        Self { value, slope: (1.0 - value * value) * self.slope }
    }
}

/// All that a recurrence reads; what is optional is filled with zeros.
#[derive(Clone, Debug)]
pub(crate) struct Data<N> {
    pub(crate) inputs: Vec<N>,
    pub(crate) scores: Vec<N>,
    pub(crate) initial: Vec<N>,
    pub(crate) input_weight: Vec<N>,
    pub(crate) hidden_weight: Vec<N>,
    pub(crate) input_bias: Vec<N>,
    pub(crate) hidden_bias: Vec<N>,
}

impl<N> Data<N> {
    /// The buffers, by name.
    pub(crate) fn buffers(&self) -> [(&'static str, &Vec<N>); 7] {
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

    /// The same with every number replaced; the function is told the buffer's place, the number's place and the number.
    pub(crate) fn map<M>(&self, mut function: impl FnMut(usize, usize, &N) -> M) -> Data<M> {
        let mut buffers = self.buffers().into_iter().enumerate().map(|(place, (_, buffer))| {
            buffer.iter().enumerate().map(|(index, number)| function(place, index, number)).collect()
        });
        let mut next = || buffers.next().unwrap();
        Data {
            inputs: next(),
            scores: next(),
            initial: next(),
            input_weight: next(),
            hidden_weight: next(),
            input_bias: next(),
            hidden_bias: next(),
        }
    }
}

/// The states after every event, `[N, H]`.
pub(crate) fn states<N: Number>(cell: Cell, width: usize, hidden: usize, offsets: &[u32], data: &Data<N>) -> Vec<N> {
    let one = N::constant(1.0);
    let sigmoid = |x: N| one / (one + (N::constant(0.0) - x).exp());
    let mut states = Vec::new();
    for (sample, bounds) in offsets.windows(2).enumerate() {
        let mut old = data.initial[sample * hidden..(sample + 1) * hidden].to_vec();
        for event in bounds[0] as usize..bounds[1] as usize {
            let from_input = |gate: usize, unit: usize| {
                let row = gate * hidden + unit;
                (0..width).fold(data.input_bias[row], |sum, k| {
                    sum + data.input_weight[row * width + k] * data.inputs[event * width + k]
                })
            };
            let from_state = |gate: usize, unit: usize| {
                let row = gate * hidden + unit;
                (0..hidden).fold(data.hidden_bias[row], |sum, k| sum + data.hidden_weight[row * hidden + k] * old[k])
            };
            let gate = |gate: usize, unit: usize| sigmoid(from_input(gate, unit) + from_state(gate, unit));
            let candidate = |reset: usize, stacked: usize, unit: usize| {
                (from_input(stacked, unit) + gate(reset, unit) * from_state(stacked, unit)).tanh()
            };
            let score = data.scores[event];
            let new: Vec<N> = (0..hidden)
                .map(|unit| {
                    let before = old[unit];
                    match cell {
                        Cell::Gru => {
                            let (z, n) = (gate(1, unit), candidate(0, 2, unit));
                            (one - z) * n + z * before
                        }
                        Cell::Agru => (one - score) * before + score * candidate(0, 1, unit),
                        Cell::Augru(AugruGate::Paper) => {
                            let (update, n) = (score * gate(0, unit), candidate(1, 2, unit));
                            (one - update) * before + update * n
                        }
                        Cell::Augru(AugruGate::Official) => {
                            let (update, n) = ((one - score) * gate(0, unit), candidate(1, 2, unit));
                            update * before + (one - update) * n
                        }
                    }
                })
                .collect();
            states.extend_from_slice(&new);
            old = new;
        }
    }
    states
}
