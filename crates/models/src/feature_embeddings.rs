//! The embedding tables of a schema's vocabularies.

use fain_layers::{Embedding, EmbeddingConfig, Jagged, Pooling, pool};
use tch::{Tensor, nn};

use crate::error::ModelError;
use crate::{FeatureSpace, InputColumn, ModelInput, SpaceKind};

/// One table per vocabulary: features that share a vocabulary share its table.
///
/// Parameters: `{vocabulary}.weight` `[V, D]`.
#[derive(Debug)]
pub struct FeatureEmbeddings {
    tables: Vec<Embedding>,
    features: Vec<(String, SpaceKind)>,
    dim: i64,
}

impl FeatureEmbeddings {
    /// Registers the tables.
    ///
    /// # Errors
    /// [`ModelError::Config`] when the config is out of bounds or a vocabulary's name has a `.` in it, which separates
    /// the parts of a parameter's name.
    pub fn new(variables: &nn::Path<'_>, space: &FeatureSpace, config: EmbeddingConfig) -> Result<Self, ModelError> {
        config.check().map_err(|error| ModelError::under("model.embedding", error))?;
        check_names(space)?;
        let mut tables = Vec::with_capacity(space.vocabularies().len());
        for (name, size) in space.vocabularies() {
            tables.push(Embedding::new(&(variables / name), *size as i64, config)?);
        }
        let features = space.features().iter().map(|feature| (feature.name.clone(), feature.kind)).collect();
        Ok(Self { tables, features, dim: config.dim })
    }

    /// `D`.
    pub fn dim(&self) -> i64 {
        self.dim
    }

    /// The vectors of a category: `[B, D]`.
    ///
    /// # Errors
    /// [`ModelError::Column`] when the batch's column is no category of this schema.
    pub fn category(&self, input: &ModelInput, feature: usize) -> Result<Tensor, ModelError> {
        match (self.features.get(feature), input.columns.get(feature)) {
            (Some((_, SpaceKind::Category(table))), Some(InputColumn::Category(ids))) => {
                Ok(self.tables[*table].forward(ids)?)
            }
            (_, column) => Err(self.mismatch(feature, column, "a category")),
        }
    }

    /// The vectors of a sequence: jagged `[N, D]`.
    ///
    /// # Errors
    /// [`ModelError::Column`] when the batch's column is no sequence of this schema.
    pub fn sequence(&self, input: &ModelInput, feature: usize) -> Result<Jagged, ModelError> {
        match (self.features.get(feature), input.columns.get(feature)) {
            (Some((_, SpaceKind::Sequence(table))), Some(InputColumn::Sequence(ids, layout))) => {
                Ok(self.tables[*table].forward_jagged(ids, layout)?)
            }
            (_, column) => Err(self.mismatch(feature, column, "a sequence")),
        }
    }

    /// Any feature as one block of columns: `[B, D]`, or `[B, 1]` for a number; lists are pooled.
    ///
    /// # Errors
    /// [`ModelError::Column`] when the batch's column is not of this schema.
    pub fn flat(&self, input: &ModelInput, feature: usize, pooling: Pooling) -> Result<Tensor, ModelError> {
        match (self.features.get(feature).map(|(_, kind)| kind), input.columns.get(feature)) {
            (Some(SpaceKind::Sequence(_)), _) => Ok(pool(&self.sequence(input, feature)?, pooling)?),
            (Some(SpaceKind::Numeric), Some(InputColumn::Numeric(numbers))) => Ok(numbers
                .f_to_kind(self.tables.first().map_or(numbers.kind(), |table| table.weight().kind()))?
                .f_unsqueeze(1)?),
            (Some(SpaceKind::Numeric), column) => Err(self.mismatch(feature, column, "a number")),
            _ => self.category(input, feature),
        }
    }

    fn mismatch(&self, feature: usize, column: Option<&InputColumn>, needed: &'static str) -> ModelError {
        let column_name = self.features.get(feature).map_or_else(|| feature.to_string(), |(name, _)| name.clone());
        ModelError::Column { column: column_name, got: column.map_or("missing", InputColumn::kind), needed }
    }
}

/// A parameter's name has its parts separated by `.`.
pub(crate) fn check_names(space: &FeatureSpace) -> Result<(), ModelError> {
    match space.vocabularies().iter().find(|(name, _)| name.contains('.')) {
        None => Ok(()),
        Some((name, _)) => Err(ModelError::Config {
            key: format!("schema.features.\"{name}\""),
            value: format!("`{name}`"),
            allowed: "a name without `.`, because it becomes part of parameter names".to_owned(),
        }),
    }
}
