//! The settings of a model's embedding tables.

use std::collections::BTreeMap;

use fain_layers::EmbeddingConfig;
use serde::{Deserialize, Serialize};

use crate::{FeatureSpace, ModelError, PretrainedConfig};

/// Width and start of the embedding tables: `[model.embedding]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmbeddingsConfig {
    /// `D`, at least 1.
    pub dim: i64,
    /// Rows are drawn from a normal distribution with mean 0 and this standard deviation, above 0.
    pub std: f64,
    /// The tables' gradients hold only the rows of the batch; the optimiser moves only those.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sparse: bool,
    /// Whether row 0, the unknown term, stays zero and is never trained.
    pub zero_row: bool,
    /// Whether features of one vocabulary share a table.
    pub tables: TableSharing,
    /// Widths of single tables that differ from `dim`, by the name of the vocabulary.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dims: BTreeMap<String, i64>,
    /// Tables that start from vectors of a file, by the name of the vocabulary.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub pretrained: BTreeMap<String, PretrainedConfig>,
}

/// Which features share an embedding table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableSharing {
    /// Those of one vocabulary: an item is the same vector as candidate and in the history. DIN, section 4.2.
    #[default]
    Vocabulary,
    /// None: each feature has a table of its own, as in some notebooks.
    Feature,
}

/// An embedding table of a model, as [`EmbeddingsConfig::trained_tables`] lists them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableParameter {
    /// The parameter's name.
    pub name: String,
    /// `V`.
    pub rows: usize,
    /// The features that read it, by their places in the space.
    pub features: Vec<usize>,
}

impl Default for EmbeddingsConfig {
    fn default() -> Self {
        let EmbeddingConfig { dim, std, sparse, zero_row, frozen: _ } = EmbeddingConfig::default();
        let tables = TableSharing::default();
        Self { dim, std, sparse, zero_row, tables, dims: BTreeMap::new(), pretrained: BTreeMap::new() }
    }
}

impl EmbeddingsConfig {
    /// The table of a vocabulary.
    pub(crate) fn table(&self, vocabulary: &str) -> EmbeddingConfig {
        let dim = self.dims.get(vocabulary).copied().unwrap_or(self.dim);
        let frozen = self.pretrained.get(vocabulary).is_some_and(|vectors| vectors.frozen);
        EmbeddingConfig { dim, std: self.std, sparse: self.sparse, zero_row: self.zero_row, frozen }
    }

    /// The embedding tables that a model has and trains.
    pub fn trained_tables(&self, space: &FeatureSpace) -> Vec<TableParameter> {
        let mut tables: Vec<TableParameter> = Vec::new();
        for (place, feature) in space.features().iter().enumerate() {
            let Some((vocabulary, rows)) = feature.kind.vocabulary().map(|index| &space.vocabularies()[index]) else {
                continue;
            };
            if self.table(vocabulary).frozen {
                continue;
            }
            let name = match self.tables {
                TableSharing::Vocabulary => vocabulary,
                TableSharing::Feature => &feature.name,
            };
            let name = format!("embedding.{name}.weight");
            match tables.iter_mut().find(|table| table.name == name) {
                Some(table) => table.features.push(place),
                None => tables.push(TableParameter { name, rows: *rows, features: vec![place] }),
            }
        }
        tables
    }

    /// # Errors
    /// [`ModelError::Config`] when a setting is out of bounds, `dims` or `pretrained` names no vocabulary, or a name has a `.` in it,
    /// which separates the parts of a parameter's name.
    pub(crate) fn check(&self, space: &FeatureSpace) -> Result<(), ModelError> {
        let names: Vec<&str> = space.vocabularies().iter().map(|(name, _)| name.as_str()).collect();
        self.table("").check().map_err(|error| ModelError::under("model.embedding", error))?;
        let keys = self.dims.keys().map(|name| ("dims", name));
        for (key, name) in keys.chain(self.pretrained.keys().map(|name| ("pretrained", name))) {
            if !names.contains(&name.as_str()) {
                return Err(ModelError::Config {
                    key: format!("model.embedding.{key}"),
                    value: format!("`{name}`"),
                    allowed: format!("a vocabulary of the schema: {}", names.join(", ")),
                });
            }
        }
        for (name, vectors) in &self.pretrained {
            vectors.check(name)?;
        }
        for (name, &dim) in &self.dims {
            if dim < 1 {
                return Err(ModelError::Config {
                    key: format!("model.embedding.dims.{name}"),
                    value: dim.to_string(),
                    allowed: "at least 1".to_owned(),
                });
            }
        }
        let categories = space.features().iter().filter(|feature| feature.kind.vocabulary().is_some());
        let mut parts = names.into_iter().chain(categories.map(|feature| feature.name.as_str()));
        match parts.find(|name| name.contains('.')) {
            None => Ok(()),
            Some(name) => Err(ModelError::Config {
                key: format!("schema.features.\"{name}\""),
                value: format!("`{name}`"),
                allowed: "a name without `.`, because it becomes part of parameter names".to_owned(),
            }),
        }
    }
}
