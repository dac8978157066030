//! What a user's sessions mean for a candidate.

use tch::{Tensor, nn};

use crate::error::check_shape;
use crate::unbiased_linear::UnbiasedLinear;
use crate::{Jagged, LayerError, segment_softmax, segment_sum};

/// Pools session interests by their relevance to the candidate.
///
/// `a_k = exp(I_k W X) / Σ_k exp(I_k W X)`, `U = Σ_k a_k I_k`: the session interest activating layer of DSIN,
/// <https://arxiv.org/abs/1905.06482>.
/// Parameter: `weight` `[D, candidate]`, uniform in `±1/√candidate`.
#[derive(Debug)]
pub struct SessionInterestActivation {
    weight: UnbiasedLinear,
    width: i64,
    candidate: i64,
}

impl SessionInterestActivation {
    /// Registers the weight for session interests of width `width` and candidates of width `candidate`.
    ///
    /// # Errors
    /// [`LayerError::Config`] when a width is not positive.
    pub fn new(variables: &nn::Path<'_>, width: i64, candidate: i64) -> Result<Self, LayerError> {
        for (field, value) in [("width", width), ("candidate", candidate)] {
            if value < 1 {
                return Err(LayerError::Config { field, value: value.to_string(), allowed: "at least 1" });
            }
        }
        Ok(Self { weight: UnbiasedLinear::new(variables, candidate, width)?, width, candidate })
    }

    /// Width of a session's interest.
    pub fn width(&self) -> i64 {
        self.width
    }

    /// The weight of each session.
    ///
    /// # Shapes
    /// - `candidate` `[B, candidate]`; `interests` jagged `[S, D]` → `[S, 1]`, summing to 1 over each user's sessions
    ///
    /// # Errors
    /// [`LayerError::Shape`] when a width or the number of samples differs.
    pub fn weights(&self, candidate: &Tensor, interests: &Jagged) -> Result<Tensor, LayerError> {
        let layout = interests.layout();
        check_shape("candidate", candidate, &[Some(layout.rows()), Some(self.candidate)], "[B, D]")?;
        check_shape("interests", interests.values(), &[Some(layout.events()), Some(self.width)], "[S, D]")?;
        let query = layout.expand(&self.weight.forward(candidate)?)?;
        let logits = interests.values().f_mul(&query)?.f_sum_dim_intlist(1, true, interests.kind())?;
        segment_softmax(&logits, layout)
    }

    /// # Shapes
    /// - `candidate` `[B, candidate]`; `interests` jagged `[S, D]`
    /// - returns `[B, D]`; a user without sessions gives zeros
    ///
    /// # Errors
    /// [`LayerError::Shape`] when a width or the number of samples differs.
    pub fn forward(&self, candidate: &Tensor, interests: &Jagged) -> Result<Tensor, LayerError> {
        let weights = self.weights(candidate, interests)?;
        segment_sum(&interests.values().f_mul(&weights)?, interests.layout())
    }
}
