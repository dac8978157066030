//! The scoring network.

use tch::{Tensor, nn};

use crate::{AttentionInputs, Execution, Jagged, LayerError, Linear, Mlp, Mode, TargetAttentionConfig};

/// Scores an event by hidden layers over candidate `q` and event `k`, and a dense map to one number.
#[derive(Debug)]
pub(super) struct Network {
    hidden: Mlp,
    output: Linear,
    inputs: AttentionInputs,
    candidate: i64,
    history: i64,
}

impl Network {
    /// `config` is checked, and the widths fit its inputs.
    pub(super) fn new(
        variables: &nn::Path<'_>,
        candidate: i64,
        history: i64,
        config: &TargetAttentionConfig,
    ) -> Result<Self, LayerError> {
        let width = match config.inputs {
            AttentionInputs::Full => candidate + 3 * history,
            AttentionInputs::Pair => candidate + history,
            AttentionInputs::Product => candidate + 2 * history,
        };
        let hidden = Mlp::new(&(variables / "score"), width, &config.network())?;
        let output = Linear::new(&(variables / "output"), hidden.outputs(), 1)?;
        Ok(Self { hidden, output, inputs: config.inputs, candidate, history })
    }

    pub(super) fn with_execution(mut self, execution: Execution) -> Self {
        self.hidden = self.hidden.with_execution(execution);
        self
    }

    /// `[N, 1]`.
    pub(super) fn logits(&self, candidate: &Tensor, history: &Jagged, mode: Mode) -> Result<Tensor, LayerError> {
        // A single event has no statistics of its own.
        let mode = if history.layout().events() < 2 { Mode::Evaluation } else { mode };
        let first = self.first_layer(candidate, history)?;
        self.output.forward(&self.hidden.forward_from_first(first, mode)?)
    }

    /// The first dense map, split: `[N, H]`. What depends on the candidate alone is computed once per sample.
    fn first_layer(&self, candidate: &Tensor, history: &Jagged) -> Result<Tensor, LayerError> {
        let (dense, layout, keys) = (self.hidden.first(), history.layout(), history.values());
        let query_weight = dense.weight().f_narrow(1, 0, self.candidate)?;
        // The parts of the weight that belong to the event's width: k first, then what the inputs add.
        let part = |index: i64| dense.weight().f_narrow(1, self.candidate + index * self.history, self.history);
        let products = || -> Result<Tensor, LayerError> { Ok(layout.expand(candidate)?.f_mul(keys)?) };
        let (query_weight, per_event, per_event_weight) = match self.inputs {
            AttentionInputs::Full => {
                let difference = part(1)?;
                let per_event_weight = Tensor::f_cat(&[part(0)?.f_sub(&difference)?, part(2)?], 1)?;
                (query_weight.f_add(&difference)?, Tensor::f_cat(&[keys, &products()?], 1)?, per_event_weight)
            }
            AttentionInputs::Pair => (query_weight, keys.shallow_clone(), part(0)?),
            AttentionInputs::Product => {
                let both = dense.weight().f_narrow(1, self.candidate, 2 * self.history)?;
                (query_weight, Tensor::f_cat(&[keys, &products()?], 1)?, both)
            }
        };
        let once_per_sample = candidate.f_linear(&query_weight, Some(dense.bias()))?;
        Ok(layout.expand(&once_per_sample)?.f_addmm(&per_event, &per_event_weight.f_transpose(0, 1)?)?)
    }
}
