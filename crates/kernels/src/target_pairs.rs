//! A dense map of pairs: of each event and its sample's candidate.

mod backward;
mod forward;
mod panels;
mod tiled;

use backward::{BackwardOutput, BackwardTask, Sums};
use forward::ForwardTask;
pub(crate) use panels::Panels;
pub(crate) use tiled::{RowsByPanels, Tiled};
use tiled::{columns, lanes};

use crate::error::{KernelError, check_length};
use crate::instruction_set::{Detected, InstructionSet};
use crate::partition::{Task, partition};
use crate::pool::Pool;
use crate::problem::{check_offsets, length};
use crate::scalar::{Real, Scalar};
use crate::tasks::{Pieces, run_all};

/// The sums of a task are small here, and more tasks let no thread wait long for the last one of another.
const MOST_TASKS: usize = 32;

/// The inputs of a dense map over pairs: for event `n` of sample `b`,
/// `y[n] = base[b] + W · k[n] + P · (q[b]∘k[n])`.
///
/// Deep Interest Network, figure 2 and section 4.3, <https://arxiv.org/abs/1706.06978>: the first layer of the
/// activation unit, where `base` is what depends on the candidate `q` alone.
#[derive(Clone, Copy, Debug)]
pub struct TargetPairs<'a, T> {
    /// `[B + 1]`: the events of sample `b` are `offsets[b]..offsets[b + 1]`.
    pub offsets: &'a [u32],
    /// `[B, H]`
    pub base: &'a [T],
    /// `k`, `[N, D]`.
    pub events: &'a [T],
    /// `W`, `[H, D]`.
    pub weight: &'a [T],
    /// `q`, `[B, D]`, and `P`, `[H, D]`; `None` leaves the product out.
    pub product: Option<(&'a [T], &'a [T])>,
}

/// Where the backward pass of [`target_pairs_forward`] puts its gradients. What was in the buffers is overwritten; `None` is not
/// computed.
#[derive(Debug)]
pub struct TargetPairGradients<'a, T> {
    /// Of [`TargetPairs::base`], `[B, H]`.
    pub base: Option<&'a mut [T]>,
    /// Of [`TargetPairs::events`], `[N, D]`.
    pub events: Option<&'a mut [T]>,
    /// Of [`TargetPairs::weight`], `[H, D]`.
    pub weight: Option<&'a mut [T]>,
    /// Of `q` in [`TargetPairs::product`], `[B, D]`; zeros without a product.
    pub candidate: Option<&'a mut [T]>,
    /// Of `P` in [`TargetPairs::product`], `[H, D]`; zeros without a product.
    pub product_weight: Option<&'a mut [T]>,
}

impl<T> Default for TargetPairGradients<'_, T> {
    /// Nothing is computed.
    fn default() -> Self {
        Self { base: None, events: None, weight: None, candidate: None, product_weight: None }
    }
}

/// Inputs whose sizes have been checked.
struct Job<'a, T> {
    set: Detected,
    width: usize,
    hidden: usize,
    pairs: TargetPairs<'a, T>,
    tasks: Vec<Task>,
}

impl<'a, T: Scalar> Job<'a, T> {
    fn new(set: InstructionSet, width: usize, hidden: usize, pairs: &TargetPairs<'a, T>) -> Result<Self, KernelError> {
        let set = Detected::new(set)?;
        for (name, size) in [("width", width), ("hidden", hidden)] {
            if size == 0 {
                return Err(KernelError::Zero { name });
            }
        }
        check_offsets(pairs.offsets)?;
        let job = Self { set, width, hidden, pairs: *pairs, tasks: partition(pairs.offsets, MOST_TASKS) };
        length("base", Some(pairs.base), job.samples(), hidden)?;
        length("events", Some(pairs.events), job.events(), width)?;
        length("weight", Some(pairs.weight), hidden, width)?;
        length("candidate", pairs.product.map(|(candidate, _)| candidate), job.samples(), width)?;
        length("product_weight", pairs.product.map(|(_, weight)| weight), hidden, width)?;
        Ok(job)
    }

    fn samples(&self) -> usize {
        self.pairs.offsets.len() - 1
    }

    fn events(&self) -> usize {
        self.pairs.offsets.last().map_or(0, |&events| events as usize)
    }

    fn check(&self, gradients: &TargetPairGradients<'_, T>) -> Result<(), KernelError> {
        length("gradient of base", gradients.base.as_deref(), self.samples(), self.hidden)?;
        length("gradient of events", gradients.events.as_deref(), self.events(), self.width)?;
        length("gradient of weight", gradients.weight.as_deref(), self.hidden, self.width)?;
        length("gradient of candidate", gradients.candidate.as_deref(), self.samples(), self.width)?;
        length("gradient of product_weight", gradients.product_weight.as_deref(), self.hidden, self.width)
    }

    /// Both weights on their side, `[D, H]`.
    fn panels_by_width(&self) -> [Panels<T>; 2] {
        let lanes = lanes::<T>(self.set, self.hidden);
        self.weights().map(|weight| {
            Panels::new(self.width, self.hidden, lanes, |k, unit| weight.map_or(T::ZERO, |w| w[unit * self.width + k]))
        })
    }

    /// Both weights as they are, `[H, D]`.
    fn panels_by_hidden(&self) -> [Panels<T>; 2] {
        let lanes = lanes::<T>(self.set, self.width);
        self.weights().map(|weight| {
            Panels::new(self.hidden, self.width, lanes, |unit, k| weight.map_or(T::ZERO, |w| w[unit * self.width + k]))
        })
    }

    /// `P` on its side, `[D, H]`; empty without a product.
    fn turned(&self) -> Vec<T> {
        let Some((_, weight)) = self.pairs.product else { return Vec::new() };
        (0..self.width).flat_map(|k| weight[k..].iter().step_by(self.width).copied()).collect()
    }

    fn weights(&self) -> [Option<&'a [T]>; 2] {
        [Some(self.pairs.weight), self.pairs.product.map(|(_, weight)| weight)]
    }
}

/// The map of each pair, with the widest vectors of this processor.
///
/// Within a sample it is `W + P · diag(q)` times the event: that matrix is made once for each sample, so that an event
/// costs one product of depth `D`, and `q∘k` is never written down. The result is the same to the last bit for any pool.
///
/// # Shapes
/// - `width` is `D`, `hidden` is `H`; `output` `[N, H]`, written
///
/// # Errors
/// [`KernelError`] names the buffer, its length and the length needed, or the offset that is out of order; nothing has
/// been written then.
pub fn target_pairs_forward<T: Real>(
    width: usize,
    hidden: usize,
    pairs: &TargetPairs<'_, T>,
    output: &mut [T],
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    target_pairs_forward_with(InstructionSet::best(), width, hidden, pairs, output, pool)
}

/// [`target_pairs_forward`] with a chosen instruction set.
///
/// # Errors
/// As [`target_pairs_forward`], and [`KernelError::Unavailable`] where the processor lacks the instructions.
pub fn target_pairs_forward_with<T: Real>(
    set: InstructionSet,
    width: usize,
    hidden: usize,
    pairs: &TargetPairs<'_, T>,
    output: &mut [T],
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    let job = Job::new(set, width, hidden, pairs)?;
    check_length("output", output.len(), job.events() * hidden)?;
    let panels = job.panels_by_width();
    let mut pieces = Pieces(Some(output));
    let work = job.tasks.iter().map(|task| {
        let output = pieces.take(task.rows.len() * hidden).unwrap_or_default();
        ForwardTask { job: &job, panels: &panels, task, output }
    });
    run_all(pool, work, ForwardTask::run).map(drop)
}

/// The gradients of [`target_pairs_forward`], with the widest vectors of this processor.
///
/// Sums over events are taken in an order that the offsets alone decide: the result is the same to the last bit for any
/// pool.
///
/// # Shapes
/// - `width`, `hidden`, `pairs`: as given to the forward pass
/// - `gradient` `[N, H]`: of the output
/// - `gradients`: written; [`TargetPairGradients`] names their shapes
///
/// # Errors
/// As [`target_pairs_forward`].
pub fn target_pairs_backward<T: Real>(
    width: usize,
    hidden: usize,
    pairs: &TargetPairs<'_, T>,
    gradient: &[T],
    gradients: &mut TargetPairGradients<'_, T>,
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    target_pairs_backward_with(InstructionSet::best(), width, hidden, pairs, gradient, gradients, pool)
}

/// [`target_pairs_backward`] with a chosen instruction set, which need not be that of the forward pass.
///
/// # Errors
/// As [`target_pairs_backward`], and [`KernelError::Unavailable`] where the processor lacks the instructions.
pub fn target_pairs_backward_with<T: Real>(
    set: InstructionSet,
    width: usize,
    hidden: usize,
    pairs: &TargetPairs<'_, T>,
    gradient: &[T],
    gradients: &mut TargetPairGradients<'_, T>,
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    let job = Job::new(set, width, hidden, pairs)?;
    length("gradient", Some(gradient), job.events(), hidden)?;
    job.check(gradients)?;
    let by_hidden = job.panels_by_hidden();
    let groups = columns(hidden, lanes::<T>(job.set, hidden));
    let turned = job.turned();
    let summed = gradients.weight.is_some() || gradients.product_weight.is_some() || gradients.candidate.is_some();
    let mut base = Pieces(gradients.base.as_deref_mut());
    let mut events = Pieces(gradients.events.as_deref_mut());
    let mut candidate = Pieces(gradients.candidate.as_deref_mut());
    let work = job.tasks.iter().map(|task| {
        let output = BackwardOutput {
            base: Pieces(base.take(task.samples.len() * hidden)),
            events: Pieces(events.take(task.rows.len() * width)),
            candidate: Pieces(candidate.take(task.samples.len() * width)),
        };
        let (by_hidden, turned, groups) = (&by_hidden, &*turned, &*groups);
        (BackwardTask { job: &job, by_hidden, turned, groups, task, gradient, summed }, output)
    });
    let mut parts = run_all(pool, work, |(task, output)| task.run(output))?.into_iter();
    let mut sums = parts.next().unwrap_or_else(|| Sums::new(width, hidden));
    for part in parts {
        sums.merge(&part);
    }
    for (sum, weight) in [
        (&sums.weight, gradients.weight.as_deref_mut()),
        (&sums.product_weight, gradients.product_weight.as_deref_mut()),
    ] {
        let Some(weight) = weight else { continue };
        for (unit, row) in weight.chunks_exact_mut(width).enumerate() {
            for (number, sum) in row.iter_mut().zip(sum[unit..].iter().step_by(hidden)) {
                *number = *sum;
            }
        }
    }
    Ok(())
}
