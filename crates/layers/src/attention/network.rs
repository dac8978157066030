//! The scoring network.

use tch::{Tensor, nn};

use super::fused::{self, PairOperands};
use super::split::Columns;
use crate::{Execution, Jagged, LayerError, Linear, Mlp, Mode, TargetAttentionConfig};

/// Scores an event by hidden layers over candidate `q` and event `k`, and a dense map to one number.
#[derive(Debug)]
pub(super) struct Network {
    hidden: Mlp,
    output: Linear,
    /// Of the first dense map.
    columns: Columns,
    execution: Execution,
}

impl Network {
    /// `config` is checked, and the widths fit its inputs.
    pub(super) fn new(
        variables: &nn::Path<'_>,
        candidate: i64,
        history: i64,
        config: &TargetAttentionConfig,
    ) -> Result<Self, LayerError> {
        let columns = Columns { inputs: config.inputs, candidate, history };
        let hidden = Mlp::new(&(variables / "score"), columns.width(), &config.network())?;
        let output = Linear::new(&(variables / "output"), hidden.outputs(), 1)?;
        Ok(Self { hidden, output, columns, execution: Execution::default() })
    }

    pub(super) fn with_execution(mut self, execution: Execution) -> Self {
        self.hidden = self.hidden.with_execution(execution);
        self.execution = execution;
        self
    }

    /// `[N, 1]`.
    pub(super) fn logits(&self, candidate: &Tensor, history: &Jagged, mode: Mode) -> Result<Tensor, LayerError> {
        // A single event has no statistics of its own.
        let mode = if history.layout().events() < 2 { Mode::Evaluation } else { mode };
        let first = self.first_layer(candidate, history)?;
        self.hidden.forward_from_first_to(first, &self.output, mode)
    }

    /// The first dense map, split: `[N, H]`. What depends on the candidate alone is computed once per sample.
    fn first_layer(&self, candidate: &Tensor, history: &Jagged) -> Result<Tensor, LayerError> {
        let dense = self.hidden.first();
        let parts = self.columns.split(dense.weight(), self.execution)?;
        let base = candidate.f_linear(&parts.query, Some(dense.bias()))?;
        let product = parts.product.as_ref().map(|weight| (candidate, weight));
        let operands = PairOperands { base: &base, weight: &parts.event, product };
        if self.execution == Execution::Auto && fused::applies(operands, history) {
            return fused::pairs(operands, history);
        }
        plain_pairs(operands, history)
    }
}

/// The first dense map by libtorch's operations.
fn plain_pairs(operands: PairOperands<'_>, history: &Jagged) -> Result<Tensor, LayerError> {
    let (layout, keys) = (history.layout(), history.values());
    let base = layout.expand(operands.base)?;
    let Some((candidate, product_weight)) = operands.product else {
        return Ok(base.f_addmm(keys, &operands.weight.f_transpose(0, 1)?)?);
    };
    let both = Tensor::f_cat(&[keys, &layout.expand(candidate)?.f_mul(keys)?], 1)?;
    let weight = Tensor::f_cat(&[operands.weight, product_weight], 1)?;
    Ok(base.f_addmm(&both, &weight.f_transpose(0, 1)?)?)
}
