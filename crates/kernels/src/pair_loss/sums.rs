//! The loss and the gradients of the weights, which are sums over all pairs.

use super::DenseLayerGradients;
use super::network::Network;
use crate::memory::Buffer;
use crate::scalar::Scalar;

/// One task's part.
pub(crate) struct Sums<T> {
    lanes: usize,
    /// A vector.
    pub(super) loss: Buffer<T>,
    /// The first layer's weights of the state and of the event, rows of whole vectors.
    pub(super) first: [Buffer<T>; 2],
    /// The weights of every other hidden layer, rows of whole vectors.
    pub(super) hidden: Vec<Buffer<T>>,
    /// A vector for each unit, of every hidden layer.
    pub(super) biases: Vec<Buffer<T>>,
    /// A vector for each weight of the last layer.
    pub(super) last: Buffer<T>,
    /// A vector.
    pub(super) last_bias: Buffer<T>,
}

impl<T: Scalar> Sums<T> {
    pub(crate) fn new(network: &Network<'_, T>) -> Self {
        let lanes = network.lanes;
        let layers = network.layers.len();
        let weights = |layer: usize, width: usize| Buffer::zeros(network.hidden(layer) * network.whole(width));
        Self {
            lanes,
            loss: Buffer::zeros(lanes),
            first: network.widths.map(|width| weights(0, width)),
            hidden: (1..layers).map(|layer| weights(layer, network.hidden(layer - 1))).collect(),
            biases: (0..layers).map(|layer| Buffer::zeros(network.hidden(layer) * lanes)).collect(),
            last: Buffer::zeros(network.hidden(layers - 1) * lanes),
            last_bias: Buffer::zeros(lanes),
        }
    }

    /// Adds another task's part.
    pub(crate) fn merge(&mut self, other: &Self) {
        let mine = self.first.iter_mut().chain(&mut self.hidden).chain(&mut self.biases);
        let mine = mine.chain([&mut self.loss, &mut self.last, &mut self.last_bias]);
        let theirs = other.first.iter().chain(&other.hidden).chain(&other.biases);
        let theirs = theirs.chain([&other.loss, &other.last, &other.last_bias]);
        for (mine, theirs) in mine.zip(theirs) {
            for (mine, &theirs) in mine.iter_mut().zip(theirs.iter()) {
                *mine += theirs;
            }
        }
    }

    /// The sum of all losses.
    pub(super) fn loss(&self) -> T {
        total(&self.loss)
    }

    /// Writes the gradients of the layers.
    pub(super) fn write(&self, network: &Network<'_, T>, gradients: &mut [DenseLayerGradients<'_, T>]) {
        let [of_state, of_event] = network.widths;
        let Some((first, rest)) = gradients.split_first_mut() else { return };
        for (row, weights) in first.weight.chunks_exact_mut(of_state + of_event).enumerate() {
            let (state, event) = weights.split_at_mut(of_state);
            state.copy_from_slice(&self.first[0][row * network.whole(of_state)..][..of_state]);
            event.copy_from_slice(&self.first[1][row * network.whole(of_event)..][..of_event]);
        }
        self.totals(&self.biases[0], first.bias);
        for (layer, gradients) in (1..network.layers.len()).zip(rest.iter_mut()) {
            let width = network.hidden(layer - 1);
            let rows = self.hidden[layer - 1].chunks_exact(network.whole(width));
            for (weights, sums) in gradients.weight.chunks_exact_mut(width).zip(rows) {
                weights.copy_from_slice(&sums[..width]);
            }
            self.totals(&self.biases[layer], gradients.bias);
        }
        if let Some(last) = rest.last_mut() {
            self.totals(&self.last, last.weight);
            self.totals(&self.last_bias, last.bias);
        }
    }

    fn totals(&self, vectors: &[T], numbers: &mut [T]) {
        for (number, vector) in numbers.iter_mut().zip(vectors.chunks_exact(self.lanes)) {
            *number = total(vector);
        }
    }
}

fn total<T: Scalar>(vector: &[T]) -> T {
    let mut sum = T::ZERO;
    for &number in vector {
        sum += number;
    }
    sum
}
