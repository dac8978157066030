//! Columns normalised by their mean and variance, and Dice of them: statistics, output and gradients, each in one or two
//! passes over the rows.

mod backward;
mod columns;
mod forward;
mod statistics;

use backward::{FirstPass, SecondPass, Sums};
use columns::Columns;
use forward::OutputOf;
use statistics::MomentsOf;
pub(crate) use statistics::{Moments, add_tile};

use crate::columns::{Cut, run_by_lanes};
use crate::error::{KernelError, check_length};
use crate::instruction_set::{Detected, InstructionSet};
use crate::pool::Pool;
use crate::scalar::Real;
use crate::tasks::{Pieces, run_all};

/// How each of `W` columns is normalised, and what follows: `z = (x − mean) / √(variance + ε) · scale + shift`, and the
/// output `z` itself, or Dice, `y = (p + (1 − p) · α) · x` with `p = σ(z)`. All slices are `[W]`.
///
/// Batch Normalization, algorithm 1, <https://arxiv.org/abs/1502.03167>; Deep Interest Network, eq. (8) and (9),
/// <https://arxiv.org/abs/1706.06978>.
#[derive(Clone, Copy, Debug)]
pub struct Normalization<'a, T> {
    /// The mean.
    pub mean: &'a [T],
    /// The variance, not negative.
    pub variance: &'a [T],
    /// `ε`
    pub epsilon: f64,
    /// `None` is ones.
    pub scale: Option<&'a [T]>,
    /// `None` is zeros.
    pub shift: Option<&'a [T]>,
    /// The `α` of Dice; `None` is the normalisation alone.
    pub alpha: Option<&'a [T]>,
}

impl<T: Real> Normalization<'_, T> {
    pub(crate) fn check(&self, width: usize) -> Result<(), KernelError> {
        check_length("mean", self.mean.len(), width)?;
        check_length("variance", self.variance.len(), width)?;
        for (name, numbers) in [("scale", self.scale), ("shift", self.shift), ("alpha", self.alpha)] {
            numbers.map_or(Ok(()), |numbers| check_length(name, numbers.len(), width))?;
        }
        Ok(())
    }
}

/// Where the backward pass of a normalisation puts the gradients of what is learned, each `[W]`. What was in the buffers
/// is overwritten; `None` is not computed.
#[derive(Debug)]
pub struct NormalizationGradients<'a, T> {
    /// Of [`Normalization::scale`], also where it is the ones of `None`.
    pub scale: Option<&'a mut [T]>,
    /// Of [`Normalization::shift`], also where it is the zeros of `None`.
    pub shift: Option<&'a mut [T]>,
    /// Of [`Normalization::alpha`]; zeros without Dice.
    pub alpha: Option<&'a mut [T]>,
}

impl<T> Default for NormalizationGradients<'_, T> {
    /// Nothing is computed.
    fn default() -> Self {
        Self { scale: None, shift: None, alpha: None }
    }
}

/// The number of rows of a matrix.
pub(crate) fn rows_of(width: usize, input: usize) -> Result<usize, KernelError> {
    if width == 0 {
        return Err(KernelError::Zero { name: "width" });
    }
    check_length("input", input, input / width * width)?;
    Ok(input / width)
}

/// The mean and the biased variance of each column, with the widest vectors of this processor.
///
/// Each tile of rows is read once for its mean and once, from the nearest cache, for the distances from it; tiles are
/// joined by their means, so that columns far from zero lose no digits. The result is the same to the last bit for any
/// pool.
///
/// # Shapes
/// - `input` `[N, width]`; `mean`, `variance` `[width]`, written; zeros where there are no rows
///
/// # Errors
/// [`KernelError`] names the buffer, its length and the length needed; nothing has been written then.
pub fn column_statistics<T: Real>(
    width: usize,
    input: &[T],
    mean: &mut [T],
    variance: &mut [T],
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    column_statistics_with(InstructionSet::best(), width, input, mean, variance, pool)
}

/// [`column_statistics`] with a chosen instruction set.
///
/// # Errors
/// As [`column_statistics`], and [`KernelError::Unavailable`] where the processor lacks the instructions.
pub fn column_statistics_with<T: Real>(
    set: InstructionSet,
    width: usize,
    input: &[T],
    mean: &mut [T],
    variance: &mut [T],
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    let set = Detected::new(set)?;
    let rows = rows_of(width, input.len())?;
    check_length("mean", mean.len(), width)?;
    check_length("variance", variance.len(), width)?;
    let cut = Cut::new(rows, width);
    let parts = run_all(pool, cut.tasks(), |rows| {
        run_by_lanes::<T, _>(set, width, MomentsOf { input, width, cut: &cut, rows })
    })?;
    let mut parts = parts.into_iter();
    let Some(mut all) = parts.next() else {
        mean.fill(T::ZERO);
        variance.fill(T::ZERO);
        return Ok(());
    };
    for part in parts {
        all.merge(&part);
    }
    mean.copy_from_slice(&all.mean);
    for (variance, squares) in variance.iter_mut().zip(all.squares) {
        *variance = T::from_f64(squares.to_f64() / rows as f64);
    }
    Ok(())
}

/// Normalises the columns, or takes Dice of them, with the widest vectors of this processor.
///
/// # Shapes
/// - `input` `[N, width]`; `output` `[N, width]`, written
///
/// # Errors
/// [`KernelError`] names the buffer, its length and the length needed; nothing has been written then.
pub fn normalize_forward<T: Real>(
    width: usize,
    input: &[T],
    normalization: &Normalization<'_, T>,
    output: &mut [T],
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    normalize_forward_with(InstructionSet::best(), width, input, normalization, output, pool)
}

/// [`normalize_forward`] with a chosen instruction set.
///
/// # Errors
/// As [`normalize_forward`], and [`KernelError::Unavailable`] where the processor lacks the instructions.
pub fn normalize_forward_with<T: Real>(
    set: InstructionSet,
    width: usize,
    input: &[T],
    normalization: &Normalization<'_, T>,
    output: &mut [T],
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    let set = Detected::new(set)?;
    let rows = rows_of(width, input.len())?;
    normalization.check(width)?;
    check_length("output", output.len(), input.len())?;
    let (cut, columns) = (Cut::new(rows, width), Columns::new(normalization));
    let mut pieces = Pieces(Some(output));
    let work = cut.tasks().map(|rows| (rows.clone(), pieces.take(rows.len() * width).unwrap_or_default()));
    run_all(pool, work, |(rows, output)| {
        run_by_lanes::<T, _>(set, width, OutputOf { input, width, cut: &cut, columns: &columns, rows, output });
    })
    .map(drop)
}

/// The gradients of [`normalize_forward`], with the widest vectors of this processor.
///
/// The sums over rows are taken in an order that their number alone decides: the result is the same to the last bit for
/// any pool.
///
/// # Shapes
/// - `input` `[N, width]` and `normalization`: as given to the forward pass
/// - `from_rows`: whether mean and variance were those of the rows, as [`column_statistics`] gives them, so that they
///   move with the input
/// - `gradient` `[N, width]`: of the output; `input_gradient` `[N, width]`, written
/// - `gradients`: written; [`NormalizationGradients`] names their shapes
///
/// # Errors
/// As [`normalize_forward`].
#[allow(clippy::too_many_arguments, reason = "sizes, inputs, outputs and threads of one call of a kernel")]
pub fn normalize_backward<T: Real>(
    width: usize,
    input: &[T],
    normalization: &Normalization<'_, T>,
    from_rows: bool,
    gradient: &[T],
    input_gradient: &mut [T],
    gradients: &mut NormalizationGradients<'_, T>,
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    let set = InstructionSet::best();
    normalize_backward_with(set, width, input, normalization, from_rows, gradient, input_gradient, gradients, pool)
}

/// [`normalize_backward`] with a chosen instruction set, which need not be that of the forward pass.
///
/// # Errors
/// As [`normalize_backward`], and [`KernelError::Unavailable`] where the processor lacks the instructions.
#[allow(clippy::too_many_arguments, reason = "sizes, inputs, outputs and threads of one call of a kernel")]
pub fn normalize_backward_with<T: Real>(
    set: InstructionSet,
    width: usize,
    input: &[T],
    normalization: &Normalization<'_, T>,
    from_rows: bool,
    gradient: &[T],
    input_gradient: &mut [T],
    gradients: &mut NormalizationGradients<'_, T>,
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    let set = Detected::new(set)?;
    let rows = rows_of(width, input.len())?;
    normalization.check(width)?;
    check_length("gradient", gradient.len(), input.len())?;
    check_length("input gradient", input_gradient.len(), input.len())?;
    let targets = [("scale", &gradients.scale), ("shift", &gradients.shift), ("alpha", &gradients.alpha)];
    for (name, target) in targets {
        target.as_ref().map_or(Ok(()), |target| check_length(name, target.len(), width))?;
    }

    let (cut, columns) = (Cut::new(rows, width), Columns::new(normalization));
    let mut pieces = Pieces(Some(&mut *input_gradient));
    let work = cut.tasks().map(|rows| (rows.clone(), pieces.take(rows.len() * width).unwrap_or_default()));
    let parts = run_all(pool, work, |(rows, output)| {
        let pass = FirstPass { input, gradient, width, cut: &cut, columns: &columns, rows, output };
        run_by_lanes::<T, _>(set, width, pass)
    })?;
    let mut sums = Sums::zeros(width);
    for part in &parts {
        sums.add(part);
    }
    if from_rows && rows > 0 {
        let part = T::from_f64(1.0 / rows as f64);
        let base: Vec<T> = sums.shift.iter().zip(&columns.factor).map(|(&sum, &factor)| sum * factor * part).collect();
        let slope: Vec<T> = (0..width)
            .map(|column| sums.scale[column] * columns.factor[column] * columns.inverse[column] * part)
            .collect();
        let mut pieces = Pieces(Some(input_gradient));
        let work = cut.tasks().map(|rows| (rows.clone(), pieces.take(rows.len() * width).unwrap_or_default()));
        run_all(pool, work, |(rows, output)| {
            let (mean, base, slope) = (&columns.mean, &base, &slope);
            run_by_lanes::<T, _>(set, width, SecondPass { input, width, cut: &cut, mean, base, slope, rows, output });
        })?;
    }
    let targets =
        [(&mut gradients.scale, sums.scale), (&mut gradients.shift, sums.shift), (&mut gradients.alpha, sums.alpha)];
    for (target, sums) in targets {
        if let Some(target) = target {
            target.copy_from_slice(&sums);
        }
    }
    Ok(())
}
