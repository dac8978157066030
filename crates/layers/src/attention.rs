//! Target attention: the local activation unit of the Deep Interest Network.

use serde::{Deserialize, Serialize};
use tch::{Tensor, nn};

use crate::error::check_shape;
use crate::{ActivationConfig, Jagged, LayerError, Linear, Mlp, MlpConfig, Mode, segment_softmax, segment_sum};

/// What happens to the relevance scores of a history before they weigh its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttentionNormalization {
    /// Nothing, so that the intensity of an interest is kept. Deep Interest Network, section 4.3.
    #[default]
    None,
    /// Softmax over the history, as in the authors' code and in DIEN.
    Softmax,
    /// The logistic function of each score.
    Sigmoid,
}

/// What relevance scores are divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttentionScale {
    /// Nothing, as in the paper.
    #[default]
    None,
    /// `√D`, as in the authors' code.
    SqrtWidth,
}

/// The scoring network and what follows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TargetAttentionConfig {
    /// Hidden widths of the scoring network, at least one.
    pub hidden: Vec<i64>,
    /// Activation of the scoring network.
    pub activation: ActivationConfig,
    /// Whether batch normalisation stands before each activation, as in many PyTorch programs; the paper has none.
    pub batch_norm: bool,
    /// What the scores are divided by.
    pub scale: AttentionScale,
    /// How the scores become weights.
    pub normalization: AttentionNormalization,
}

impl Default for TargetAttentionConfig {
    /// 36 hidden units with Dice, weights not normalised: the paper's unit.
    fn default() -> Self {
        Self {
            hidden: vec![36],
            activation: ActivationConfig::Dice,
            batch_norm: false,
            scale: AttentionScale::None,
            normalization: AttentionNormalization::None,
        }
    }
}

impl TargetAttentionConfig {
    fn score(&self) -> MlpConfig {
        MlpConfig {
            hidden: self.hidden.clone(),
            activation: self.activation,
            batch_norm: self.batch_norm,
            dropout: 0.0,
        }
    }

    /// # Errors
    /// [`LayerError::Config`] when `hidden` is empty or holds a width that is not positive.
    pub fn check(&self) -> Result<(), LayerError> {
        self.score().check()
    }
}

/// Pools a history to one vector per sample, weighing each event by its relevance to the candidate.
///
/// `v_U(A) = Σ_j a(e_j, v_A) · e_j`, Deep Interest Network, eq. (3), <https://arxiv.org/abs/1706.06978>, where the
/// scoring network `a` sees `[q, k, q − k, q∘k]` of the candidate `q` and the event `k`.
///
/// The first layer is computed split, `W·[q, k, q−k, q∘k] = (Wq + Wd)·q + (Wk − Wd)·k + Wp·(q∘k)`: the first term once
/// per sample, and no `[N, 4D]` tensor. It is exact.
///
/// Parameters: the scoring network's under `score` (`dense0.weight` is `[H, 4D]`, as if it were not split), and
/// `output.weight` `[1, H]`, `output.bias` `[1]`.
#[derive(Debug)]
pub struct TargetAttention {
    score: Mlp,
    output: Linear,
    width: i64,
    scale: AttentionScale,
    normalization: AttentionNormalization,
}

impl TargetAttention {
    /// Registers the scoring network for candidates and events of width `width`.
    ///
    /// # Errors
    /// [`LayerError::Config`] names the setting, its bound and the value got; no variable is registered then.
    pub fn new(variables: &nn::Path<'_>, width: i64, config: &TargetAttentionConfig) -> Result<Self, LayerError> {
        if width < 1 {
            return Err(LayerError::Config { field: "width", value: width.to_string(), allowed: "at least 1" });
        }
        let score = Mlp::new(&(variables / "score"), 4 * width, &config.score())?;
        let output = Linear::new(&(variables / "output"), score.outputs(), 1)?;
        Ok(Self { score, output, width, scale: config.scale, normalization: config.normalization })
    }

    /// The weight of each event.
    ///
    /// Where a training batch holds a single event, Dice and batch normalisation take their running statistics: one row
    /// has none of its own.
    ///
    /// # Shapes
    /// - `candidate` `[B, D]`; `history` jagged `[N, D]` → `[N, 1]`
    ///
    /// # Errors
    /// [`LayerError::Shape`] when a width or the number of samples differs.
    pub fn weights(&self, candidate: &Tensor, history: &Jagged, mode: Mode) -> Result<Tensor, LayerError> {
        let layout = history.layout();
        check_shape("candidate", candidate, &[Some(layout.rows()), Some(self.width)], "[B, D]")?;
        check_shape("history", history.values(), &[Some(layout.events()), Some(self.width)], "[N, D]")?;
        let mode = if layout.events() < 2 { Mode::Evaluation } else { mode };
        let hidden = self.score.forward_from_first(self.first_layer(candidate, history)?, mode)?;
        let mut logits = self.output.forward(&hidden)?;
        if self.scale == AttentionScale::SqrtWidth {
            logits = logits.f_div_scalar((self.width as f64).sqrt())?;
        }
        match self.normalization {
            AttentionNormalization::None => Ok(logits),
            AttentionNormalization::Sigmoid => Ok(logits.f_sigmoid()?),
            AttentionNormalization::Softmax => segment_softmax(&logits, layout),
        }
    }

    /// # Shapes
    /// - `candidate` `[B, D]`; `history` jagged `[N, D]`
    /// - returns `[B, D]`; a sample without events gives zeros, and its gradients are zero, never NaN
    ///
    /// # Errors
    /// [`LayerError::Shape`] when a width or the number of samples differs.
    pub fn forward(&self, candidate: &Tensor, history: &Jagged, mode: Mode) -> Result<Tensor, LayerError> {
        let weights = self.weights(candidate, history, mode)?;
        segment_sum(&history.values().f_mul(&weights)?, history.layout())
    }

    /// The scoring network's first dense map, split: `[N, H]`.
    fn first_layer(&self, candidate: &Tensor, history: &Jagged) -> Result<Tensor, LayerError> {
        let (layout, width) = (history.layout(), self.width);
        let weight = self.score.first().weight();
        let part = |index: i64| weight.f_narrow(1, index * width, width);
        let (query, key, difference, product) = (part(0)?, part(1)?, part(2)?, part(3)?);
        let once_per_sample = candidate.f_linear(&query.f_add(&difference)?, Some(self.score.first().bias()))?;
        let products = layout.expand(candidate)?.f_mul(history.values())?;
        let per_event = Tensor::f_cat(&[history.values(), &products], 1)?;
        let per_event_weight = Tensor::f_cat(&[key.f_sub(&difference)?, product], 1)?;
        Ok(layout.expand(&once_per_sample)?.f_addmm(&per_event, &per_event_weight.f_transpose(0, 1)?)?)
    }
}
