//! Target attention: the local activation unit of the Deep Interest Network, and its relatives.

mod config;
mod fused;
mod network;
mod projection;
mod scorer;
mod split;

use tch::{Tensor, nn};

pub(crate) use config::Written as WrittenAttention;
pub use config::{
    AttentionInputs, AttentionNormalization, AttentionScale, AttentionScoring, CandidateProjection,
    TargetAttentionConfig,
};
use projection::Projection;
use scorer::Scorer;

use crate::error::check_shape;
use crate::{
    Attention, Execution, Interest, InterestInput, InterestLayer, Jagged, LayerError, Mode, Outline, segment_softmax,
    segment_weighted_sum,
};

/// Pools a history to one vector per sample, weighing each event by its relevance to the candidate.
///
/// `v_U(A) = Σ_j a(e_j, v_A) · e_j`, Deep Interest Network, eq. (3), <https://arxiv.org/abs/1706.06978>. What `a` is,
/// [`AttentionScoring`] says: by default a network that sees `[q, k, q − k, q∘k]` of the candidate `q` and the event
/// `k`.
///
/// The network's first layer is computed split, `W·[q, k, q−k, q∘k] = (Wq + Wd)·q + (Wk − Wd)·k + Wp·(q∘k)`: the first
/// term once per sample, and no `[N, 4D]` tensor. It is exact. On the CPU a kernel of `fain-kernels` does it, without any
/// tensor per event but the result ([`Execution`]).
///
/// Parameters, for candidates of width `A` (equal to `D` unless the settings say otherwise):
/// - scoring network: the hidden layers under `score` (`dense0.weight` is `[H, 4D]`, as if it were not split), and
///   `output.weight` `[1, H]`, `output.bias` `[1]`;
/// - bilinear scoring: `bilinear.weight` `[D, A]`, uniform in `±1/√A`;
/// - projection of the candidate: `projection.dense.weight` `[D, A]`, `projection.dense.bias` `[D]`,
///   `projection.activation.weight` `[D]`. What scores then sees a candidate of width `D`.
#[derive(Debug)]
pub struct TargetAttention {
    projection: Option<Projection>,
    scorer: Scorer,
    candidate: i64,
    history: i64,
    scale: AttentionScale,
    normalization: AttentionNormalization,
}

impl TargetAttention {
    /// Registers what is learned for candidates and events of width `width`.
    ///
    /// # Errors
    /// [`LayerError::Config`] names the setting, its bound and the value got; no variable is registered then.
    pub fn new(variables: &nn::Path<'_>, width: i64, config: &TargetAttentionConfig) -> Result<Self, LayerError> {
        Self::with_widths(variables, width, width, config)
    }

    /// Registers what is learned for candidates of width `candidate` and events of width `history`.
    ///
    /// The widths may differ with a [`CandidateProjection`], with [`AttentionScoring::Bilinear`] and with
    /// [`AttentionInputs::Pair`]; anything else takes candidate and event entry by entry.
    ///
    /// # Errors
    /// As [`TargetAttention::new`], and [`LayerError::Config`] when the widths differ and may not.
    pub fn with_widths(
        variables: &nn::Path<'_>,
        candidate: i64,
        history: i64,
        config: &TargetAttentionConfig,
    ) -> Result<Self, LayerError> {
        for (field, width) in [("candidate width", candidate), ("history width", history)] {
            if width < 1 {
                return Err(LayerError::Config { field, value: width.to_string(), allowed: "at least 1" });
            }
        }
        config.check()?;
        if candidate != history && !config.joins_widths() {
            return Err(LayerError::Config {
                field: "candidate width",
                value: format!("{candidate} beside events of width {history}"),
                allowed: "the events' width, unless projection = dense_prelu, scoring = bilinear or inputs = pair",
            });
        }
        let (projection, query) = match config.projection {
            CandidateProjection::None => (None, candidate),
            CandidateProjection::DensePrelu => {
                (Some(Projection::new(&(variables / "projection"), candidate, history)?), history)
            }
        };
        let scorer = Scorer::new(variables, query, history, config)?;
        Ok(Self { projection, scorer, candidate, history, scale: config.scale, normalization: config.normalization })
    }

    /// Chooses how the scoring network is computed.
    #[must_use]
    pub fn with_execution(mut self, execution: Execution) -> Self {
        self.scorer = self.scorer.with_execution(execution);
        self
    }

    /// The weight of each event.
    ///
    /// Where a training batch holds a single event, Dice and batch normalisation take their running statistics: one row
    /// has none of its own.
    ///
    /// # Shapes
    /// - `candidate` `[B, A]`, where `A` is `D` unless the layer was built with two widths
    /// - `history` jagged `[N, D]` → `[N, 1]`
    ///
    /// # Errors
    /// [`LayerError::Shape`] when a width or the number of samples differs.
    pub fn weights(&self, candidate: &Tensor, history: &Jagged, mode: Mode) -> Result<Tensor, LayerError> {
        let layout = history.layout();
        check_shape("candidate", candidate, &[Some(layout.rows()), Some(self.candidate)], "[B, A]")?;
        check_shape("history", history.values(), &[Some(layout.events()), Some(self.history)], "[N, D]")?;
        let mut logits = match &self.projection {
            None => self.scorer.logits(candidate, history, mode)?,
            Some(projection) => self.scorer.logits(&projection.forward(candidate, mode)?, history, mode)?,
        };
        if self.scale == AttentionScale::SqrtWidth {
            logits = logits.f_div_scalar((self.history as f64).sqrt())?;
        }
        match self.normalization {
            AttentionNormalization::None => Ok(logits),
            AttentionNormalization::Sigmoid => Ok(logits.f_sigmoid()?),
            AttentionNormalization::Softmax => segment_softmax(&logits, layout),
        }
    }

    /// # Shapes
    /// - `candidate` `[B, A]`; `history` jagged `[N, D]`
    /// - returns `[B, D]`; a sample without events gives zeros, and its gradients are zero, never NaN
    ///
    /// # Errors
    /// [`LayerError::Shape`] when a width or the number of samples differs.
    pub fn forward(&self, candidate: &Tensor, history: &Jagged, mode: Mode) -> Result<Tensor, LayerError> {
        let weights = self.weights(candidate, history, mode)?;
        segment_weighted_sum(history.values(), &weights, history.layout())
    }
}

impl Attention for TargetAttention {
    fn weights(&self, candidate: &Tensor, history: &Jagged, mode: Mode) -> Result<Tensor, LayerError> {
        Self::weights(self, candidate, history, mode)
    }
}

impl InterestLayer for TargetAttention {
    fn outputs(&self) -> i64 {
        self.history
    }

    fn forward(&self, input: &InterestInput<'_>, mode: Mode) -> Result<Interest, LayerError> {
        let vector = Self::forward(self, input.candidate, input.history, mode)?;
        Ok(Interest { vector, auxiliary: None })
    }

    fn outline(&self) -> Outline {
        Outline::single("target attention", self.history)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use tch::{Device, Kind};

    use super::*;
    use crate::JaggedLayout;

    fn numbers(tensor: &Tensor) -> Vec<f64> {
        Vec::try_from(tensor.detach().to_kind(Kind::Double).reshape([-1])).unwrap()
    }

    fn config(scoring: AttentionScoring, projection: CandidateProjection) -> TargetAttentionConfig {
        TargetAttentionConfig { projection, ..TargetAttentionConfig::of(scoring) }
    }

    /// The variables' names and shapes.
    fn variables(store: &nn::VarStore) -> Vec<(String, Vec<i64>)> {
        let mut shapes: Vec<_> = store.variables().into_iter().map(|(name, tensor)| (name, tensor.size())).collect();
        shapes.sort();
        shapes
    }

    #[test]
    fn widths_may_differ_where_the_settings_join_them() {
        let pair = TargetAttentionConfig { inputs: AttentionInputs::Pair, ..TargetAttentionConfig::default() };
        let names = |shapes: &[(&str, &[i64])]| -> Vec<(String, Vec<i64>)> {
            shapes.iter().map(|(name, shape)| ((*name).to_owned(), shape.to_vec())).collect()
        };
        let projection: [(&str, &[i64]); 3] = [
            ("projection.activation.weight", &[3]),
            ("projection.dense.bias", &[3]),
            ("projection.dense.weight", &[3, 2]),
        ];
        for (config, expected) in [
            (config(AttentionScoring::Bilinear, CandidateProjection::None), names(&[("bilinear.weight", &[3, 2])])),
            (config(AttentionScoring::InnerProduct, CandidateProjection::DensePrelu), names(&projection)),
        ] {
            let store = nn::VarStore::new(Device::Cpu);
            TargetAttention::with_widths(&store.root(), 2, 3, &config).unwrap();
            assert_eq!(variables(&store), expected);
        }
        let store = nn::VarStore::new(Device::Cpu);
        TargetAttention::with_widths(&store.root(), 2, 3, &pair).unwrap();
        assert_eq!(store.variables()["score.dense0.weight"].size(), [36, 5]);
    }

    #[test]
    fn widths_that_cannot_be_joined_are_refused_before_anything_is_registered() {
        let store = nn::VarStore::new(Device::Cpu);
        let inner = config(AttentionScoring::InnerProduct, CandidateProjection::None);
        for (candidate, history, config, expected) in [
            (2, 3, &inner, "candidate width = 2 beside events of width 3"),
            (2, 3, &TargetAttentionConfig::default(), "candidate width = 2 beside events of width 3"),
            (0, 3, &inner, "candidate width = 0"),
            (2, 0, &inner, "history width = 0"),
            (2, 2, &TargetAttentionConfig { hidden: vec![1], ..inner.clone() }, "hidden = [1]"),
        ] {
            let error = TargetAttention::with_widths(&store.root(), candidate, history, config).unwrap_err();
            assert!(error.to_string().starts_with(&format!("{expected} is not allowed: ")), "{error}");
        }
        assert!(store.is_empty());
    }

    #[test]
    fn the_traits_give_what_the_layer_gives() {
        let store = nn::VarStore::new(Device::Cpu);
        let config = config(AttentionScoring::Bilinear, CandidateProjection::None);
        let attention = TargetAttention::with_widths(&store.root(), 1, 2, &config).unwrap();
        tch::no_grad(|| {
            let weight = Tensor::from_slice(&[2.0f32, -1.0]).reshape([2, 1]);
            store.variables()["bilinear.weight"].shallow_clone().copy_(&weight);
        });
        let layout = JaggedLayout::new(&[0, 2, 2, 3], Device::Cpu).unwrap();
        let values = Tensor::from_slice(&[1.0f32, 0.0, 0.0, 1.0, 3.0, 2.0]).reshape([3, 2]);
        let history = Jagged::new(values, layout).unwrap();
        let candidate = Tensor::from_slice(&[1.0f32, 5.0, 0.5]).reshape([3, 1]);
        // kᵀ W q with W = [2, −1]ᵀ.
        let weights = Attention::weights(&attention, &candidate, &history, Mode::Training).unwrap();
        assert_eq!(numbers(&weights), [2.0, -1.0, 2.0]);
        let input = InterestInput { candidate: &candidate, history: &history, negative: None, times: None };
        let interest = InterestLayer::forward(&attention, &input, Mode::Training).unwrap();
        assert_eq!(numbers(&interest.vector), [2.0, -1.0, 0.0, 0.0, 6.0, 4.0]);
        assert!(interest.auxiliary.is_none());
        assert_eq!(InterestLayer::outputs(&attention), 2);
        let outline = attention.outline();
        assert_eq!((outline.parts[0].kind.as_str(), outline.parts[0].output.as_str()), ("target attention", "[B, 2]"));
    }

    #[test]
    fn the_projection_starts_as_in_the_authors_code() {
        let store = nn::VarStore::new(Device::Cpu);
        let config = config(AttentionScoring::InnerProduct, CandidateProjection::DensePrelu);
        let attention = TargetAttention::with_widths(&store.root(), 1, 2, &config).unwrap();
        tch::no_grad(|| {
            let mut variables = store.variables();
            let _ = variables.get_mut("projection.dense.bias").unwrap().zero_();
            let weight = Tensor::from_slice(&[1.0f32, -1.0]).reshape([2, 1]);
            variables.get_mut("projection.dense.weight").unwrap().copy_(&weight);
        });
        let history = Jagged::new(
            Tensor::from_slice(&[1.0f32, 0.0, 0.0, 1.0]).reshape([2, 2]),
            JaggedLayout::new(&[0, 2], Device::Cpu).unwrap(),
        );
        let candidate = Tensor::from_slice(&[4.0f32]).reshape([1, 1]);
        let weights = numbers(&attention.weights(&candidate, &history.unwrap(), Mode::Training).unwrap());
        // The dense layer gives 4 and −4; a negative one keeps a tenth.
        assert!((weights[0] - 4.0).abs() < 1e-6 && (weights[1] + 0.4).abs() < 1e-6, "{weights:?}");
    }
}
