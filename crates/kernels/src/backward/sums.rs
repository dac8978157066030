//! The gradients of weights and biases, which are sums over all events.

use super::record::Record;
use crate::Gradients;
use crate::cell::Gate;
use crate::memory::Buffer;
use crate::panel::groups;
use crate::problem::Problem;
use crate::product::{Tile, columns_by_columns};
use crate::scalar::Scalar;

/// One task's part of the gradients, turned on its side: a row per column of the weights, a column per gate and unit,
/// in the order of [`Record::right`].
pub(crate) struct Sums<T> {
    input: Buffer<T>,
    hidden: Buffer<T>,
    bias: Buffer<T>,
    columns: usize,
}

impl<T: Scalar> Sums<T> {
    pub(crate) fn new(record: &Record<T>) -> Self {
        Self {
            input: Buffer::zeros(record.left_hidden * record.right_columns),
            hidden: Buffer::zeros((record.left_stride - record.left_hidden) * record.right_columns),
            bias: Buffer::zeros(record.right_stride),
            columns: record.right_columns,
        }
    }

    /// Adds the gathered events. `hidden` is the hidden width.
    #[inline(always)]
    pub(crate) fn add<const FUSED: bool, const W: usize, const R: usize>(&mut self, record: &Record<T>, hidden: usize) {
        let (depth, columns) = (record.rows.len(), self.columns);
        let left = (&*record.left, record.left_stride);
        let right = (&*record.right, record.right_stride);
        add_products::<T, FUSED, W, R>(&mut self.input, columns, left, right, depth);
        let left = (&record.left[record.left_hidden.min(record.left.len())..], record.left_stride);
        let right = (&record.right[hidden..], record.right_stride);
        add_products::<T, FUSED, W, R>(&mut self.hidden, columns, left, right, depth);
        for row in record.right.chunks_exact(record.right_stride).take(depth) {
            for (sum, &gradient) in self.bias.iter_mut().zip(row) {
                *sum += gradient;
            }
        }
    }

    /// Adds another task's part.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in
            [(&mut self.input, &other.input), (&mut self.hidden, &other.hidden), (&mut self.bias, &other.bias)]
        {
            for (mine, &theirs) in mine.iter_mut().zip(theirs.iter()) {
                *mine += theirs;
            }
        }
    }

    /// Writes the gradients in the order of the stack.
    pub(crate) fn write(&self, problem: &Problem<'_, T>, gradients: &mut Gradients<'_, T>) {
        let hidden = problem.hidden;
        let (last, others) =
            (Gate::Candidate, problem.cell.order().iter().copied().filter(|&gate| gate != Gate::Candidate));
        let input_order: Vec<Gate> = std::iter::once(last).chain(others.clone()).collect();
        let hidden_order: Vec<Gate> = others.chain(std::iter::once(last)).collect();
        let row = |gate: Gate| problem.cell.position(gate) * hidden;
        for (place, (&input, &state)) in input_order.iter().zip(&hidden_order).enumerate() {
            for unit in 0..hidden {
                let column = place * hidden + unit;
                if let Some(weight) = gradients.input_weight.as_deref_mut() {
                    let weight = &mut weight[(row(input) + unit) * problem.width..][..problem.width];
                    gather(weight, &self.input[column..], self.columns);
                }
                if let Some(weight) = gradients.hidden_weight.as_deref_mut() {
                    let weight = &mut weight[(row(state) + unit) * hidden..][..hidden];
                    gather(weight, &self.hidden[column..], self.columns);
                }
                if let Some(bias) = gradients.input_bias.as_deref_mut() {
                    bias[row(input) + unit] = self.bias[column];
                }
                if let Some(bias) = gradients.hidden_bias.as_deref_mut() {
                    bias[row(state) + unit] = self.bias[hidden + column];
                }
            }
        }
    }
}

fn gather<T: Scalar>(numbers: &mut [T], column: &[T], stride: usize) {
    for (number, &sum) in numbers.iter_mut().zip(column.iter().step_by(stride)) {
        *number = sum;
    }
}

/// `sums[i][j] += Σ_k left[k][i] · right[k][j]` for whole tiles.
#[inline(always)]
fn add_products<T: Scalar, const FUSED: bool, const W: usize, const R: usize>(
    sums: &mut [T],
    columns: usize,
    left: (&[T], usize),
    right: (&[T], usize),
    depth: usize,
) {
    for group in groups(columns / W) {
        let column = group.first * W;
        let right = (&right.0[column..], right.1);
        for (index, rows) in sums.chunks_exact_mut(R * columns).enumerate() {
            let left = (&left.0[index * R..], left.1);
            match group.vectors {
                1 => add_tile(rows, columns, column, &columns_by_columns::<T, FUSED, W, 1, R>(left, right, depth)),
                2 => add_tile(rows, columns, column, &columns_by_columns::<T, FUSED, W, 2, R>(left, right, depth)),
                _ => add_tile(rows, columns, column, &columns_by_columns::<T, FUSED, W, 3, R>(left, right, depth)),
            }
        }
    }
}

#[inline(always)]
fn add_tile<T: Scalar, const W: usize, const V: usize, const R: usize>(
    rows: &mut [T],
    columns: usize,
    column: usize,
    tile: &Tile<T, W, V, R>,
) {
    for (row, vectors) in rows.chunks_exact_mut(columns).zip(tile) {
        for (sum, &number) in row[column..].iter_mut().zip(vectors.as_flattened()) {
            *sum += number;
        }
    }
}
