//! What a training tells while it runs.

use crate::EvaluationEvent;

/// A message to the observer of a training. The observer answers whether to go on.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// The model is built; steps follow.
    Started {
        /// How many numbers the model learns.
        parameters: u64,
        /// Training rows.
        train_rows: u64,
        /// Validation rows.
        validation_rows: u64,
        /// Most epochs.
        epochs: u64,
    },
    /// A step is done.
    Step {
        /// The running epoch, from 1.
        epoch: u64,
        /// Rows of this epoch that were trained on.
        epoch_rows: u64,
        /// Steps since the start of the run.
        step: u64,
    },
    /// Rows are being scored.
    Scoring {
        /// Which rows: `validation`, `train` or `test`.
        split: &'static str,
        /// Rows scored.
        rows: u64,
        /// Rows to score.
        of: u64,
    },
    /// An evaluation on the validation rows is done.
    Evaluated(&'a EvaluationEvent),
}
