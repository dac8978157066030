//! Weights laid out in the order in which the products read them, once per call.

use std::ops::Range;

use crate::cell::Gate;
use crate::memory::{Buffer, vector_start};
use crate::problem::Problem;
use crate::scalar::Scalar;

/// Columns of a matrix as vectors, in groups of one to three that a product handles at once.
pub(crate) struct Group {
    /// The first vector of the group.
    pub(crate) first: usize,
    /// How many vectors it has.
    pub(crate) vectors: usize,
}

/// Cuts vectors into groups: threes, and twos where a one would be left.
pub(crate) fn groups(vectors: usize) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut first = 0;
    while first < vectors {
        let left = vectors - first;
        let taken = if left == 4 { 2 } else { left.min(3) };
        groups.push(Group { first, vectors: taken });
        first += taken;
    }
    groups
}

/// The weights for the forward pass: for every vector of hidden units, the rows of all its gates side by side.
pub(crate) struct ForwardPanels<T> {
    gates: usize,
    lanes: usize,
    width: usize,
    hidden: usize,
    input_weight: Buffer<T>,
    hidden_weight: Buffer<T>,
    bias: Buffer<T>,
    candidate_bias: Buffer<T>,
}

impl<T: Scalar> ForwardPanels<T> {
    pub(crate) fn new(problem: &Problem<'_, T>, lanes: usize) -> Self {
        let (width, hidden) = (problem.width, problem.hidden);
        let weights = &problem.weights;
        let order = problem.cell.state_order();
        let (gates, vectors) = (order.len(), hidden.div_ceil(lanes));
        let mut panels = Self {
            gates,
            lanes,
            width,
            hidden,
            input_weight: Buffer::zeros(vectors * width * gates * lanes),
            hidden_weight: Buffer::zeros(vectors * hidden * gates * lanes),
            bias: Buffer::zeros(vectors * gates * lanes),
            candidate_bias: Buffer::zeros(vectors * lanes),
        };
        for vector in 0..vectors {
            let start = vector_start(vector, lanes, hidden);
            for (place, &gate) in order.iter().enumerate() {
                for lane in 0..lanes.min(hidden) {
                    let row = problem.cell.position(gate) * hidden + start + lane;
                    let at = |depth: usize, k: usize| ((vector * depth + k) * gates + place) * lanes + lane;
                    for k in 0..width {
                        panels.input_weight[at(width, k)] = weights.input[row * width + k];
                    }
                    for k in 0..hidden {
                        panels.hidden_weight[at(hidden, k)] = weights.hidden[row * hidden + k];
                    }
                    let input = weights.input_bias.map_or(T::ZERO, |bias| bias[row]);
                    let state = weights.hidden_bias.map_or(T::ZERO, |bias| bias[row]);
                    if gate == Gate::Candidate {
                        panels.bias[at(1, 0)] = input;
                        panels.candidate_bias[vector * lanes + lane] = state;
                    } else {
                        panels.bias[at(1, 0)] = input + state;
                    }
                }
            }
        }
        panels
    }

    /// The number of vectors of hidden units.
    #[inline(always)]
    pub(crate) fn vectors(&self) -> usize {
        self.hidden.div_ceil(self.lanes)
    }

    /// The input's weights of one vector of units, for every column of the input the gates' vectors.
    #[inline(always)]
    pub(crate) fn input_weight(&self, vector: usize) -> &[T] {
        &self.input_weight[block(vector, self.width * self.gates * self.lanes)]
    }

    /// The state's weights of one vector of units, for every hidden unit the gates' vectors.
    #[inline(always)]
    pub(crate) fn hidden_weight(&self, vector: usize) -> &[T] {
        &self.hidden_weight[block(vector, self.hidden * self.gates * self.lanes)]
    }

    /// The gates' vectors of biases. The candidate's is the input's alone.
    #[inline(always)]
    pub(crate) fn bias(&self, vector: usize) -> &[T] {
        &self.bias[block(vector, self.gates * self.lanes)]
    }

    /// The state's bias of the candidate, which the reset gate scales.
    #[inline(always)]
    pub(crate) fn candidate_bias(&self, vector: usize) -> &[T] {
        &self.candidate_bias[block(vector, self.lanes)]
    }
}

#[inline(always)]
fn block(index: usize, size: usize) -> Range<usize> {
    index * size..(index + 1) * size
}

/// One stack of weights for the backward pass: a product with it takes gradients of gates to gradients of the columns.
pub(crate) struct BackwardPanels<T> {
    lanes: usize,
    depth: usize,
    columns: usize,
    groups: Vec<Group>,
    weight: Buffer<T>,
}

impl<T: Scalar> BackwardPanels<T> {
    /// `weight` is `[G·H, columns]`; its gates are put into the order `gates`.
    pub(crate) fn new(problem: &Problem<'_, T>, weight: &[T], columns: usize, gates: &[Gate], lanes: usize) -> Self {
        let hidden = problem.hidden;
        let depth = problem.cell.gates() * hidden;
        let vectors = columns.div_ceil(lanes);
        let mut panels =
            Self { lanes, depth, columns, groups: groups(vectors), weight: Buffer::zeros(vectors * depth * lanes) };
        let mut position = 0;
        for group in &panels.groups {
            for &gate in gates {
                for unit in 0..hidden {
                    let row = (problem.cell.position(gate) * hidden + unit) * columns;
                    for vector in group.first..group.first + group.vectors {
                        let start = vector_start(vector, lanes, columns);
                        let count = lanes.min(columns);
                        panels.weight[position..position + count].copy_from_slice(&weight[row + start..][..count]);
                        position += lanes;
                    }
                }
            }
        }
        panels
    }

    #[inline(always)]
    pub(crate) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The weights of one group, for every gate and unit the group's vectors.
    #[inline(always)]
    pub(crate) fn group(&self, group: &Group) -> &[T] {
        let start = group.first * self.depth * self.lanes;
        &self.weight[start..start + group.vectors * self.depth * self.lanes]
    }

    /// Where a vector starts among the columns.
    #[inline(always)]
    pub(crate) fn start(&self, vector: usize) -> usize {
        vector_start(vector, self.lanes, self.columns)
    }
}
