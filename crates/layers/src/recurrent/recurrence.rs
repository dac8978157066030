//! What a recurrence is, and how one is made from a single step.

use std::fmt::Debug;

use fain_autograd::widened;
use tch::Tensor;

use super::unroll::{Steps, empty_states};
use crate::error::check_shape;
use crate::{Jagged, LayerError};

/// One step of a recurrence that hears a relevance score: what to write to try a cell of one's own.
///
/// ```
/// use fain_layers::{Jagged, JaggedLayout, LayerError, Recurrence, RecurrentCell, Unrolled};
/// use tch::{Device, Tensor};
///
/// /// Adds each event to the state, as far as it is relevant.
/// #[derive(Debug)]
/// struct RelevantSum;
///
/// impl RecurrentCell for RelevantSum {
///     fn hidden(&self) -> i64 {
///         1
///     }
///     fn step(&self, inputs: &Tensor, scores: &Tensor, state: &Tensor) -> Result<Tensor, LayerError> {
///         Ok(state.f_add(&inputs.f_mul(scores)?)?)
///     }
/// }
///
/// # fn main() -> Result<(), LayerError> {
/// // Two samples with 2 and 1 events.
/// let layout = JaggedLayout::new(&[0, 2, 3], Device::Cpu)?;
/// let events = Jagged::new(Tensor::from_slice(&[1.0, 2.0, 3.0]).reshape([3, 1]), layout)?;
/// let scores = Tensor::from_slice(&[1.0, 0.5, 2.0]).reshape([3, 1]);
/// let states = Unrolled::new(RelevantSum).forward(&events, &scores, None)?;
/// assert_eq!(states.values(), &Tensor::from_slice(&[1.0, 2.0, 6.0]).reshape([3, 1]));
/// # Ok(())
/// # }
/// ```
pub trait RecurrentCell: Debug + Send {
    /// `H`, the width of the state.
    fn hidden(&self) -> i64;

    /// The state after one event of each of `M` samples, at least one.
    ///
    /// # Shapes
    /// - `inputs` `[M, D]`; `scores` `[M, 1]`; `state` `[M, H]` → `[M, H]`
    ///
    /// # Errors
    /// Whatever the cell refuses.
    fn step(&self, inputs: &Tensor, scores: &Tensor, state: &Tensor) -> Result<Tensor, LayerError>;
}

/// A recurrence over histories that hears a relevance score for each event.
///
/// A sample's states depend on its own events, scores and initial state only.
pub trait Recurrence: Debug + Send {
    /// `H`, the width of the state.
    fn hidden(&self) -> i64;

    /// The state after each event. Scores are used as they are: not clipped, not normalised.
    ///
    /// # Shapes
    /// - `inputs` jagged `[N, D]`; `scores` `[N, 1]`; `initial` `[B, H]`, zeros when absent
    /// - returns jagged `[N, H]`; a sample without events has no state in it
    ///
    /// # Errors
    /// [`LayerError::Shape`] when a width or a number of rows differs.
    fn forward(&self, inputs: &Jagged, scores: &Tensor, initial: Option<&Tensor>) -> Result<Jagged, LayerError>;

    /// Each sample's state after its last event, where the others are not wanted: as [`forward`](Self::forward) and
    /// [`Jagged::last`], which a recurrence may compute more cheaply.
    ///
    /// # Shapes
    /// - as [`forward`](Self::forward); returns `[B, H]`, zeros for a sample without events
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    fn last(&self, inputs: &Jagged, scores: &Tensor, initial: Option<&Tensor>) -> Result<Tensor, LayerError> {
        self.forward(inputs, scores, initial)?.last()
    }

    /// What it is, for tables: `AUGRU`.
    fn kind(&self) -> &'static str {
        "recurrence"
    }
}

/// A [`RecurrentCell`] run over histories, step by step, with libtorch's operations.
#[derive(Debug)]
pub struct Unrolled<C>(C);

impl<C: RecurrentCell> Unrolled<C> {
    /// Runs `cell`.
    pub fn new(cell: C) -> Self {
        Self(cell)
    }
}

impl<C: RecurrentCell> Recurrence for Unrolled<C> {
    fn hidden(&self) -> i64 {
        self.0.hidden()
    }

    fn forward(&self, inputs: &Jagged, scores: &Tensor, initial: Option<&Tensor>) -> Result<Jagged, LayerError> {
        let hidden = self.0.hidden();
        check_recurrence(inputs, Some(scores), initial, hidden)?;
        let layout = inputs.layout();
        if layout.events() == 0 {
            let operands: Vec<&Tensor> = [inputs.values(), scores].into_iter().chain(initial).collect();
            return empty_states(inputs, hidden, &operands);
        }
        let steps = Steps::new(layout)?;
        let (events, scores) = (steps.split(inputs.values())?, steps.split(scores)?);
        let initial = steps.initial(initial, inputs, hidden)?;
        let states = steps.run(&initial, |step, state| {
            let next = widened(&self.0.step(&events[step], &scores[step], state)?)?;
            check_shape("state after a step", &next, &[Some(state.size()[0]), Some(hidden)], "[M, H]")?;
            Ok(next)
        })?;
        Jagged::new(states, layout.clone())
    }
}

/// Whether scores and initial states fit the inputs.
pub(super) fn check_recurrence(
    inputs: &Jagged,
    scores: Option<&Tensor>,
    initial: Option<&Tensor>,
    hidden: i64,
) -> Result<(), LayerError> {
    let layout = inputs.layout();
    if let Some(scores) = scores {
        check_shape("scores", scores, &[Some(layout.events()), Some(1)], "[N, 1]")?;
    }
    if let Some(initial) = initial {
        check_shape("initial", initial, &[Some(layout.rows()), Some(hidden)], "[B, H]")?;
    }
    Ok(())
}
