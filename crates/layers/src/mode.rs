//! Training or evaluation, as an argument of every forward pass.

/// Whether a forward pass belongs to training or to evaluation.
///
/// In training, batch statistics are taken from the batch and dropout is drawn; in evaluation, running statistics are
/// used and dropout is the identity, so that a row's result does not depend on its batch mates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Statistics come from the batch, dropout is drawn.
    Training,
    /// Statistics are the running ones, nothing is drawn.
    Evaluation,
}

impl Mode {
    /// True for [`Mode::Training`].
    pub fn is_training(self) -> bool {
        self == Self::Training
    }
}
