//! Tables that start from vectors of elsewhere.

use serde::{Deserialize, Serialize};
use tch::{Tensor, nn};

use crate::{EmbeddingsConfig, FeatureSpace, ModelError, TableSharing};

/// Vectors that a table starts from: `[model.embedding.pretrained.VOCABULARY]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PretrainedConfig {
    /// The file with the vectors, CSV or Parquet: a row for each term. Relative to the folder of the data.
    pub file: String,
    /// The column with the terms.
    pub key: String,
    /// Whether the table stays as it starts. Terms without a vector, and the unknown term, are zero vectors then.
    #[serde(default)]
    pub frozen: bool,
}

impl PretrainedConfig {
    /// # Errors
    /// [`ModelError::Config`] when a name is empty.
    pub(crate) fn check(&self, vocabulary: &str) -> Result<(), ModelError> {
        for (name, value) in [("file", &self.file), ("key", &self.key)] {
            if value.is_empty() {
                return Err(ModelError::Config {
                    key: format!("model.embedding.pretrained.{vocabulary}.{name}"),
                    value: "\"\"".to_owned(),
                    allowed: "at least one character".to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// Vectors for the ids of a vocabulary.
#[derive(Debug, Clone, PartialEq)]
pub struct PretrainedVectors {
    /// The vocabulary's name.
    pub vocabulary: String,
    /// `D`
    pub width: usize,
    /// `[V, D]`, row by row; what stands in a row that was not found is not read.
    pub values: Vec<f32>,
    /// `[V]`: whether an id has a vector.
    pub found: Vec<bool>,
}

impl PretrainedVectors {
    /// Copies the vectors into the tables of the vocabulary.
    ///
    /// A row with a vector takes it. The others stay as they are: drawn as any row of a table that is trained, zero in a
    /// frozen one. So does row 0 where it is to stay zero ([`EmbeddingsConfig::zero_row`]).
    ///
    /// # Errors
    /// [`ModelError::Config`] when the width is not the table's; [`ModelError::Parts`] when the vectors are not those of a
    /// vocabulary of the space, or its tables are not among the variables. The tables are as they were then.
    pub fn copy_to(
        &self,
        variables: &nn::VarStore,
        space: &FeatureSpace,
        config: &EmbeddingsConfig,
    ) -> Result<(), ModelError> {
        let refuse = |problem: String| {
            Err(ModelError::Parts { part: format!("vectors of the vocabulary {}", self.vocabulary), problem })
        };
        let Some(index) = space.vocabularies().iter().position(|(name, _)| *name == self.vocabulary) else {
            return refuse("there is no such vocabulary".to_owned());
        };
        let rows = space.vocabularies()[index].1;
        let dim = config.table(&self.vocabulary).dim;
        if i64::try_from(self.width) != Ok(dim) {
            return Err(ModelError::Config {
                key: format!("model.embedding.pretrained.{}", self.vocabulary),
                value: format!("vectors of width {}", self.width),
                allowed: format!("width {dim}, which the table has (model.embedding.dims.{} sets it)", self.vocabulary),
            });
        }
        if self.found.len() != rows || self.values.len() != rows * self.width {
            let (ids, numbers) = (self.found.len(), self.values.len());
            return refuse(format!("{ids} ids and {numbers} numbers for {rows} rows of width {dim}"));
        }
        let ids: Vec<i64> = (0_i64..)
            .zip(&self.found)
            .filter(|&(id, &found)| found && !(config.zero_row && id == 0))
            .map(|(id, _)| id)
            .collect();
        let all = variables.variables();
        let mut tables = Vec::new();
        for name in self.tables(space, index, config.tables) {
            match all.get(&format!("embedding.{name}.weight")) {
                Some(table) => tables.push(table),
                None => return refuse(format!("there is no table embedding.{name}")),
            }
        }
        let values = Tensor::f_from_slice(&self.values)?.f_reshape([rows as i64, dim])?;
        let ids = Tensor::f_from_slice(&ids)?;
        let values = values.f_index_select(0, &ids)?;
        let _guard = tch::no_grad_guard();
        for table in tables {
            let device = table.device();
            let values = values.f_to_device(device)?.f_to_kind(table.kind())?;
            let _copied = table.shallow_clone().f_index_copy_(0, &ids.f_to_device(device)?, &values)?;
        }
        Ok(())
    }

    /// What the tables of a vocabulary are called.
    fn tables(&self, space: &FeatureSpace, index: usize, sharing: TableSharing) -> Vec<String> {
        match sharing {
            TableSharing::Vocabulary => vec![self.vocabulary.clone()],
            TableSharing::Feature => {
                let features = space.features().iter().filter(|feature| feature.kind.vocabulary() == Some(index));
                features.map(|feature| feature.name.clone()).collect()
            }
        }
    }
}
