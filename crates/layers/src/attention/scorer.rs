//! From candidate and events to scores.

use fain_autograd::widened;
use tch::{Tensor, nn};

use super::network::Network;
use crate::unbiased_linear::UnbiasedLinear;
use crate::{AttentionScoring, Execution, Jagged, LayerError, Mode, TargetAttentionConfig, segment};

/// A built [`AttentionScoring`].
#[derive(Debug)]
pub(super) enum Scorer {
    Network(Network),
    /// From the candidate's width to the events'.
    Bilinear(UnbiasedLinear),
    InnerProduct,
}

impl Scorer {
    /// `config` is checked, and the widths fit it.
    pub(super) fn new(
        variables: &nn::Path<'_>,
        candidate: i64,
        history: i64,
        config: &TargetAttentionConfig,
    ) -> Result<Self, LayerError> {
        Ok(match config.scoring {
            AttentionScoring::Mlp => Self::Network(Network::new(variables, candidate, history, config)?),
            AttentionScoring::Bilinear => {
                Self::Bilinear(UnbiasedLinear::new(&(variables / "bilinear"), candidate, history)?)
            }
            AttentionScoring::InnerProduct => Self::InnerProduct,
        })
    }

    pub(super) fn with_execution(self, execution: Execution) -> Self {
        match self {
            Self::Network(network) => Self::Network(network.with_execution(execution)),
            other => other,
        }
    }

    /// `[N, 1]`.
    pub(super) fn logits(&self, candidate: &Tensor, history: &Jagged, mode: Mode) -> Result<Tensor, LayerError> {
        match self {
            Self::Network(network) => network.logits(candidate, history, mode),
            Self::Bilinear(map) => inner_products(&widened(&map.forward(candidate)?)?, history),
            Self::InnerProduct => inner_products(candidate, history),
        }
    }
}

/// The inner product of each event with its sample's vector: `[B, D]` and jagged `[N, D]` → `[N, 1]`.
fn inner_products(vectors: &Tensor, history: &Jagged) -> Result<Tensor, LayerError> {
    if segment::applies(&[vectors, history.values()]) {
        return segment::products(vectors, history.values(), history.layout());
    }
    plain_inner_products(vectors, history)
}

/// By libtorch.
fn plain_inner_products(vectors: &Tensor, history: &Jagged) -> Result<Tensor, LayerError> {
    let products = history.layout().expand(vectors)?.f_mul(history.values())?;
    Ok(products.f_sum_dim_intlist([1i64].as_slice(), true, history.kind())?)
}
