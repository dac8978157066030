//! Pooling of a list to one vector.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::{Jagged, LayerError, segment_max, segment_sum};

/// How a list becomes one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// The sum of the events, as in the DIN paper's base model.
    Sum,
    /// The mean of the events.
    #[default]
    Mean,
    /// The largest value of each column over the events.
    Max,
}

/// Pools each sample's events.
///
/// # Shapes
/// - `list` jagged `[N, D]` → `[B, D]`; a sample without events gives zeros
///
/// # Errors
/// [`LayerError::Torch`] when libtorch refuses.
pub fn pool(list: &Jagged, pooling: Pooling) -> Result<Tensor, LayerError> {
    let layout = list.layout();
    match pooling {
        Pooling::Sum => segment_sum(list.values(), layout),
        Pooling::Max => segment_max(list.values(), layout),
        Pooling::Mean => {
            let counts = layout.lengths().f_clamp_min(1)?.f_to_kind(list.kind())?.f_unsqueeze(1)?;
            Ok(segment_sum(list.values(), layout)?.f_div(&counts)?)
        }
    }
}
