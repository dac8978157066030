//! Hidden layers in passes over tiles of rows: normalisation, activation and the dense map behind them, without writing
//! what lies between.

mod backward;
mod derivative;
mod finish;
mod forward;
mod kind;
mod products;
mod row_statistics;
mod stage;
mod tiles;
mod value;

use backward::{BackwardJob, Upstream};
pub use finish::{HiddenCorrection, HiddenGradients};
use forward::ForwardJob;
use stage::{Direction, Stage};
pub(crate) use tiles::Full;
use tiles::HiddenCut;

use crate::error::{KernelError, check_length};
use crate::instruction_set::{Detected, InstructionSet};
use crate::memory::LINE;
use crate::normalization::{Normalization, rows_of};
use crate::pair_loss::DenseLayer;
use crate::pool::Pool;
use crate::scalar::Real;
use crate::tasks::{Pieces, run_all};

/// What follows the normalisation of a hidden layer of `H` units.
#[derive(Clone, Copy, Debug)]
pub enum HiddenActivation<'a, T> {
    /// `x`. Without a normalisation such a layer is nothing but its dense map: what it could learn beside has zeros for
    /// gradients.
    Identity,
    /// `max(0, x) + a · min(0, x)`, `[H]`: with zeros `max(0, x)`.
    Slope(&'a [T]),
    /// `1 / (1 + e^(−x))`
    Sigmoid,
    /// Dice of what comes out of the normalisation of the layer; its `alpha` is needed.
    Dice(Normalization<'a, T>),
    /// Dice by the statistics of each row, as [`row_dice_forward`](crate::row_dice_forward) has it.
    RowDice {
        /// `α`
        alpha: T,
        /// `ε`
        epsilon: f64,
    },
}

/// A hidden layer behind its dense map.
#[derive(Clone, Copy, Debug)]
pub struct HiddenLayer<'a, T> {
    /// Batch normalisation, without `alpha`; `None` is none.
    pub norm: Option<Normalization<'a, T>>,
    /// What follows.
    pub activation: HiddenActivation<'a, T>,
}

/// The sums of a hidden layer's dense map, row by row.
#[derive(Clone, Copy, Debug)]
pub struct HiddenRows<'a, T> {
    /// `[N, stride]`
    pub numbers: &'a [T],
    /// The width, or the [`hidden_stride`] of it; the numbers behind the width are zeros.
    pub stride: usize,
}

/// The distance of two rows where [`hidden_forward`] writes a dense map of this width: the width in whole cache lines,
/// and 1 for one output.
pub fn hidden_stride<T: Real>(width: usize) -> usize {
    stride::<T>(width)
}

fn stride<T>(width: usize) -> usize {
    if width == 1 { 1 } else { width.next_multiple_of(LINE / size_of::<T>()) }
}

fn check_rows<T>(rows: &HiddenRows<'_, T>, width: usize) -> Result<usize, KernelError> {
    if width == 0 {
        return Err(KernelError::Zero { name: "width" });
    }
    if rows.stride != width {
        check_length("stride", rows.stride, stride::<T>(width))?;
    }
    rows_of(rows.stride, rows.numbers.len())
}

/// Hidden layers one behind the other, each with the dense map that follows it, with the widest vectors of this
/// processor. The result is the same to the last bit for any pool.
///
/// # Shapes
/// - `input` `[N, width]`: of the first layer
/// - `dense`: what follows each layer; the last layer's may be left out
/// - `output`: of the last dense map, `[N, hidden_stride(outputs)]`, zeros behind its outputs; or, where that is left
///   out, of the last layer, `[N, width of it]`
/// - `statistics`: written, the mean and the biased variance of each column of the output, `[outputs]`; the last dense
///   map must be there and have more than one output
///
/// # Errors
/// [`KernelError`] names the buffer, its length and the length needed; nothing has been written then.
#[allow(clippy::too_many_arguments, reason = "sizes, inputs, outputs and threads of one call of a kernel")]
pub fn hidden_forward<T: Real>(
    width: usize,
    input: &HiddenRows<'_, T>,
    layers: &[HiddenLayer<'_, T>],
    dense: &[DenseLayer<'_, T>],
    output: &mut [T],
    statistics: Option<(&mut [T], &mut [T])>,
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    hidden_forward_with(InstructionSet::best(), width, input, layers, dense, output, statistics, pool)
}

/// [`hidden_forward`] with a chosen instruction set.
///
/// # Errors
/// As [`hidden_forward`], and [`KernelError::Unavailable`] where the processor lacks the instructions.
#[allow(clippy::too_many_arguments, reason = "sizes, inputs, outputs and threads of one call of a kernel")]
pub fn hidden_forward_with<T: Real>(
    set: InstructionSet,
    width: usize,
    input: &HiddenRows<'_, T>,
    layers: &[HiddenLayer<'_, T>],
    dense: &[DenseLayer<'_, T>],
    output: &mut [T],
    statistics: Option<(&mut [T], &mut [T])>,
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    let set = Detected::new(set)?;
    let rows = check_rows(input, width)?;
    if layers.is_empty() {
        return Err(KernelError::Zero { name: "layers" });
    }
    check_length("dense", dense.len(), dense.len().clamp(layers.len() - 1, layers.len()))?;
    let mut stages = Vec::with_capacity(layers.len());
    let mut inputs = width;
    for (index, layer) in layers.iter().enumerate() {
        let stage = Stage::new(set, inputs, layer, dense.get(index), Direction::Forward)?;
        inputs = stage.outputs();
        stages.push(stage);
    }
    let complete = dense.len() == layers.len();
    let across = if complete { stride::<T>(inputs) } else { inputs };
    check_length("output", output.len(), rows.saturating_mul(across))?;
    if let Some((mean, variance)) = &statistics {
        if !complete || across == 1 {
            return Err(KernelError::Zero { name: "columns of statistics" });
        }
        check_length("mean", mean.len(), inputs)?;
        check_length("variance", variance.len(), inputs)?;
    }
    let widest = stages.iter().map(|stage| stage.stride).max().unwrap_or(1);
    let cut = HiddenCut::new(rows, widest);
    let mut pieces = Pieces(Some(output));
    let work = cut.tasks().map(|rows| {
        let output = pieces.take(rows.len() * across).unwrap_or_default();
        ForwardJob { stages: &stages, input, tile: cut.tile, rows, across, output, summed: statistics.is_some() }
    });
    let parts = run_all(pool, work, |work| T::full(set, work))?;
    let Some((mean, variance)) = statistics else { return Ok(()) };
    let mut parts = parts.into_iter().flatten();
    let Some(mut all) = parts.next() else {
        mean.fill(T::ZERO);
        variance.fill(T::ZERO);
        return Ok(());
    };
    for part in parts {
        all.merge(&part);
    }
    mean.copy_from_slice(&all.mean[..inputs]);
    for (variance, squares) in variance.iter_mut().zip(&all.squares) {
        *variance = T::from_f64(squares.to_f64() / rows as f64);
    }
    Ok(())
}

/// What flows back into a hidden layer.
#[derive(Clone, Copy, Debug)]
pub struct HiddenUpstream<'a, T> {
    /// Of the output of [`hidden_forward`], as that is laid out.
    pub gradient: &'a [T],
    /// What has to go off the gradient first, and the output that it belongs to: of the layer behind the dense map.
    pub correction: Option<(&'a HiddenCorrection<T>, &'a [T])>,
}

/// The gradients of one layer of [`hidden_forward`] and of the dense map behind it, with the widest vectors of this
/// processor; the layer's output is made again. Sums over rows are taken in an order that their number alone decides:
/// the result is the same to the last bit for any pool.
///
/// # Shapes
/// - `input` `[N, width]`, `layer`, `dense`: as given to the forward pass
/// - `from_rows`: whether means and variances were those of the rows, so that they move with the input
/// - `input_gradient`: written, laid out as `input`; [`HiddenGradients::correction`] has still to go off it
///
/// # Errors
/// As [`hidden_forward`].
#[allow(clippy::too_many_arguments, reason = "sizes, inputs, outputs and threads of one call of a kernel")]
pub fn hidden_backward<T: Real>(
    width: usize,
    input: &HiddenRows<'_, T>,
    layer: &HiddenLayer<'_, T>,
    dense: Option<&DenseLayer<'_, T>>,
    from_rows: bool,
    upstream: &HiddenUpstream<'_, T>,
    input_gradient: &mut [T],
    pool: &dyn Pool,
) -> Result<HiddenGradients<T>, KernelError> {
    let set = InstructionSet::best();
    hidden_backward_with(set, width, input, layer, dense, from_rows, upstream, input_gradient, pool)
}

/// [`hidden_backward`] with a chosen instruction set, which need not be that of the forward pass.
///
/// # Errors
/// As [`hidden_backward`], and [`KernelError::Unavailable`] where the processor lacks the instructions.
#[allow(clippy::too_many_arguments, reason = "sizes, inputs, outputs and threads of one call of a kernel")]
pub fn hidden_backward_with<T: Real>(
    set: InstructionSet,
    width: usize,
    input: &HiddenRows<'_, T>,
    layer: &HiddenLayer<'_, T>,
    dense: Option<&DenseLayer<'_, T>>,
    from_rows: bool,
    upstream: &HiddenUpstream<'_, T>,
    input_gradient: &mut [T],
    pool: &dyn Pool,
) -> Result<HiddenGradients<T>, KernelError> {
    let set = Detected::new(set)?;
    let rows = check_rows(input, width)?;
    let stage = Stage::new(set, width, layer, dense, Direction::Backward)?;
    let outputs = stage.outputs();
    let across = if dense.is_some() { stride::<T>(outputs) } else { width };
    check_length("gradient", upstream.gradient.len(), rows.saturating_mul(across))?;
    check_length("input gradient", input_gradient.len(), input.numbers.len())?;
    if let Some((correction, reference)) = upstream.correction {
        check_length("output of the correction", reference.len(), upstream.gradient.len())?;
        correction.check(outputs)?;
    }
    let upstream = Upstream::new(upstream, across);
    let cut = HiddenCut::new(rows, stage.stride);
    let mut pieces = Pieces(Some(input_gradient));
    let work = cut.tasks().map(|rows| {
        let output = pieces.take(rows.len() * input.stride).unwrap_or_default();
        BackwardJob { stage: &stage, input, upstream: &upstream, tile: cut.tile, rows, output }
    });
    let parts = run_all(pool, work, |work| T::full(set, work))?;
    let sums = finish::joined(&stage, parts, pool)?;
    Ok(finish::gradients(&stage, layer, rows, from_rows, &sums))
}
