//! One learned number for each id: the linear part of wide, factorisation-machine and biased models.

use fain_layers::{segment_sum, segment_weighted_sum};
use tch::{Tensor, nn};

use crate::{FeatureSpace, InputColumn, ModelError, ModelInput, SpaceKind};

/// The sum of one learned number per id of a sample, times the id's weight where it has one, and of each of its numbers
/// times a learned weight.
///
/// Factorization Machines, eq. (1), the terms of degree 1; the bias is the output layer's.
/// Parameters, all started at 0: `{feature}.weight`, `[V, 1]` for categories and lists, `[1, 1]` for numbers.
#[derive(Debug)]
pub struct FirstOrder {
    terms: Vec<Term>,
    sparse: bool,
}

#[derive(Debug)]
struct Term {
    feature: usize,
    name: String,
    kind: SpaceKind,
    weight: Tensor,
}

impl FirstOrder {
    /// Registers the numbers of `features`, given by their places in the space.
    ///
    /// # Errors
    /// [`ModelError::Parts`] when the space has no such feature, or it is a list of times.
    pub fn new(variables: &nn::Path<'_>, space: &FeatureSpace, features: &[usize]) -> Result<Self, ModelError> {
        let mut terms = Vec::with_capacity(features.len());
        for &index in features {
            let Some(feature) = space.features().get(index) else {
                return Err(ModelError::Parts {
                    part: "linear part".to_owned(),
                    problem: format!("there is no feature {index}"),
                });
            };
            let rows = match feature.kind {
                SpaceKind::Numeric => 1,
                SpaceKind::Category(vocabulary) | SpaceKind::Sequence(vocabulary) | SpaceKind::Weighted(vocabulary) => {
                    space.vocabularies()[vocabulary].1 as i64
                }
                SpaceKind::Times => {
                    return Err(ModelError::Parts {
                        part: "linear part".to_owned(),
                        problem: format!("feature {} is times, which it does not read", feature.name),
                    });
                }
            };
            let weight = (variables / &feature.name).f_var("weight", &[rows, 1], nn::Init::Const(0.0))?;
            terms.push(Term { feature: index, name: feature.name.clone(), kind: feature.kind, weight });
        }
        Ok(Self { terms, sparse: false })
    }

    /// Whether the gradients of categories and lists hold only the rows of the batch, as
    /// [`sparse`](fain_layers::EmbeddingConfig::sparse) tables have it; they do not at first.
    #[must_use]
    pub fn sparse(self, sparse: bool) -> Self {
        Self { sparse, ..self }
    }

    /// The features, by their places in the space.
    pub fn features(&self) -> impl Iterator<Item = usize> + '_ {
        self.terms.iter().map(|term| term.feature)
    }

    /// # Shapes
    /// - returns `[B, 1]`; a list adds the numbers of all its entries, each times its weight
    ///
    /// # Errors
    /// [`ModelError::Column`] when the batch is not of the space the numbers were registered for.
    pub fn forward(&self, input: &ModelInput) -> Result<Tensor, ModelError> {
        let mut sum: Option<Tensor> = None;
        for term in &self.terms {
            let look_up = |ids: &Tensor| Tensor::f_embedding(&term.weight, ids, -1, false, self.sparse);
            let part = match (term.kind, input.columns.get(term.feature)) {
                (SpaceKind::Category(_), Some(InputColumn::Category(ids))) => look_up(ids)?,
                (SpaceKind::Sequence(_), Some(InputColumn::Sequence(ids, layout))) => {
                    segment_sum(&look_up(ids)?, layout)?
                }
                (SpaceKind::Weighted(_), Some(InputColumn::Weighted(ids, layout, weights))) => {
                    let weights = weights.f_to_kind(term.weight.kind())?.f_unsqueeze(1)?;
                    segment_weighted_sum(&look_up(ids)?, &weights, layout)?
                }
                (SpaceKind::Numeric, Some(InputColumn::Numeric(numbers))) => {
                    numbers.f_to_kind(term.weight.kind())?.f_unsqueeze(1)?.f_mul(&term.weight)?
                }
                (kind, column) => {
                    return Err(ModelError::Column {
                        column: term.name.clone(),
                        got: column.map_or("missing", InputColumn::kind),
                        needed: kind.words(),
                    });
                }
            };
            sum = Some(match sum {
                None => part,
                Some(sum) => sum.f_add(&part)?,
            });
        }
        let none = || ModelError::Parts { part: "linear part".to_owned(), problem: "it has no feature".to_owned() };
        input.for_all_rows(sum.ok_or_else(none)?)
    }
}
