//! The network's weights, and what is laid out anew of them once per call.

use std::ops::Range;

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
    /// The first layer on its side, `[inputs, outputs]`: the columns of the state, and those of the event.
    pub(super) first: [Buffer<T>; 2],
    /// The same of each other layer.
    pub(super) turned: Vec<Buffer<T>>,
}

impl<'a, T: Scalar> Network<'a, T> {
    /// `scale` is what the gradient of each entry's loss is multiplied by, if gradients are wanted.
    pub(super) fn new(network: &PairNetwork<'a, T>, widths: [usize; 2], lanes: usize, scale: Option<T>) -> Self {
        let layers: Vec<_> = std::iter::once(network.first).chain(network.hidden.iter().copied()).collect();
        let back = scale.map(|scale| Back {
            scale,
            first: [turned(&layers[0], 0..widths[0]), turned(&layers[0], widths[0]..widths[0] + widths[1])],
            turned: network.hidden.iter().map(|layer| turned(layer, 0..inputs(layer))).collect(),
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

fn inputs<T>(layer: &DenseLayer<'_, T>) -> usize {
    layer.weight.len() / layer.bias.len()
}

/// Some columns of a layer's weight as rows.
fn turned<T: Scalar>(layer: &DenseLayer<'_, T>, columns: Range<usize>) -> Buffer<T> {
    let outputs = layer.bias.len();
    let mut turned = Buffer::zeros(columns.len() * outputs);
    for (row, weights) in layer.weight.chunks_exact(inputs(layer)).enumerate() {
        for (column, &weight) in weights[columns.clone()].iter().enumerate() {
            turned[column * outputs + row] = weight;
        }
    }
    turned
}
