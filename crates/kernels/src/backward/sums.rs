//! The gradients of weights and biases, which are sums over all events.

use super::ahead::Ahead;
use super::record::Record;
use crate::Gradients;
use crate::cell::Gate;
use crate::level::{Level, Operation};
use crate::memory::Buffer;
use crate::panel::groups;
use crate::problem::Problem;
use crate::product::{OF_THREE, SUMS_OF_TWO};
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

    /// Adds the gathered events, and asks for those `ahead` meanwhile. `hidden` is the hidden width.
    pub(super) fn add<L: Level, const W: usize, const R: usize>(
        &mut self,
        level: L,
        record: &Record<T>,
        hidden: usize,
        ahead: &mut Ahead<'_, T>,
    ) {
        let (depth, columns) = (record.rows.len(), self.columns);
        let left = (&*record.left, record.left_stride);
        let right = (&*record.right, record.right_stride);
        add_products::<T, L, W, R>(level, &mut self.input, columns, left, right, depth, ahead);
        let left = (&record.left[record.left_hidden.min(record.left.len())..], record.left_stride);
        let right = (&record.right[hidden..], record.right_stride);
        add_products::<T, L, W, R>(level, &mut self.hidden, columns, left, right, depth, ahead);
        let rows = &record.right[..depth * record.right_stride];
        for group in groups(record.right_stride / W) {
            let (sums, column) = (&mut *self.bias, group.first * W);
            match group.vectors {
                1 => level.run(RowSum::<T, W, 1> { sums, column, rows }),
                2 => level.run(RowSum::<T, W, 2> { sums, column, rows }),
                _ => level.run(RowSum::<T, W, 3> { sums, column, rows }),
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
        let row = |gate: Gate| problem.cell.position(gate) * hidden;
        let orders = problem.cell.input_order().iter().zip(problem.cell.state_order());
        for (place, (&input, &state)) in orders.enumerate() {
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

/// `sums[i][j] += Σ_k left[k][i] · right[k][j]` for whole tiles. Each asks for some events `ahead`.
fn add_products<T: Scalar, L: Level, const W: usize, const R: usize>(
    level: L,
    sums: &mut [T],
    columns: usize,
    left: (&[T], usize),
    right: (&[T], usize),
    depth: usize,
    ahead: &mut Ahead<'_, T>,
) {
    let count = sums.len() / columns;
    for group in groups(columns / W) {
        let column = group.first * W;
        let right = (&right.0[column..], right.1);
        let mut first = 0;
        while first < count {
            ahead.ask();
            let rest = count - first;
            let (rows, left) = (&mut sums[first * columns..], (&left.0[first..], left.1));
            first += match group.vectors {
                1 => level.run(SumTile::<T, W, 1, R> { rows, columns, column, left, right, depth }),
                // Whole fours are left, or with sixes taken of them any even number but two.
                2 if R == OF_THREE && (rest == SUMS_OF_TWO || rest >= SUMS_OF_TWO + R) => {
                    level.run(SumTile::<T, W, 2, SUMS_OF_TWO> { rows, columns, column, left, right, depth })
                }
                2 => level.run(SumTile::<T, W, 2, R> { rows, columns, column, left, right, depth }),
                _ => level.run(SumTile::<T, W, 3, R> { rows, columns, column, left, right, depth }),
            };
        }
    }
}

/// `R` rows of `V` vectors, from `column` on; gives `R`.
struct SumTile<'a, T, const W: usize, const V: usize, const R: usize> {
    rows: &'a mut [T],
    columns: usize,
    column: usize,
    left: (&'a [T], usize),
    right: (&'a [T], usize),
    depth: usize,
}

impl<T: Scalar, const W: usize, const V: usize, const R: usize> Operation for SumTile<'_, T, W, V, R> {
    type Output = usize;

    #[inline(always)]
    fn run<L: Level>(self, level: L) -> usize {
        let tile = level.columns_by_columns::<T, W, V, R>(self.left, self.right, self.depth);
        for i in 0..R {
            let row = &mut self.rows[i * self.columns + self.column..].as_chunks_mut::<W>().0[..V];
            for v in 0..V {
                row[v] = add(&row[v], &tile[i][v]);
            }
        }
        R
    }
}

/// `sums[j] += Σ_k rows[k][j]` for `V` vectors, from `column` on.
struct RowSum<'a, T, const W: usize, const V: usize> {
    sums: &'a mut [T],
    column: usize,
    /// Rows as wide as the sums.
    rows: &'a [T],
}

impl<T: Scalar, const W: usize, const V: usize> Operation for RowSum<'_, T, W, V> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, _: L) {
        let mut totals = [[T::ZERO; W]; V];
        for row in self.rows.chunks_exact(self.sums.len()) {
            let row = &row[self.column..].as_chunks::<W>().0[..V];
            for v in 0..V {
                totals[v] = add(&totals[v], &row[v]);
            }
        }
        let sums = &mut self.sums[self.column..].as_chunks_mut::<W>().0[..V];
        for v in 0..V {
            sums[v] = add(&sums[v], &totals[v]);
        }
    }
}

/// The sum as a value of its own: added in place, one number after the other is written.
#[inline(always)]
fn add<T: Scalar, const W: usize>(left: &[T; W], right: &[T; W]) -> [T; W] {
    let mut sum = *left;
    for w in 0..W {
        sum[w] += right[w];
    }
    sum
}
