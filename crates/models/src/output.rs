//! What a model gives.

use tch::Tensor;

/// What a model says about a batch.
#[derive(Debug)]
pub struct Output {
    /// `[B]`: the click probability is the logistic function of a logit. `[B, K]` from a model that was put together
    /// with `K > 1` outputs.
    pub logits: Tensor,
    /// What the model adds to the click loss in training, a scalar with its weight in it; only from models that have an
    /// auxiliary loss, and only in training. Within [`fain_autograd::overlap`] its number may be NaN until the backward
    /// pass has gone through it.
    pub auxiliary: Option<Tensor>,
}
