//! The embedding tables of a schema's features.

use fain_layers::{Embedding, Jagged, JaggedLayout, Pooling, pool, pool_weighted};
use tch::{Kind, Tensor, nn};

use crate::{
    EmbeddingsConfig, FeatureSpace, InputColumn, ModelError, ModelInput, SpaceFeature, SpaceKind, TableSharing,
};

/// A table for each feature; features may share one.
///
/// Parameters: `{vocabulary}.weight` `[V, D]`, or `{feature}.weight` where each feature has its own.
#[derive(Debug)]
pub struct FeatureEmbeddings {
    features: Vec<SpaceFeature>,
    /// One per feature; none for numbers.
    tables: Vec<Option<Embedding>>,
    /// What the tables are called; empty where they were built elsewhere.
    names: Vec<String>,
}

impl FeatureEmbeddings {
    /// Registers the tables.
    ///
    /// # Errors
    /// [`ModelError::Config`] when the config is out of bounds or a name has a `.` in it, which separates the parts of a
    /// parameter's name; no variable is registered then.
    pub fn new(variables: &nn::Path<'_>, space: &FeatureSpace, config: &EmbeddingsConfig) -> Result<Self, ModelError> {
        config.check(space)?;
        let table = |name: &str, vocabulary: usize| {
            let (vocabulary, size) = &space.vocabularies()[vocabulary];
            Embedding::new(&(variables / name), *size as i64, config.table(vocabulary))
        };
        let shared: Vec<Embedding> = match config.tables {
            TableSharing::Vocabulary => (0..space.vocabularies().len())
                .map(|vocabulary| table(&space.vocabularies()[vocabulary].0, vocabulary))
                .collect::<Result<_, _>>()?,
            TableSharing::Feature => Vec::new(),
        };
        let mut tables = Vec::with_capacity(space.features().len());
        let mut names = Vec::with_capacity(space.features().len());
        for feature in space.features() {
            tables.push(match feature.kind.vocabulary() {
                None => {
                    names.push(String::new());
                    None
                }
                Some(vocabulary) => {
                    if let Some(shared) = shared.get(vocabulary) {
                        names.push(space.vocabularies()[vocabulary].0.clone());
                        Some(shared.clone())
                    } else {
                        names.push(feature.name.clone());
                        Some(table(&feature.name, vocabulary)?)
                    }
                }
            });
        }
        Ok(Self { features: space.features().to_vec(), tables, names })
    }

    /// Takes built tables: one for each feature that has a vocabulary, in the order of `features`. Clones of one table
    /// are shared.
    ///
    /// # Errors
    /// [`ModelError::Parts`] names the first feature that lacks its table or has one too many.
    pub fn from_tables(features: &[SpaceFeature], tables: Vec<Option<Embedding>>) -> Result<Self, ModelError> {
        if features.len() != tables.len() {
            return Err(ModelError::Parts {
                part: "embedding tables".to_owned(),
                problem: format!("{} features have {} entries", features.len(), tables.len()),
            });
        }
        for (feature, table) in features.iter().zip(&tables) {
            if feature.kind.vocabulary().is_none() == table.is_some() {
                let problem = match table {
                    Some(_) => format!("is {} and has a table", feature.kind.words()),
                    None => "has no table".to_owned(),
                };
                return Err(ModelError::Parts { part: format!("feature {}", feature.name), problem });
            }
        }
        Ok(Self { features: features.to_vec(), tables, names: Vec::new() })
    }

    /// The features, in the order of a batch's columns.
    pub fn features(&self) -> &[SpaceFeature] {
        &self.features
    }

    /// How many columns a feature has: the width of its table, 1 for what has none.
    pub fn width(&self, feature: usize) -> i64 {
        self.tables.get(feature).and_then(Option::as_ref).map_or(1, |table| table.weight().size()[1])
    }

    /// What the table of a feature is called; none for numbers and for tables that were built elsewhere.
    pub(crate) fn table_name(&self, feature: usize) -> Option<&str> {
        self.names.get(feature).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// The kind of the tables' numbers; float32 without tables.
    pub fn kind(&self) -> Kind {
        self.tables.iter().flatten().next().map_or(Kind::Float, |table| table.weight().kind())
    }

    /// The vectors of categories and sequences, `[B, D]` and `[N, D]`. Features that share a table are looked up
    /// together, so that the table has one gradient.
    ///
    /// # Errors
    /// [`ModelError::Column`] when a column of the batch is not of this schema.
    pub(crate) fn together(&self, input: &ModelInput, features: &[usize]) -> Result<Vec<Tensor>, ModelError> {
        let look_ups = features
            .iter()
            .map(|&feature| self.look_up(input, feature))
            .collect::<Result<Vec<(&Embedding, &Tensor)>, _>>()?;
        let mut vectors: Vec<Option<Tensor>> = features.iter().map(|_| None).collect();
        for first in 0..look_ups.len() {
            if vectors[first].is_some() {
                continue;
            }
            let table = look_ups[first].0;
            let places: Vec<usize> =
                (first..look_ups.len()).filter(|&place| look_ups[place].0.same_as(table)).collect();
            let ids: Vec<&Tensor> = places.iter().map(|&place| look_ups[place].1).collect();
            for (place, looked_up) in places.into_iter().zip(table.forward_together(&ids)?) {
                vectors[place] = Some(looked_up);
            }
        }
        Ok(vectors.into_iter().flatten().collect())
    }

    /// The table and the ids of a category or a sequence.
    fn look_up<'a>(&'a self, input: &'a ModelInput, feature: usize) -> Result<(&'a Embedding, &'a Tensor), ModelError> {
        let (kind, column) = (self.kind_of(feature), input.columns.get(feature));
        match (self.tables.get(feature), column, kind) {
            (Some(Some(table)), Some(InputColumn::Category(ids)), Some(SpaceKind::Category(_)))
            | (Some(Some(table)), Some(InputColumn::Sequence(ids, _)), Some(SpaceKind::Sequence(_))) => {
                Ok((table, ids))
            }
            (_, _, Some(SpaceKind::Sequence(_))) => Err(self.mismatch(feature, column, "a sequence")),
            _ => Err(self.mismatch(feature, column, "a category")),
        }
    }

    /// The vectors of a category: `[B, D]`.
    ///
    /// # Errors
    /// [`ModelError::Column`] when the batch's column is no category of this schema.
    pub fn category(&self, input: &ModelInput, feature: usize) -> Result<Tensor, ModelError> {
        match (self.tables.get(feature), input.columns.get(feature)) {
            (Some(Some(table)), Some(InputColumn::Category(ids)))
                if matches!(self.kind_of(feature), Some(SpaceKind::Category(_))) =>
            {
                input.for_all_rows(table.forward(ids)?)
            }
            (_, column) => Err(self.mismatch(feature, column, "a category")),
        }
    }

    /// The vectors of a sequence: jagged `[N, D]`.
    ///
    /// # Errors
    /// [`ModelError::Column`] when the batch's column is no sequence of this schema.
    pub fn sequence(&self, input: &ModelInput, feature: usize) -> Result<Jagged, ModelError> {
        match (self.tables.get(feature), input.columns.get(feature)) {
            (Some(Some(table)), Some(InputColumn::Sequence(ids, layout)))
                if matches!(self.kind_of(feature), Some(SpaceKind::Sequence(_))) =>
            {
                Ok(table.forward_jagged(ids, layout)?)
            }
            (_, column) => Err(self.mismatch(feature, column, "a sequence")),
        }
    }

    /// The vectors of a weighted sequence, jagged `[N, D]`, and what each weighs, `[N]`.
    ///
    /// # Errors
    /// [`ModelError::Column`] when the batch's column is no weighted sequence of this schema.
    pub fn weighted<'a>(&self, input: &'a ModelInput, feature: usize) -> Result<(Jagged, &'a Tensor), ModelError> {
        match (self.tables.get(feature), input.columns.get(feature)) {
            (Some(Some(table)), Some(InputColumn::Weighted(ids, layout, weights)))
                if matches!(self.kind_of(feature), Some(SpaceKind::Weighted(_))) =>
            {
                Ok((table.forward_jagged(ids, layout)?, weights))
            }
            (_, column) => Err(self.mismatch(feature, column, "a weighted sequence")),
        }
    }

    /// The times of a feature, `[N]` seconds, and where each sample's lie.
    ///
    /// # Errors
    /// [`ModelError::Column`] when the batch's column has no times of this schema.
    pub fn times<'a>(
        &self,
        input: &'a ModelInput,
        feature: usize,
    ) -> Result<(&'a [i64], &'a JaggedLayout), ModelError> {
        match (self.kind_of(feature), input.columns.get(feature)) {
            (Some(SpaceKind::Times), Some(InputColumn::Times(times, layout))) => Ok((times, layout)),
            (_, column) => Err(self.mismatch(feature, column, "times")),
        }
    }

    /// A number: `[B, 1]`, in the kind of the tables.
    ///
    /// # Errors
    /// [`ModelError::Column`] when the batch's column is no number of this schema.
    pub fn number(&self, input: &ModelInput, feature: usize) -> Result<Tensor, ModelError> {
        match (self.kind_of(feature), input.columns.get(feature)) {
            (Some(SpaceKind::Numeric), Some(InputColumn::Numeric(numbers))) => {
                input.for_all_rows(numbers.f_to_kind(self.kind())?.f_unsqueeze(1)?)
            }
            (_, column) => Err(self.mismatch(feature, column, "a number")),
        }
    }

    /// Any feature as one block of columns: `[B, width]`; lists are pooled.
    ///
    /// # Errors
    /// [`ModelError::Column`] when the batch's column is not of this schema; [`ModelError::Layer`] when a list with
    /// weights is pooled by a maximum.
    pub fn flat(&self, input: &ModelInput, feature: usize, pooling: Pooling) -> Result<Tensor, ModelError> {
        match self.kind_of(feature) {
            Some(SpaceKind::Sequence(_)) => input.for_all_rows(pool(&self.sequence(input, feature)?, pooling)?),
            Some(SpaceKind::Weighted(_)) => {
                let (list, weights) = self.weighted(input, feature)?;
                input.for_all_rows(pool_weighted(&list, weights, pooling)?)
            }
            Some(SpaceKind::Numeric) => self.number(input, feature),
            _ => self.category(input, feature),
        }
    }

    fn kind_of(&self, feature: usize) -> Option<SpaceKind> {
        self.features.get(feature).map(|feature| feature.kind)
    }

    fn mismatch(&self, feature: usize, column: Option<&InputColumn>, needed: &'static str) -> ModelError {
        let column_name =
            self.features.get(feature).map_or_else(|| feature.to_string(), |feature| feature.name.clone());
        ModelError::Column { column: column_name, got: column.map_or("missing", InputColumn::kind), needed }
    }
}
