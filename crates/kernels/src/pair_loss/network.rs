//! The network's weights, and what is laid out anew of them once per call.

use super::{DenseLayer, PairNetwork};
use crate::memory::Buffer;
use crate::scalar::Scalar;

/// What all tasks read.
pub(crate) struct Network<'a, T> {
    /// Of the state and of an event.
    pub(super) widths: [usize; 2],
    /// The first layer and those between.
    pub(super) layers: Vec<DenseLayer<'a, T>>,
    pub(super) last: DenseLayer<'a, T>,
    /// Numbers of a vector.
    pub(super) lanes: usize,
    /// For the backward pass, if it is wanted.
    pub(super) back: Option<Back<T>>,
}

/// The weights as the backward pass reads them.
pub(super) struct Back<T> {
    /// What the gradient of each entry's loss is multiplied by.
    pub(super) scale: T,
    /// The first layer's columns of the state, and those of the event: rows of whole vectors.
    pub(super) first: [Buffer<T>; 2],
    /// The other layers on their side, `[inputs, outputs]`, for each layer but the first.
    pub(super) turned: Vec<Buffer<T>>,
}

impl<'a, T: Scalar> Network<'a, T> {
    /// `scale` is what the gradient of each entry's loss is multiplied by, if gradients are wanted.
    pub(super) fn new(network: &PairNetwork<'a, T>, widths: [usize; 2], lanes: usize, scale: Option<T>) -> Self {
        let layers: Vec<_> = std::iter::once(network.first).chain(network.hidden.iter().copied()).collect();
        let back = scale.map(|scale| Back {
            scale,
            first: [columns(&layers[0], 0, widths[0], lanes), columns(&layers[0], widths[0], widths[1], lanes)],
            turned: network.hidden.iter().map(turned).collect(),
        });
        Self { widths, layers, last: network.last, lanes, back }
    }

    /// The width of hidden layer `layer`.
    pub(super) fn hidden(&self, layer: usize) -> usize {
        self.layers[layer].bias.len()
    }

    /// `width` numbers in whole vectors.
    pub(super) fn whole(&self, width: usize) -> usize {
        width.next_multiple_of(self.lanes)
    }
}

/// Some columns of a layer's weight, each row filled up with zeros to whole vectors.
fn columns<T: Scalar>(layer: &DenseLayer<'_, T>, first: usize, width: usize, lanes: usize) -> Buffer<T> {
    let (rows, stride) = (layer.bias.len(), width.next_multiple_of(lanes));
    let inputs = layer.weight.len() / rows;
    let mut columns = Buffer::zeros(rows * stride);
    for (row, weights) in columns.chunks_exact_mut(stride).zip(layer.weight.chunks_exact(inputs)) {
        row[..width].copy_from_slice(&weights[first..][..width]);
    }
    columns
}

fn turned<T: Scalar>(layer: &DenseLayer<'_, T>) -> Buffer<T> {
    let outputs = layer.bias.len();
    let inputs = layer.weight.len() / outputs;
    let mut turned = Buffer::zeros(layer.weight.len());
    for (row, weights) in layer.weight.chunks_exact(inputs).enumerate() {
        for (column, &weight) in weights.iter().enumerate() {
            turned[column * outputs + row] = weight;
        }
    }
    turned
}
