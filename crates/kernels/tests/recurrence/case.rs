//! A batch of numbers for the kernels, and its way through them.

use fain_kernels::{
    AugruGate, Cell, Gradients, InstructionSet, KernelError, Pool, Real, Sequences, StateGradient, Weights,
    recurrence_backward_with, recurrence_forward_with,
};
use proptest::prelude::*;

use crate::naive::Data;

pub(crate) const CELLS: [Cell; 4] =
    [Cell::Gru, Cell::Agru, Cell::Augru(AugruGate::Paper), Cell::Augru(AugruGate::Official)];

/// Numbers from -1 to 1 that depend on the seed alone.
pub(crate) fn numbers(seed: u64, count: usize) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Sizes and numbers of one call.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) cell: Cell,
    pub(crate) width: usize,
    pub(crate) hidden: usize,
    pub(crate) offsets: Vec<u32>,
    pub(crate) biases: bool,
    pub(crate) initial: bool,
    /// Zeros where `biases` or `initial` is false, or the cell takes no scores.
    pub(crate) data: Data<f64>,
    /// The gradient of the states.
    pub(crate) gradient: Vec<f64>,
    /// Whether only its rows of last states are given to the backward pass.
    pub(crate) last: bool,
}

/// What both passes write.
pub(crate) struct Results<T> {
    pub(crate) states: Vec<T>,
    pub(crate) saved: Vec<T>,
    pub(crate) gradients: Data<T>,
}

impl Case {
    pub(crate) fn new(
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
        let (biases, initial) = flags;
        let (samples, events) = (lengths.len(), *offsets.last().unwrap() as usize);
        let rows = cell.gates() * hidden;
        let draw = |index: u64, count: usize, scale: f64| -> Vec<f64> {
            numbers(seed.wrapping_add(index << 32), count).iter().map(|number| number * scale).collect()
        };
        let scale = |present: bool| if present { 1.0 } else { 0.0 };
        let bound = 2.0 / (hidden as f64).sqrt();
        let data = Data {
            inputs: draw(1, events * width, 1.0),
            scores: draw(2, events, scale(cell.takes_scores())).iter().map(|score| score.abs()).collect(),
            initial: draw(3, samples * hidden, scale(initial)),
            input_weight: draw(4, rows * width, bound),
            hidden_weight: draw(5, rows * hidden, bound),
            input_bias: draw(6, rows, scale(biases)),
            hidden_bias: draw(7, rows, scale(biases)),
        };
        let gradient = draw(8, events * hidden, 1.0);
        Self { cell, width, hidden, offsets, biases, initial, data, gradient, last: false }
    }

    /// The row of each sample's last event, where it has one.
    pub(crate) fn last_rows(&self) -> impl Iterator<Item = Option<usize>> {
        self.offsets.windows(2).map(|pair| (pair[1] > pair[0]).then(|| pair[1] as usize - 1))
    }

    pub(crate) fn events(&self) -> usize {
        *self.offsets.last().unwrap() as usize
    }

    /// Runs both passes with one instruction set.
    pub(crate) fn run<T: Number>(&self, set: InstructionSet, pool: &dyn Pool) -> Result<Results<T>, KernelError> {
        self.run_for([set, set], [true; 7], pool)
    }

    /// Runs the forward pass with one instruction set and the backward pass with another, for the gradients that are
    /// wanted. The buffers are full of NaN before: what stays unwritten shows.
    pub(crate) fn run_for<T: Number>(
        &self,
        sets: [InstructionSet; 2],
        wanted: [bool; 7],
        pool: &dyn Pool,
    ) -> Result<Results<T>, KernelError> {
        let data = self.data.map(|_, _, &number| T::from_double(number));
        let sequences = Sequences {
            offsets: &self.offsets,
            inputs: &data.inputs,
            scores: self.cell.takes_scores().then_some(&data.scores),
            initial: self.initial.then_some(&data.initial),
        };
        let weights = Weights {
            input: &data.input_weight,
            hidden: &data.hidden_weight,
            input_bias: self.biases.then_some(&data.input_bias),
            hidden_bias: self.biases.then_some(&data.hidden_bias),
        };
        let (cell, width, hidden) = (self.cell, self.width, self.hidden);
        let nan = T::from_double(f64::NAN);
        let mut states = vec![nan; self.events() * hidden];
        let mut saved = vec![nan; self.events() * cell.saved_width(hidden)];
        let room = Some(&mut saved[..]);
        recurrence_forward_with(sets[0], cell, width, hidden, &sequences, &weights, &mut states, room, pool)?;
        let gradient: Vec<T> = self.gradient.iter().map(|&number| T::from_double(number)).collect();
        let last: Vec<T> = self
            .last_rows()
            .flat_map(|row| (0..hidden).map(move |unit| row.map(|row| row * hidden + unit)))
            .map(|place| place.map_or(nan, |place| gradient[place]))
            .collect();
        let gradient = if self.last { StateGradient::Last(&last) } else { StateGradient::Events(&gradient) };
        let mut gradients = data.map(|_, _, _| nan);
        if !cell.takes_scores() {
            gradients.scores.fill(T::from_double(0.0));
        }
        let mut buffers = Gradients {
            inputs: wanted[0].then_some(&mut gradients.inputs),
            scores: (wanted[1] && cell.takes_scores()).then_some(&mut gradients.scores),
            initial: wanted[2].then_some(&mut gradients.initial),
            input_weight: wanted[3].then_some(&mut gradients.input_weight),
            hidden_weight: wanted[4].then_some(&mut gradients.hidden_weight),
            input_bias: wanted[5].then_some(&mut gradients.input_bias),
            hidden_bias: wanted[6].then_some(&mut gradients.hidden_bias),
        };
        recurrence_backward_with(
            sets[1],
            cell,
            width,
            hidden,
            &sequences,
            &weights,
            &states,
            &saved,
            gradient,
            &mut buffers,
            pool,
        )?;
        Ok(Results { states, saved, gradients })
    }
}

/// An element type of the tests.
pub(crate) trait Number: Real + Copy + std::fmt::Debug {
    fn from_double(number: f64) -> Self;
    fn double(self) -> f64;
}

impl Number for f32 {
    fn from_double(number: f64) -> Self {
        number as f32
    }

    fn double(self) -> f64 {
        f64::from(self)
    }
}

impl Number for f64 {
    fn from_double(number: f64) -> Self {
        number
    }

    fn double(self) -> f64 {
        self
    }
}

/// The instruction sets of this machine.
pub(crate) fn sets() -> Vec<InstructionSet> {
    InstructionSet::ALL.into_iter().filter(|set| set.is_available()).collect()
}

pub(crate) fn cases() -> impl Strategy<Value = Case> {
    (
        prop::sample::select(&CELLS[..]),
        (1usize..40, 1usize..40),
        prop::collection::vec(0u32..20, 1..40),
        (any::<bool>(), any::<bool>()),
        any::<u64>(),
    )
        .prop_map(|(cell, sizes, lengths, flags, seed)| Case::new(cell, sizes, &lengths, flags, seed))
}

/// Threads of the standard library that take the tasks from the last to the first.
pub(crate) struct Threads(pub(crate) usize);

impl Pool for Threads {
    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        let left = std::sync::Mutex::new(tasks);
        std::thread::scope(|scope| {
            for _ in 0..self.0 {
                scope.spawn(|| {
                    loop {
                        let mut left = left.lock().unwrap();
                        if *left == 0 {
                            break;
                        }
                        *left -= 1;
                        let index = *left;
                        drop(left);
                        task(index);
                    }
                });
            }
        });
    }
}
