use std::ops::ControlFlow;

use crate::error::SimulatorError;

/// How far the work is. The callback that gets it answers whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// Units done in this phase.
    pub done: u64,
    /// Units in all.
    pub total: u64,
}

/// What is being done, and what [`Progress`] counts in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Users that are not written are simulated for the blind probability; counts profiles.
    Calibrate,
    /// Users are simulated and written; counts impressions.
    Write,
}

/// What the caller answers to [`Progress`] with: `Break` ends the work and removes what it left.
pub(crate) type Report<'a> = &'a mut dyn FnMut(&Progress) -> ControlFlow<()>;

pub(crate) fn report(to: Report<'_>, phase: Phase, done: u64, total: u64) -> Result<(), SimulatorError> {
    match to(&Progress { phase, done, total }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(SimulatorError::Interrupted),
    }
}
