//! What every reader of a history is.

use std::fmt::Debug;

use tch::Tensor;

use crate::{HistoryState, Jagged, LayerError, Mode, Outline};

/// What an interest is made from.
#[derive(Debug, Clone, Copy)]
pub struct InterestInput<'a> {
    /// `[B, D]`: the candidate of each sample.
    pub candidate: &'a Tensor,
    /// Jagged `[N, D]`: the events of each sample, oldest first.
    pub history: &'a Jagged,
    /// Jagged `[N, D]` of the same layout: for each event one that did not happen. It is given when the auxiliary loss
    /// is wanted.
    pub negative: Option<&'a Jagged>,
    /// `[N]`: when each event happened, in seconds, never falling within a history. It is given to layers that read it.
    pub times: Option<&'a [i64]>,
}

/// What a user's history says in the light of a candidate.
#[derive(Debug)]
pub struct Interest {
    /// `[B, W]`; a sample without events has what the layer gives for no events, in most layers zeros.
    pub vector: Tensor,
    /// The auxiliary loss, a scalar, from layers that have one when they were given negatives. Its weight is in it: it is
    /// added to the click loss as it is. Within [`fain_autograd::overlap`] its number may be NaN until the backward pass
    /// has gone through it.
    pub auxiliary: Option<Tensor>,
}

/// Reads a history in the light of a candidate: the part in which DIN, DIEN, DSIN and BST differ.
///
/// A result depends on the sample's own history and candidate only, except for batch statistics in training.
pub trait InterestLayer: Debug + Send {
    /// `W`, the width of the vector.
    fn outputs(&self) -> i64;

    /// # Errors
    /// [`LayerError::Shape`] when a width or the number of samples differs.
    fn forward(&self, input: &InterestInput<'_>, mode: Mode) -> Result<Interest, LayerError>;

    /// Reads one user's history before a candidate is known, for scoring: what
    /// [`forward_candidates`](Self::forward_candidates) need not compute for each of them. Unless a layer says otherwise
    /// it is the events as they are.
    ///
    /// # Shapes
    /// - `history` jagged `[N, D]` of one sample; `times` `[N]`, given to layers that read them
    ///
    /// # Errors
    /// [`LayerError::Offsets`] when there is not one sample; [`LayerError::Shape`] when the width differs.
    fn read_history(&self, history: &Jagged, times: Option<&[i64]>) -> Result<HistoryState, LayerError> {
        Ok(HistoryState::new(vec![history.clone()])?.with_times(times))
    }

    /// The vectors of `K` candidates before one history, which this layer has read: those of
    /// [`forward`](Self::forward) in evaluation, for `K` samples that have this history. Unless a layer says otherwise
    /// they are computed like that.
    ///
    /// # Shapes
    /// - `candidates` `[K, D]` with `K ≥ 1` → `[K, W]`
    ///
    /// # Errors
    /// As [`forward`](Self::forward); and when another layer has read the history.
    fn forward_candidates(&self, candidates: &Tensor, state: &HistoryState) -> Result<Tensor, LayerError> {
        state.part(0)?;
        let (history, times) = (state.repeat(candidates)?, state.repeat_times(candidates));
        let input =
            InterestInput { candidate: candidates, history: &history[0], negative: None, times: times.as_deref() };
        Ok(self.forward(&input, Mode::Evaluation)?.vector)
    }

    /// Whether [`forward`](Self::forward) does more with the auxiliary loss of a layer inside than to hand it on. A training
    /// then does not let it be computed beside the rest of the step, by [`fain_autograd::overlap`].
    fn reads_auxiliary_loss(&self) -> bool {
        true
    }

    /// The layers inside, for tables and drawings.
    fn outline(&self) -> Outline {
        Outline::single("interest", self.outputs())
    }
}

/// Scores the events of a history in the light of a candidate.
pub trait Attention: Debug + Send {
    /// The weight of each event.
    ///
    /// # Shapes
    /// - `candidate` `[B, D]`; `history` jagged `[N, D]` → `[N, 1]`
    ///
    /// # Errors
    /// [`LayerError::Shape`] when a width or the number of samples differs.
    fn weights(&self, candidate: &Tensor, history: &Jagged, mode: Mode) -> Result<Tensor, LayerError>;
}
