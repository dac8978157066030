//! Weights laid out in the order in which the products read them, once per call.

use crate::cell::Gate;
use crate::memory::{Buffer, LINE, vector_start};
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

/// Weights as the right side of a product `rows · panels`: for every group of columns, row by row of the panel, the
/// group's vectors. Where the columns are no whole vectors, the last one is moved back, see [`vector_start`].
pub(crate) struct Panels<T> {
    lanes: usize,
    depth: usize,
    columns: usize,
    groups: Vec<Group>,
    weight: Buffer<T>,
}

impl<T: Scalar> Panels<T> {
    /// `numbers` gives each vector's numbers of row `k`, from a column on, at most `lanes` of them.
    fn new(depth: usize, columns: usize, lanes: usize, mut numbers: impl FnMut(usize, usize, &mut [T])) -> Self {
        let vectors = columns.div_ceil(lanes);
        let groups = groups(vectors);
        let mut weight = Buffer::zeros(vectors * depth * lanes);
        let mut position = 0;
        for group in &groups {
            for k in 0..depth {
                for vector in group.first..group.first + group.vectors {
                    let count = lanes.min(columns);
                    numbers(k, vector_start(vector, lanes, columns), &mut weight[position..position + count]);
                    position += lanes;
                }
            }
        }
        Self { lanes, depth, columns, groups, weight }
    }

    /// From the gradients of the gates to those of what went in. `weight` is `[G·H, columns]`; its gates are put into
    /// the order `gates`.
    pub(crate) fn backward(
        problem: &Problem<'_, T>,
        weight: &[T],
        columns: usize,
        gates: &[Gate],
        lanes: usize,
    ) -> Self {
        Self::new(problem.cell.gates() * problem.hidden, columns, lanes, |k, start, numbers| {
            let row = weight_row(problem, gates, k);
            numbers.copy_from_slice(&weight[row * columns + start..][..numbers.len()]);
        })
    }

    /// From what goes in, `depth` wide, to the sums of the gates. `weight` is `[G·H, depth]`.
    pub(crate) fn forward(problem: &Problem<'_, T>, weight: &[T], depth: usize, lanes: usize) -> Self {
        let rows = weight_rows(problem);
        Self::new(depth, rows.len(), lanes, |k, start, numbers| {
            for (number, &row) in numbers.iter_mut().zip(&rows[start..]) {
                *number = weight[row * depth + k];
            }
        })
    }

    #[inline(always)]
    pub(crate) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The weights of one group, for every row of the panel the group's vectors.
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

/// The row of the stack where unit `index` of the gates stands, in the order `gates`.
fn weight_row<T: Scalar>(problem: &Problem<'_, T>, gates: &[Gate], index: usize) -> usize {
    problem.cell.position(gates[index / problem.hidden]) * problem.hidden + index % problem.hidden
}

/// For the units of all gates in the kernels' order, their rows in the stack.
fn weight_rows<T: Scalar>(problem: &Problem<'_, T>) -> Vec<usize> {
    let units = problem.cell.gates() * problem.hidden;
    (0..units).map(|index| weight_row(problem, problem.cell.state_order(), index)).collect()
}

/// The weights and biases for the forward pass. The candidate's two halves stay apart, as the reset gate scales only
/// the state's; the other gates' biases stand with the input's.
pub(crate) struct ForwardPanels<T> {
    pub(crate) input: Panels<T>,
    pub(crate) state: Panels<T>,
    pub(crate) input_bias: Buffer<T>,
    pub(crate) state_bias: Buffer<T>,
    /// From one row of sums to the next.
    pub(crate) stride: usize,
}

impl<T: Scalar> ForwardPanels<T> {
    pub(crate) fn new(problem: &Problem<'_, T>, lanes: usize) -> Self {
        let Problem { width, hidden, weights, .. } = problem;
        let rows = weight_rows(problem);
        // Whole vectors are read from the start of each gate on, and an odd number of lines keeps the rows off the same
        // few places of a cache.
        let line = LINE / size_of::<T>();
        let stride = (rows.len().max(rows.len() - hidden + lanes).div_ceil(line) | 1) * line;
        let [mut input_bias, mut state_bias] = [(); 2].map(|()| Buffer::zeros(stride));
        let candidate = rows.len() - hidden;
        for (place, &row) in rows.iter().enumerate() {
            let input = weights.input_bias.map_or(T::ZERO, |bias| bias[row]);
            let state = weights.hidden_bias.map_or(T::ZERO, |bias| bias[row]);
            if place >= candidate {
                input_bias[place] = input;
                state_bias[place] = state;
            } else {
                input_bias[place] = input + state;
            }
        }
        Self {
            input: Panels::forward(problem, weights.input, *width, lanes),
            state: Panels::forward(problem, weights.hidden, *hidden, lanes),
            input_bias,
            state_bias,
            stride,
        }
    }
}
