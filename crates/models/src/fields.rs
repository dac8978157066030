//! Fields: the features that have vectors, which models of products multiply.

use tch::Tensor;

use crate::blocks::Origin;
use crate::tower::Tower;
use crate::{EmbeddingsConfig, FeatureSpace, ModelError};

/// Which blocks of a tower are fields: categories and pooled lists, all of one width.
#[derive(Debug)]
pub(crate) struct Fields {
    blocks: Vec<usize>,
    width: i64,
}

impl Fields {
    /// # Errors
    /// [`ModelError::Parts`] when two tables differ in width, or there are fewer than two fields.
    pub(crate) fn of(tower: &Tower) -> Result<Self, ModelError> {
        let embeddings = tower.embeddings();
        let mut fields: Vec<(usize, usize)> = Vec::new();
        for (block, origin) in tower.origins().enumerate() {
            match origin {
                Origin::Feature(feature) if embeddings.features()[feature].kind.vocabulary().is_some() => {
                    fields.push((block, feature));
                }
                _ => {}
            }
        }
        let refuse = |problem: String| Err(ModelError::Parts { part: "fields".to_owned(), problem });
        let Some(&(_, first)) = fields.first().filter(|_| fields.len() > 1) else {
            return refuse(format!("there are {}; products take at least 2 categories or sequences", fields.len()));
        };
        let width = embeddings.width(first);
        if let Some(&(_, other)) = fields.iter().find(|&&(_, feature)| embeddings.width(feature) != width) {
            let name = |feature: usize| &embeddings.features()[feature].name;
            let (got, first, other) = (embeddings.width(other), name(first), name(other));
            return refuse(format!("{other} has width {got}, but {first} has {width}; products take one width"));
        }
        Ok(Self { blocks: fields.into_iter().map(|(block, _)| block).collect(), width })
    }

    /// `F`
    pub(crate) fn count(&self) -> i64 {
        self.blocks.len() as i64
    }

    /// `D`
    pub(crate) fn width(&self) -> i64 {
        self.width
    }

    /// The fields among a tower's columns: `[B, F, D]`.
    pub(crate) fn stack(&self, columns: &[Tensor]) -> Result<Tensor, ModelError> {
        let fields: Vec<&Tensor> = self.blocks.iter().filter_map(|&block| columns.get(block)).collect();
        Ok(Tensor::f_stack(&fields, 1)?)
    }

    /// The fields' nodes among those of a tower's columns.
    pub(crate) fn nodes(&self, columns: &[Vec<usize>]) -> Vec<usize> {
        self.blocks.iter().filter_map(|&block| columns.get(block)).flatten().copied().collect()
    }
}

/// How many fields a space has.
pub(crate) fn count(space: &FeatureSpace) -> usize {
    space.features().iter().filter(|feature| feature.kind.vocabulary().is_some()).count()
}

/// Looks for conflicts of a model of products with the features.
///
/// # Errors
/// [`ModelError::Config`] when there are fewer than two fields, or the table of a vocabulary has a width of its own.
pub(crate) fn check(space: &FeatureSpace, embedding: &EmbeddingsConfig) -> Result<(), ModelError> {
    let fields = count(space);
    if fields < 2 {
        return Err(ModelError::Config {
            key: "schema.features".to_owned(),
            value: format!("{fields} categories and sequences"),
            allowed: "at least 2, because the model multiplies them".to_owned(),
        });
    }
    let dim = |name: &str| embedding.table(name).dim;
    let names = || space.vocabularies().iter().map(|(name, _)| name);
    let Some(width) = names().next().map(|first| dim(first)) else { return Ok(()) };
    // All tables may have one width that is not `dim`.
    match names().find(|name| dim(name) != width) {
        None => Ok(()),
        Some(_) => Err(ModelError::Config {
            key: "model.embedding.dims".to_owned(),
            value: format!("{:?} beside dim = {}", embedding.dims, embedding.dim),
            allowed: "one width for all tables, because the model multiplies their vectors".to_owned(),
        }),
    }
}
