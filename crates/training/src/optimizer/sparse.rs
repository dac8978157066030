//! Gradients that hold some rows of a table.

use fain_autograd::{Element, parallel_for, slice, slice_mut};
use fain_kernels::{Lookups, Pool, Real, RowState, RowStep, SecondMoment};
use tch::{Device, Kind, TchError, Tensor};

use super::rule::{Decay, Rule, Step};
use crate::TrainingError;

/// Moves the rows that a sparse gradient holds, and leaves all others with what is remembered of them.
///
/// The gradient has one sparse dimension. Rows that it holds several times are summed first: a rule that is not linear
/// in the gradient would otherwise see parts of it. A table on the CPU is moved where it lies, by a kernel; others by
/// libtorch's operations on copies of the rows.
pub(super) fn update_rows(
    rule: &mut dyn Rule,
    value: &mut Tensor,
    gradient: &Tensor,
    step: &Step,
    lookups: &mut Lookups,
) -> Result<(), TrainingError> {
    let in_place = value.device() == Device::Cpu && value.dim() == 2 && value.is_contiguous();
    match (in_place && gradient.kind() == value.kind(), value.kind()) {
        (true, Kind::Float) => update_in_place::<f32>(rule, value, gradient, step, lookups),
        (true, Kind::Double) => update_in_place::<f64>(rule, value, gradient, step, lookups),
        _ => Ok(update_copies(rule, value, gradient, step)?),
    }
}

/// The same by libtorch's operations, on any device.
fn update_copies(rule: &mut dyn Rule, value: &mut Tensor, gradient: &Tensor, step: &Step) -> Result<(), TchError> {
    let gradient = gradient.f_coalesce()?;
    let rows = gradient.f_indices()?.f_select(0, 0)?;
    if rows.numel() == 0 {
        return Ok(());
    }
    let l2_of_rows = step.l2_of_rows.as_ref().map(|l2| l2.f_index_select(0, &rows)).transpose()?;
    let step = Step { l2_of_rows, ..*step };
    let mut moved = value.f_index_select(0, &rows)?;
    let mut rule_of_rows = rule.of_rows(&rows)?;
    rule_of_rows.update(&mut moved, &gradient.f_values()?, &step)?;
    let _ = value.f_index_copy_(0, &rows, &moved)?;
    for ((_, mut whole), (_, part)) in rule.state().into_iter().zip(rule_of_rows.state()) {
        let _ = whole.f_index_copy_(0, &rows, &part)?;
    }
    Ok(())
}

/// The same in one pass over the lookups, without copies of rows.
fn update_in_place<T: Element + Real>(
    rule: &dyn Rule,
    value: &mut Tensor,
    gradient: &Tensor,
    step: &Step,
    lookups: &mut Lookups,
) -> Result<(), TrainingError> {
    let size = value.size();
    let (ids, gradients) = (gradient.f_internal_indices()?.f_contiguous()?, gradient.f_internal_values()?);
    lookups.sort(slice::<i64>(&ids)?, usize::try_from(size[0]).unwrap_or(0))?;
    if lookups.is_empty() {
        return Ok(());
    }
    let gradients = gradients.f_contiguous()?;
    let mut remembered = rule.state();
    let mut state = RowState::default();
    for (name, tensor) in &mut remembered {
        let of_rows = tensor.size() != size;
        let numbers = slice_mut::<T>(tensor)?;
        match *name {
            "mean" => state.mean = Some(numbers),
            "count" => state.count = Some(numbers),
            _ if of_rows => state.second = Some(SecondMoment::Row(numbers)),
            _ => state.second = Some(SecondMoment::Element(numbers)),
        }
    }
    let (l2, shrink) = match rule.decay() {
        Decay::Gradient => (step.weight_decay, 0.0),
        Decay::Parameter => (0.0, step.learning_rate * step.weight_decay),
    };
    let row_step = RowStep {
        rule: rule.of_kernel(step.number),
        learning_rate: step.learning_rate,
        l2,
        shrink,
        l2_of_rows: step.l2_of_rows.as_ref().map(slice::<T>).transpose()?,
    };
    let (width, table) = (usize::try_from(size[1]).unwrap_or(0), slice_mut::<T>(value)?);
    fain_kernels::update_rows(width, table, state, lookups, slice::<T>(&gradients)?, &row_step, &Threads)?;
    Ok(())
}

/// libtorch's threads.
struct Threads;

impl Pool for Threads {
    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        // The kernel counts the tasks that were done, and fails where some were not.
        let _counted = parallel_for(tasks, 1, |part| part.for_each(task));
    }
}
