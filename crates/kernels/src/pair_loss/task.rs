//! One task: its pairs, tile by tile, through all layers and back.

use super::network::{Back, Network};
use super::output::{Output, OutputBack};
use super::products::{Finish, Layer, Rows, Start, VECTORS, add_weight_gradient, input_gradient};
use super::sums::Sums;
use super::turn::{Group, ToRows, ToUnits};
use crate::level::{Level, Operation};
use crate::memory::Buffer;
use crate::scalar::Scalar;

/// The rows of a task.
pub(crate) struct PairTask<'a, T> {
    pub(super) count: usize,
    pub(super) states: &'a [T],
    /// Those that happened and those that did not.
    pub(super) events: [&'a [T]; 2],
    /// Where the gradients go.
    pub(super) by_states: Option<&'a mut [T]>,
    pub(super) by_events: [Option<&'a mut [T]>; 2],
}

/// Runs a task. `W` numbers make a vector; tiles of units have `R` rows, or fewer where fewer are left.
pub(crate) fn run<T: Scalar, L: Level, const W: usize, const R: usize>(
    level: L,
    network: &Network<'_, T>,
    mut task: PairTask<'_, T>,
) -> Sums<T> {
    let mut sums = Sums::new(network);
    let mut room = Room::new(network, VECTORS * W);
    let [of_state, of_event] = network.widths;
    for first in (0..task.count).step_by(VECTORS * W) {
        let count = (task.count - first).min(VECTORS * W);
        room.held[..count].fill(T::ONE);
        room.held[count..].fill(T::ZERO);
        let states = &task.states[first * of_state..][..count * of_state];
        room.take_states::<L, W, R>(level, network, states);
        for (kind, events) in task.events.iter().enumerate() {
            let events = &events[first * of_event..][..count * of_event];
            room.forward::<L, W, R>(level, network, events);
            room.output::<L, W>(level, network, kind == 0, &mut sums);
            if let (Some(back), Some(gradient)) = (&network.back, &mut task.by_events[kind]) {
                let gradient = &mut gradient[first * of_event..][..count * of_event];
                room.backward::<L, W, R>(level, network, back, events, gradient, &mut sums);
                level.run(Collect { numbers: &room.units[0], sums: &mut room.slopes, first: kind == 0 });
            }
        }
        if let (Some(back), Some(gradient)) = (&network.back, &mut task.by_states) {
            let gradient = &mut gradient[first * of_state..][..count * of_state];
            level.run(Group::<T, W> { input: states, width: of_state, rows: &mut room.rows });
            add_weight_gradient::<T, L, W, R>(
                level,
                &room.slopes,
                &room.rows,
                network.whole(of_state),
                &mut sums.first[0],
            );
            input_gradient::<T, L, W, R>(level, &room.slopes, &back.first[0], of_state, gradient);
        }
    }
    sums
}

/// One tile of pairs on its way. A row is a unit, a column a pair.
struct Room<T> {
    /// 1 for every pair that is there, then 0.
    held: Buffer<T>,
    /// A state or an event.
    input: Buffer<T>,
    /// The state's share of the first layer, with its bias.
    shared: Buffer<T>,
    /// Each hidden layer; on the way back the gradients of what the logistic function was taken of.
    units: Vec<Buffer<T>>,
    /// The sum of the first layer's gradients over both events.
    slopes: Buffer<T>,
    /// A layer's input, a row for each pair.
    rows: Buffer<T>,
}

impl<T: Scalar> Room<T> {
    fn new(network: &Network<'_, T>, pairs: usize) -> Self {
        let widest = |widths: &mut dyn Iterator<Item = usize>| widths.max().unwrap_or(0) * pairs;
        let layers = || 0..network.layers.len();
        Self {
            held: Buffer::zeros(pairs),
            input: Buffer::zeros(widest(&mut network.widths.into_iter())),
            shared: Buffer::zeros(network.hidden(0) * pairs),
            units: layers().map(|layer| Buffer::zeros(network.hidden(layer) * pairs)).collect(),
            slopes: Buffer::zeros(network.hidden(0) * pairs),
            rows: Buffer::zeros(widest(
                &mut network
                    .widths
                    .into_iter()
                    .chain(layers().map(|layer| network.hidden(layer)))
                    .map(|width| network.whole(width)),
            )),
        }
    }

    fn take_states<L: Level, const W: usize, const R: usize>(
        &mut self,
        level: L,
        network: &Network<'_, T>,
        states: &[T],
    ) {
        let (width, inputs) = (network.widths[0], network.widths.iter().sum());
        let input = &mut self.input[..width * VECTORS * W];
        level.run(ToUnits::<T, W> { rows: states, width, units: input });
        let layer = &network.layers[0];
        let weight = Rows { numbers: layer.weight, stride: inputs };
        let (start, output) = (Start::Bias(layer.bias), &mut *self.shared);
        Layer { weight, input, start, finish: Finish::Keep, output }.run::<L, W, R>(level);
    }

    fn forward<L: Level, const W: usize, const R: usize>(&mut self, level: L, network: &Network<'_, T>, events: &[T]) {
        let [of_state, width] = network.widths;
        let input = &mut self.input[..width * VECTORS * W];
        level.run(ToUnits::<T, W> { rows: events, width, units: input });
        let weight = Rows { numbers: &network.layers[0].weight[of_state..], stride: of_state + width };
        let (start, output) = (Start::Units(&self.shared), &mut *self.units[0]);
        Layer { weight, input, start, finish: Finish::Sigmoid, output }.run::<L, W, R>(level);
        for (index, layer) in network.layers.iter().enumerate().skip(1) {
            let (before, after) = self.units.split_at_mut(index);
            let (input, output) = (&*before[index - 1], &mut *after[0]);
            let weight = Rows { numbers: layer.weight, stride: network.hidden(index - 1) };
            let start = Start::Bias(layer.bias);
            Layer { weight, input, start, finish: Finish::Sigmoid, output }.run::<L, W, R>(level);
        }
    }

    fn output<L: Level, const W: usize>(
        &mut self,
        level: L,
        network: &Network<'_, T>,
        happened: bool,
        sums: &mut Sums<T>,
    ) {
        let top = self.units.len() - 1;
        let back = network.back.is_some().then(|| OutputBack {
            scale: network.scale,
            weight: &mut sums.last,
            bias: &mut sums.last_bias,
            before: &mut sums.biases[top],
        });
        level.run(Output::<T, W> {
            weight: network.last.weight,
            bias: network.last.bias[0],
            happened,
            held: &self.held,
            loss: &mut sums.loss,
            units: &mut self.units[top],
            back,
        });
    }

    /// From the gradients of the last hidden layer to those of the events, adding those of the weights on the way.
    fn backward<L: Level, const W: usize, const R: usize>(
        &mut self,
        level: L,
        network: &Network<'_, T>,
        back: &Back<T>,
        events: &[T],
        gradient: &mut [T],
        sums: &mut Sums<T>,
    ) {
        for index in (1..self.units.len()).rev() {
            let (before, after) = self.units.split_at_mut(index);
            let (input, slopes) = (&mut *before[index - 1], &*after[0]);
            level.run(ToRows::<T, W> { units: input, rows: &mut self.rows });
            let columns = network.whole(network.hidden(index - 1));
            add_weight_gradient::<T, L, W, R>(level, slopes, &self.rows, columns, &mut sums.hidden[index - 1]);
            let weight = Rows { numbers: &back.turned[index - 1], stride: network.hidden(index) };
            let finish = Finish::Slope(&mut sums.biases[index - 1]);
            Layer { weight, input: slopes, start: Start::Zeros, finish, output: input }.run::<L, W, R>(level);
        }
        let width = network.widths[1];
        level.run(Group::<T, W> { input: events, width, rows: &mut self.rows });
        add_weight_gradient::<T, L, W, R>(level, &self.units[0], &self.rows, network.whole(width), &mut sums.first[1]);
        input_gradient::<T, L, W, R>(level, &self.units[0], &back.first[1], width, gradient);
    }
}

/// Adds numbers to sums, which start with the first ones.
struct Collect<'a, T> {
    numbers: &'a [T],
    sums: &'a mut [T],
    first: bool,
}

impl<T: Scalar> Operation for Collect<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        if self.first {
            self.sums.copy_from_slice(self.numbers);
        } else {
            for (sum, &number) in self.sums.iter_mut().zip(self.numbers) {
                *sum += number;
            }
        }
    }
}
