//! The two public passes: checks, layout of the weights, tasks, and the sums over tasks.

use crate::backward::{BackwardJob, BackwardOutput, Sums};
use crate::buffers::{Gradients, Sequences, StateGradient, Weights};
use crate::cell::Cell;
use crate::error::KernelError;
use crate::forward::{ForwardJob, ForwardOutput};
use crate::instruction_set::{Detected, InstructionSet};
use crate::panel::{ForwardPanels, Panels};
use crate::partition::{MOST_TASKS, Task, partition};
use crate::pool::Pool;
use crate::problem::Problem;
use crate::scalar::Real;
use crate::tasks::{Pieces, run_all};

/// Runs a cell over every sequence of a batch, with the widest vectors of this processor.
///
/// Every number depends on its own sample alone, and is the same to the last bit for any pool and any batch mates. A
/// sample without events has no rows, and costs nothing.
///
/// # Shapes
/// - `width` is `D`, `hidden` is `H`; [`Sequences`] and [`Weights`] name the shapes of their fields
/// - `states` `[N, H]`, written: the state after each event, in jagged order
/// - `saved` `[N, saved_width]`, written: what [`recurrence_backward`] needs; its layout is private
///   ([`Cell::saved_width`])
///
/// # Errors
/// [`KernelError`] names the buffer, its length and the length needed; nothing has been written then. A [`Pool`] that
/// leaves tasks undone is an error too.
#[allow(clippy::too_many_arguments, reason = "sizes, inputs, outputs and threads of one call of a kernel")]
pub fn recurrence_forward<T: Real>(
    cell: Cell,
    width: usize,
    hidden: usize,
    sequences: &Sequences<'_, T>,
    weights: &Weights<'_, T>,
    states: &mut [T],
    saved: Option<&mut [T]>,
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    let set = InstructionSet::best();
    recurrence_forward_with(set, cell, width, hidden, sequences, weights, states, saved, pool)
}

/// [`recurrence_forward`] with a chosen instruction set.
///
/// # Errors
/// As [`recurrence_forward`], and [`KernelError::Unavailable`] where the processor lacks the instructions.
#[allow(clippy::too_many_arguments, reason = "sizes, inputs, outputs and threads of one call of a kernel")]
pub fn recurrence_forward_with<T: Real>(
    set: InstructionSet,
    cell: Cell,
    width: usize,
    hidden: usize,
    sequences: &Sequences<'_, T>,
    weights: &Weights<'_, T>,
    states: &mut [T],
    saved: Option<&mut [T]>,
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    let set = Detected::new(set)?;
    let problem = Problem::new(cell, (width, hidden), sequences, weights)?;
    problem.check_states("states", states)?;
    problem.check_saved(saved.as_deref())?;

    let job = ForwardJob { problem: &problem, panels: ForwardPanels::new(&problem, T::lanes(set)) };
    let tasks = partition(sequences.offsets, MOST_TASKS);
    let mut states = Pieces(Some(states));
    let mut saved = Pieces(saved);
    let saved_width = problem.saved_width();
    let work = tasks.into_iter().map(|task| {
        let rows = task.rows.len();
        // The states always have a piece: only what is optional can lack one.
        let output = ForwardOutput {
            states: states.take(rows * hidden).unwrap_or_default(),
            saved: saved.take(rows * saved_width),
        };
        (task, output)
    });
    run_all(pool, work, |(task, output): (Task, _)| T::forward(set, &job, &task, output)).map(drop)
}

/// The gradients of [`recurrence_forward`], with the widest vectors of this processor.
///
/// The gradients of weights and biases are sums over all events. They are taken in an order that the offsets alone
/// decide: the result is the same to the last bit for any pool.
///
/// # Shapes
/// - `width`, `hidden`, `sequences`, `weights`: as given to the forward pass
/// - `states` `[N, H]` and `saved` `[N, saved_width]`: as the forward pass wrote them
/// - `gradient`: of the states, all or the last ones; [`StateGradient`] names the shapes
/// - `gradients`: written; [`Gradients`] names the shapes of its fields
///
/// # Errors
/// As [`recurrence_forward`]; also when a gradient of scores is wanted of a cell that takes none.
#[allow(clippy::too_many_arguments, reason = "sizes, inputs, outputs and threads of one call of a kernel")]
pub fn recurrence_backward<T: Real>(
    cell: Cell,
    width: usize,
    hidden: usize,
    sequences: &Sequences<'_, T>,
    weights: &Weights<'_, T>,
    states: &[T],
    saved: &[T],
    gradient: StateGradient<'_, T>,
    gradients: &mut Gradients<'_, T>,
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    let set = InstructionSet::best();
    recurrence_backward_with(set, cell, width, hidden, sequences, weights, states, saved, gradient, gradients, pool)
}

/// [`recurrence_backward`] with a chosen instruction set, which need not be that of the forward pass.
///
/// # Errors
/// As [`recurrence_backward`], and [`KernelError::Unavailable`] where the processor lacks the instructions.
#[allow(clippy::too_many_arguments, reason = "sizes, inputs, outputs and threads of one call of a kernel")]
pub fn recurrence_backward_with<T: Real>(
    set: InstructionSet,
    cell: Cell,
    width: usize,
    hidden: usize,
    sequences: &Sequences<'_, T>,
    weights: &Weights<'_, T>,
    states: &[T],
    saved: &[T],
    gradient: StateGradient<'_, T>,
    gradients: &mut Gradients<'_, T>,
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    let set = Detected::new(set)?;
    let problem = Problem::new(cell, (width, hidden), sequences, weights)?;
    problem.check_states("states", states)?;
    problem.check_saved(Some(saved))?;
    problem.check_gradient(gradient)?;
    problem.check_gradients(gradients)?;

    let lanes = T::lanes(set);
    let job = BackwardJob {
        problem: &problem,
        states,
        saved,
        gradient,
        input_panels: gradients
            .inputs
            .is_some()
            .then(|| Panels::backward(&problem, weights.input, width, cell.input_order(), lanes)),
        zeros: vec![T::ZERO; hidden],
        hidden_panels: Panels::backward(&problem, weights.hidden, hidden, cell.state_order(), lanes),
        sums: gradients.input_weight.is_some()
            || gradients.hidden_weight.is_some()
            || gradients.input_bias.is_some()
            || gradients.hidden_bias.is_some(),
    };
    let tasks = partition(sequences.offsets, MOST_TASKS);
    let mut inputs = Pieces(gradients.inputs.as_deref_mut());
    let mut scores = Pieces(gradients.scores.as_deref_mut());
    let mut initial = Pieces(gradients.initial.as_deref_mut());
    let work = tasks.into_iter().map(|task| {
        let rows = task.rows.len();
        let output = BackwardOutput {
            inputs: inputs.take(rows * width),
            scores: scores.take(rows),
            initial: initial.take(task.samples.len() * hidden),
        };
        (task, output)
    });
    let parts = run_all(pool, work, |(task, output): (Task, _)| T::backward(set, &job, &task, output))?;
    write_sums(parts, &problem, gradients);
    Ok(())
}

/// Adds up the tasks' sums in the order of the tasks.
fn write_sums<T: Real>(parts: Vec<Sums<T>>, problem: &Problem<'_, T>, gradients: &mut Gradients<'_, T>) {
    let mut parts = parts.into_iter();
    if let Some(mut total) = parts.next() {
        for part in parts {
            total.merge(&part);
        }
        total.write(problem, gradients);
    } else {
        // A batch without samples.
        let sums = [
            &mut gradients.input_weight,
            &mut gradients.hidden_weight,
            &mut gradients.input_bias,
            &mut gradients.hidden_bias,
        ];
        for sum in sums.into_iter().flatten() {
            sum.fill(T::ZERO);
        }
    }
}
