//! Dice by the statistics of each row.

mod tile;

use crate::columns::{Cut, run_by_lanes};
use crate::error::{KernelError, check_length};
use crate::instruction_set::{Detected, InstructionSet};
use crate::normalization::rows_of;
use crate::pool::Pool;
use crate::scalar::Real;
use crate::tasks::{Pieces, run_all};
use tile::{BackwardOf, ForwardOf, Row};

/// Dice of each row by its own mean and spread, with the widest vectors of this processor: for the numbers `x_j` of a
/// row, their mean `m` and `p_j = σ((x_j − m) / √(Σ_i ((x_i − m)² + ε)))`, it is `(p_j + (1 − p_j) · α) · x_j`.
///
/// The normalisation of torch-rechub, with a sum in place of the variance. The result is the same to the last bit for
/// any pool.
///
/// # Shapes
/// - `input` `[N, width]`; `output` `[N, width]`, written
///
/// # Errors
/// [`KernelError`] names the buffer, its length and the length needed; nothing has been written then.
pub fn row_dice_forward<T: Real>(
    width: usize,
    input: &[T],
    alpha: T,
    epsilon: f64,
    output: &mut [T],
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    row_dice_forward_with(InstructionSet::best(), width, input, alpha, epsilon, output, pool)
}

/// [`row_dice_forward`] with a chosen instruction set.
///
/// # Errors
/// As [`row_dice_forward`], and [`KernelError::Unavailable`] where the processor lacks the instructions.
pub fn row_dice_forward_with<T: Real>(
    set: InstructionSet,
    width: usize,
    input: &[T],
    alpha: T,
    epsilon: f64,
    output: &mut [T],
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    let set = Detected::new(set)?;
    let rows = rows_of(width, input.len())?;
    check_length("output", output.len(), input.len())?;
    let (cut, row) = (Cut::new(rows, width), Row { width, alpha, epsilon: T::from_f64(epsilon * width as f64) });
    let mut pieces = Pieces(Some(output));
    let work = cut.tasks().map(|rows| {
        let output = pieces.take(rows.len() * width).unwrap_or_default();
        ForwardOf { row, input: &input[rows.start * width..rows.end * width], output }
    });
    run_all(pool, work, |work| run_by_lanes::<T, _>(set, width, work)).map(drop)
}

/// The gradients of [`row_dice_forward`], with the widest vectors of this processor; gives that of `alpha`, 0 without
/// rows.
///
/// # Shapes
/// - `input` `[N, width]`, `alpha`, `epsilon`: as given to the forward pass
/// - `gradient` `[N, width]`: of the output; `input_gradient` `[N, width]`, written
///
/// # Errors
/// As [`row_dice_forward`].
pub fn row_dice_backward<T: Real>(
    width: usize,
    input: &[T],
    alpha: T,
    epsilon: f64,
    gradient: &[T],
    input_gradient: &mut [T],
    pool: &dyn Pool,
) -> Result<T, KernelError> {
    row_dice_backward_with(InstructionSet::best(), width, input, alpha, epsilon, gradient, input_gradient, pool)
}

/// [`row_dice_backward`] with a chosen instruction set, which need not be that of the forward pass.
///
/// # Errors
/// As [`row_dice_backward`], and [`KernelError::Unavailable`] where the processor lacks the instructions.
#[allow(clippy::too_many_arguments, reason = "sizes, inputs, outputs and threads of one call of a kernel")]
pub fn row_dice_backward_with<T: Real>(
    set: InstructionSet,
    width: usize,
    input: &[T],
    alpha: T,
    epsilon: f64,
    gradient: &[T],
    input_gradient: &mut [T],
    pool: &dyn Pool,
) -> Result<T, KernelError> {
    let set = Detected::new(set)?;
    let rows = rows_of(width, input.len())?;
    check_length("gradient", gradient.len(), input.len())?;
    check_length("input gradient", input_gradient.len(), input.len())?;
    let (cut, row) = (Cut::new(rows, width), Row { width, alpha, epsilon: T::from_f64(epsilon * width as f64) });
    let mut pieces = Pieces(Some(input_gradient));
    let work = cut.tasks().map(|rows| {
        let output = pieces.take(rows.len() * width).unwrap_or_default();
        let span = rows.start * width..rows.end * width;
        BackwardOf { row, input: &input[span.clone()], gradient: &gradient[span], output }
    });
    let parts = run_all(pool, work, |work| run_by_lanes::<T, _>(set, width, work))?;
    let mut sum = T::ZERO;
    for part in parts {
        sum += part;
    }
    Ok(sum)
}
