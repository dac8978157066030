//! Tables that start from vectors of elsewhere.

use std::path::Path;

use fain_features::{Aligned, CsvConfig, NumberColumns, VectorColumns, Vectors, Vocabulary};
use serde::{Deserialize, Serialize};
use tch::{Tensor, nn};

use crate::{EmbeddingsConfig, FeatureSpace, ModelError, TableSharing};

/// Vectors that a table starts from: `[model.embedding.pretrained.VOCABULARY]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PretrainedConfig {
    /// The table with the vectors, a row for each term. Relative to the folder of the data.
    pub file: String,
    /// The column with the terms.
    pub key: String,
    /// Whether the table stays as it starts. Terms without a vector, and the unknown term, are zero vectors then.
    #[serde(default)]
    pub frozen: bool,
    /// The column with a list of numbers for each term. Without it every other column is a number of the vectors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// Text between two numbers of a list; `|` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
    /// How a CSV file is written.
    #[serde(default, skip_serializing_if = "is_default")]
    pub csv: CsvConfig,
}

/// Text between two numbers of a list where the settings name none.
const SEPARATOR: &str = "|";

fn is_default(csv: &CsvConfig) -> bool {
    *csv == CsvConfig::default()
}

impl PretrainedConfig {
    /// # Errors
    /// [`ModelError::Config`] when a name is empty, or there is a separator without a list.
    pub(crate) fn check(&self, vocabulary: &str) -> Result<(), ModelError> {
        let refuse = |name: &str, value: &str, allowed: &str| {
            let key = format!("model.embedding.pretrained.{vocabulary}.{name}");
            Err(ModelError::Config { key, value: format!("\"{value}\""), allowed: allowed.to_owned() })
        };
        let names = [("file", Some(&self.file)), ("key", Some(&self.key)), ("list", self.list.as_ref())];
        for (name, value) in names.into_iter().chain([("separator", self.separator.as_ref())]) {
            if value.is_some_and(String::is_empty) {
                return refuse(name, "", "at least one character");
            }
        }
        match (&self.list, &self.separator) {
            (None, Some(separator)) => refuse("separator", separator, "nothing: only a list (`list`) has one"),
            _ => Ok(()),
        }
    }

    /// Reads the vectors of the terms of a vocabulary; `root` is the folder of the data, `name` that of the vocabulary.
    ///
    /// # Errors
    /// [`ModelError::Vectors`] for a file that cannot be read or does not hold vectors, and for a vocabulary that has no
    /// terms; [`ModelError::Config`] when no term has a vector.
    pub fn read(&self, name: &str, vocabulary: &Vocabulary, root: &Path) -> Result<PretrainedVectors, ModelError> {
        let numbers = match &self.list {
            None => NumberColumns::Others,
            Some(column) => NumberColumns::List { column, separator: self.separator.as_deref().unwrap_or(SEPARATOR) },
        };
        let vectors = Vectors::read(&[root.join(&self.file)], &self.csv, VectorColumns { key: &self.key, numbers })?;
        let Aligned { values, found } = vectors.align(vocabulary)?;
        if !found.contains(&true) {
            return Err(ModelError::Config {
                key: format!("model.embedding.pretrained.{name}.key"),
                value: format!("`{}`, in which {} has none of the vocabulary's terms", self.key, self.file),
                allowed: "the column with the terms, written as in the data".to_owned(),
            });
        }
        Ok(PretrainedVectors { vocabulary: name.to_owned(), width: vectors.width(), values, found })
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
