//! One task: its pairs, tile by tile, through all layers and back.

use super::layer::{Bias, Layer, Plain, Rows, Sigmoids, Slopes, Units};
use super::network::{Back, Network};
use super::output::{Output, OutputBack};
use super::products::{VECTORS, add_weight_gradient};
use super::rows::{PairTask, Picked, Slots};
use super::sums::Sums;
use super::turn::{InGroups, to_rows, to_slots, to_units};
use crate::level::{Level, Operation};
use crate::memory::Buffer;
use crate::scalar::Scalar;

/// Runs a task. `W` numbers make a vector; tiles of units have `R` rows, or fewer where fewer are left, and `S` rows where
/// a row is one vector.
pub(crate) fn run<T: Scalar, L: Level, const W: usize, const R: usize, const S: usize>(
    level: L,
    network: &Network<'_, T>,
    mut task: PairTask<'_, T>,
) -> Sums<T> {
    let mut sums = Sums::new(network);
    let mut room = Room::new(network, VECTORS * W);
    for rows in task.rows.chunks(VECTORS * W) {
        room.held[..rows.len()].fill(T::ONE);
        room.held[rows.len()..].fill(T::ZERO);
        let states = task.states.pick(rows);
        room.take_states::<L, W, R>(level, network, &states);
        for (kind, side) in task.events.iter_mut().enumerate() {
            let events = side.pick(rows);
            room.forward::<L, W, R>(level, network, &events);
            room.output::<L, W>(level, network, kind == 0, &mut sums);
            if let (Some(back), Some(mut slots)) = (&network.back, side.take(rows)) {
                room.backward::<L, W, R, S>(level, network, back, &events, &mut slots, &mut sums);
                level.run(Collect { numbers: &room.units[0], sums: &mut room.slopes, first: kind == 0 });
            }
        }
        if let (Some(back), Some(mut slots)) = (&network.back, task.states.take(rows)) {
            level.run(InGroups::<T, W> { tile: &states, rows: &mut room.rows });
            let columns = network.whole(states.width);
            add_weight_gradient::<T, L, W, R, S>(level, &room.slopes, &room.rows, columns, &mut sums.first[0]);
            let Room { slopes, input, rows, .. } = &mut room;
            input_gradient::<T, L, W, R>(level, slopes, &back.first[0], (input, rows), &mut slots);
        }
    }
    for side in task.events.iter_mut().chain([&mut task.states]) {
        side.finish();
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
        states: &Picked<'_, T>,
    ) {
        let inputs = network.widths.iter().sum();
        let input = &mut self.input[..states.width * VECTORS * W];
        to_units::<T, L, W>(level, states, input);
        let layer = &network.layers[0];
        let weight = Rows { numbers: layer.weight, stride: inputs };
        Layer { weight, input, frame: Bias(layer.bias), output: &mut self.shared }.run::<L, W, R>(level);
    }

    fn forward<L: Level, const W: usize, const R: usize>(
        &mut self,
        level: L,
        network: &Network<'_, T>,
        events: &Picked<'_, T>,
    ) {
        let [of_state, width] = network.widths;
        let input = &mut self.input[..width * VECTORS * W];
        to_units::<T, L, W>(level, events, input);
        let weight = Rows { numbers: &network.layers[0].weight[of_state..], stride: of_state + width };
        Layer { weight, input, frame: Units(&self.shared), output: &mut self.units[0] }.run::<L, W, R>(level);
        level.run(Sigmoids::<T, W>(&mut self.units[0]));
        for (index, layer) in network.layers.iter().enumerate().skip(1) {
            let (before, after) = self.units.split_at_mut(index);
            let (input, output) = (&*before[index - 1], &mut *after[0]);
            let weight = Rows { numbers: layer.weight, stride: network.hidden(index - 1) };
            Layer { weight, input, frame: Bias(layer.bias), output: &mut *output }.run::<L, W, R>(level);
            level.run(Sigmoids::<T, W>(output));
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
        let back = network.back.as_ref().map(|back| OutputBack {
            scale: back.scale,
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
    fn backward<L: Level, const W: usize, const R: usize, const S: usize>(
        &mut self,
        level: L,
        network: &Network<'_, T>,
        back: &Back<T>,
        events: &Picked<'_, T>,
        slots: &mut Slots<'_, T>,
        sums: &mut Sums<T>,
    ) {
        for index in (1..self.units.len()).rev() {
            let (before, after) = self.units.split_at_mut(index);
            let (input, slopes) = (&mut *before[index - 1], &*after[0]);
            to_rows::<T, L, W>(level, input, &mut self.rows);
            let columns = network.whole(network.hidden(index - 1));
            add_weight_gradient::<T, L, W, R, S>(level, slopes, &self.rows, columns, &mut sums.hidden[index - 1]);
            let weight = Rows { numbers: &back.turned[index - 1], stride: network.hidden(index) };
            let frame = Slopes(&mut sums.biases[index - 1]);
            Layer { weight, input: slopes, frame, output: input }.run::<L, W, R>(level);
        }
        level.run(InGroups::<T, W> { tile: events, rows: &mut self.rows });
        let columns = network.whole(events.width);
        add_weight_gradient::<T, L, W, R, S>(level, &self.units[0], &self.rows, columns, &mut sums.first[1]);
        let Self { units, input, rows, .. } = self;
        input_gradient::<T, L, W, R>(level, &units[0], &back.first[1], (input, rows), slots);
    }
}

/// The gradients of a tile's states or events, from those of the first layer's units. `weight` is on its side, and what
/// was in the room is overwritten.
fn input_gradient<T: Scalar, L: Level, const W: usize, const R: usize>(
    level: L,
    slopes: &[T],
    weight: &[T],
    (units, rows): (&mut [T], &mut [T]),
    slots: &mut Slots<'_, T>,
) {
    let units = &mut units[..slots.width * VECTORS * W];
    let weight = Rows { numbers: weight, stride: slopes.len() / (VECTORS * W) };
    Layer { weight, input: slopes, frame: Plain, output: &mut *units }.run::<L, W, R>(level);
    to_slots::<T, L, W>(level, units, rows, slots);
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
    fn run<L: Level>(self, _: L) {
        if self.first {
            self.sums.copy_from_slice(self.numbers);
        } else {
            for (sum, &number) in self.sums.iter_mut().zip(self.numbers) {
                *sum += number;
            }
        }
    }
}
