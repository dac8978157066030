//! Embedding tables.

use serde::{Deserialize, Serialize};
use tch::{Tensor, nn};

use crate::{Jagged, JaggedLayout, LayerError};

/// An embedding table's width and start.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmbeddingConfig {
    /// `D`, at least 1.
    pub dim: i64,
    /// Rows are drawn from a normal distribution with mean 0 and this standard deviation, above 0.
    pub std: f64,
    /// The table's gradient holds only the rows of the batch; the optimiser moves only those.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sparse: bool,
}

impl Default for EmbeddingConfig {
    fn default() -> Self {
        Self { dim: 16, std: 0.01, sparse: false }
    }
}

impl EmbeddingConfig {
    /// # Errors
    /// [`LayerError::Config`] names the setting that is out of bounds.
    pub fn check(&self) -> Result<(), LayerError> {
        if self.dim < 1 {
            return Err(LayerError::Config { field: "dim", value: self.dim.to_string(), allowed: "at least 1" });
        }
        if !(self.std > 0.0 && self.std.is_finite()) {
            return Err(LayerError::Config { field: "std", value: self.std.to_string(), allowed: "above 0" });
        }
        Ok(())
    }
}

/// One vector for each id of a vocabulary. Candidate and history that share a vocabulary share the table.
///
/// Parameter: `weight` `[V, D]`. Every row is real and trained: there is no padding row.
#[derive(Debug)]
pub struct Embedding {
    weight: Tensor,
    sparse: bool,
}

impl Embedding {
    /// Registers a table of `rows` rows.
    ///
    /// # Errors
    /// [`LayerError::Config`] when `rows`, `dim` or `std` is out of bounds.
    pub fn new(variables: &nn::Path<'_>, rows: i64, config: EmbeddingConfig) -> Result<Self, LayerError> {
        config.check()?;
        if rows < 1 {
            return Err(LayerError::Config { field: "rows", value: rows.to_string(), allowed: "at least 1" });
        }
        let init = nn::Init::Randn { mean: 0.0, stdev: config.std };
        Ok(Self { weight: variables.f_var("weight", &[rows, config.dim], init)?, sparse: config.sparse })
    }

    /// `[V, D]`.
    pub fn weight(&self) -> &Tensor {
        &self.weight
    }

    /// Looks ids up.
    ///
    /// # Shapes
    /// - `ids` `[B]`, int64, each below `V` → `[B, D]`
    ///
    /// # Errors
    /// [`LayerError::Torch`] when an id is out of range.
    pub fn forward(&self, ids: &Tensor) -> Result<Tensor, LayerError> {
        Ok(Tensor::f_embedding(&self.weight, ids, -1, false, self.sparse)?)
    }

    /// Looks the ids of a history up.
    ///
    /// # Shapes
    /// - `ids` `[N]`, int64 → jagged `[N, D]`
    ///
    /// # Errors
    /// [`LayerError::Torch`] when an id is out of range; [`LayerError::Shape`] when `ids` does not fit the layout.
    pub fn forward_jagged(&self, ids: &Tensor, layout: &JaggedLayout) -> Result<Jagged, LayerError> {
        Jagged::new(self.forward(ids)?, layout.clone())
    }
}
