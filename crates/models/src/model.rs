//! What every model is.

use std::fmt::Debug;

use fain_layers::Mode;
use tch::{Tensor, nn};

use crate::{Candidates, ModelError, ModelGraph, ModelInput, Output, UserState};

/// A model: a batch in, one logit per sample out, in training with the model's auxiliary loss. It owns
/// no optimiser, no device and no files.
pub trait Model: Debug + Send {
    /// Under `fain_autograd::autocast` logits and loss are float32 as well.
    ///
    /// # Shapes
    /// - returns logits `[B]`; the click probability is their logistic function
    ///
    /// # Errors
    /// [`ModelError::Column`] when the batch is not of the schema the model was built for.
    fn forward(&self, input: &ModelInput, mode: Mode) -> Result<Output, ModelError>;

    /// Reads what depends on one user alone, for scoring: what [`score_candidates`](Self::score_candidates) need not
    /// compute for each candidate.
    ///
    /// # Errors
    /// [`ModelError::Parts`] when `user` is not one row; [`ModelError::Column`] when it is not of the schema the model was
    /// built for.
    fn user_state(&self, user: ModelInput) -> Result<UserState, ModelError> {
        UserState::new(user)
    }

    /// The logits of candidates before one user, whom this model has read: those of [`forward`](Self::forward) in
    /// evaluation, for a batch in which each candidate has the user's features beside it ([`UserState::beside`]). A model
    /// that does not say how to do better computes them like that.
    ///
    /// # Shapes
    /// - returns logits `[K]` of at least one candidate
    ///
    /// # Errors
    /// [`ModelError::Parts`] when there is no candidate, or another model has read the user, as far as that is seen.
    fn score_candidates(&self, user: &UserState, candidates: &Candidates) -> Result<Tensor, ModelError> {
        Ok(self.forward(&user.beside(candidates)?, Mode::Evaluation)?.logits)
    }

    /// Whether [`forward`](Self::forward) does more with the auxiliary loss of a layer than to hand it on. A training then
    /// does not let it be computed beside the rest of the step, by [`fain_autograd::overlap`].
    fn reads_auxiliary_loss(&self) -> bool {
        true
    }

    /// The layers and how data goes through them, for tables and drawings.
    fn graph(&self) -> ModelGraph;
}

/// How many numbers a model learns.
pub fn parameter_count(variables: &nn::VarStore) -> u64 {
    variables.trainable_variables().iter().map(|tensor| tensor.numel() as u64).sum()
}
