//! What [`prepare`](crate::prepare) tells its caller while it works.

use std::ops::ControlFlow;

use crate::error::PrepareError;

/// How far a phase of the work has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The phase.
    pub phase: Phase,
    /// How much of `total` is done.
    pub done: u64,
    /// How much there is to do: bytes of the files as they lie on disk (compressed, where they are) while tables are
    /// examined or read, rows after that.
    pub total: u64,
    /// Rows that this phase has read or written.
    pub rows: u64,
}

/// A phase of the work, in the order of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// The checksums of the sources are computed.
    Examine,
    /// The table of users is read.
    ReadUsers,
    /// The table of items is read.
    ReadItems,
    /// The log is read, and sorted piece by piece.
    ReadLog,
    /// Samples are made and written, user by user.
    Write,
}

/// Whoever is told about the progress, and may stop the work.
pub(crate) struct Reporter<'a> {
    callback: &'a mut dyn FnMut(&Progress) -> ControlFlow<()>,
    last: Option<Progress>,
}

impl std::fmt::Debug for Reporter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reporter").field("last", &self.last).finish_non_exhaustive()
    }
}

impl<'a> Reporter<'a> {
    pub(crate) fn new(callback: &'a mut dyn FnMut(&Progress) -> ControlFlow<()>) -> Self {
        Self { callback, last: None }
    }

    /// Tells where the work is.
    pub(crate) fn report(&mut self, progress: Progress) -> Result<(), PrepareError> {
        self.last = Some(progress);
        self.again()
    }

    /// Tells again what was told last, so that work without rows can be stopped, too.
    pub(crate) fn again(&mut self) -> Result<(), PrepareError> {
        match self.last.as_ref().map(&mut self.callback) {
            Some(ControlFlow::Break(())) => Err(PrepareError::Interrupted),
            Some(ControlFlow::Continue(())) | None => Ok(()),
        }
    }
}
