//! A transformer block over histories.

use serde::{Deserialize, Serialize};
use tch::{Tensor, nn};

use crate::dropout::check_share;
use crate::self_attention::check_heads;
use crate::{Jagged, LayerError, LayerNorm, Linear, Mode, SelfAttention, dropout};

/// The activation between the two maps of a feed-forward network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedForwardActivation {
    /// `max(0, x) + 0.01·min(0, x)`: Behavior Sequence Transformer, section 2.2.
    #[default]
    LeakyRelu,
    /// `max(0, x)`: Attention Is All You Need, eq. (2).
    Relu,
}

/// What a [`TransformerBlock`] is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TransformerBlockConfig {
    /// Heads of the self-attention; they divide the width of the events.
    pub heads: i64,
    /// Hidden width of the feed-forward network, in widths of an event, at least 1.
    pub expansion: i64,
    /// Activation of the feed-forward network.
    pub activation: FeedForwardActivation,
    /// Whether layer normalisation follows each residual connection. The papers have it, the code of DSIN's authors
    /// does not.
    pub layer_norm: bool,
    /// Share of the outputs of self-attention and of the feed-forward network that dropout sets to zero in training, at
    /// least 0 and below 1; 0.2 in the experiments of BST.
    pub dropout: f64,
}

impl Default for TransformerBlockConfig {
    /// 8 heads as in BST and DSIN, a feed-forward network four events wide, no dropout.
    fn default() -> Self {
        Self { heads: 8, expansion: 4, activation: FeedForwardActivation::default(), layer_norm: true, dropout: 0.0 }
    }
}

impl TransformerBlockConfig {
    /// Looks for conflicts with events of width `width`.
    ///
    /// # Errors
    /// [`LayerError::Config`] names the setting, its bound and the value got.
    pub fn check(&self, width: i64) -> Result<(), LayerError> {
        check_heads(self.heads, width)?;
        if self.expansion < 1 {
            let value = self.expansion.to_string();
            return Err(LayerError::Config { field: "expansion", value, allowed: "at least 1" });
        }
        check_share("dropout", self.dropout)
    }
}

/// Self-attention and a feed-forward network, each with a residual connection.
///
/// `S = LayerNorm(E + Dropout(SelfAttention(E)))`, `F = LayerNorm(S + Dropout(act(S W₁ + b₁) W₂ + b₂))`:
/// Behavior Sequence Transformer, section 2.2, <https://arxiv.org/abs/1905.06874>, and the session interest extractor
/// layer of DSIN, <https://arxiv.org/abs/1905.06482>.
/// Parameters: `attention`, `attention_norm`, `feed_forward.{hidden,output}`, `feed_forward_norm`.
#[derive(Debug)]
pub struct TransformerBlock {
    attention: SelfAttention,
    hidden: Linear,
    output: Linear,
    attention_norm: Option<LayerNorm>,
    feed_forward_norm: Option<LayerNorm>,
    activation: FeedForwardActivation,
    dropout: f64,
    width: i64,
}

impl TransformerBlock {
    /// Registers the block for events of width `width`.
    ///
    /// # Errors
    /// Those of [`TransformerBlockConfig::check`]; no variable is registered then.
    pub fn new(variables: &nn::Path<'_>, width: i64, config: &TransformerBlockConfig) -> Result<Self, LayerError> {
        config.check(width)?;
        let feed_forward = variables / "feed_forward";
        let norm = |name: &str| config.layer_norm.then(|| LayerNorm::new(&(variables / name), width)).transpose();
        Ok(Self {
            attention: SelfAttention::new(&(variables / "attention"), width, config.heads)?,
            hidden: Linear::new(&(&feed_forward / "hidden"), width, config.expansion * width)?,
            output: Linear::new(&(&feed_forward / "output"), config.expansion * width, width)?,
            attention_norm: norm("attention_norm")?,
            feed_forward_norm: norm("feed_forward_norm")?,
            activation: config.activation,
            dropout: config.dropout,
            width,
        })
    }

    /// Width of an event, the same before and after.
    pub fn width(&self) -> i64 {
        self.width
    }

    /// # Shapes
    /// - `events` jagged `[N, D]` → jagged `[N, D]`
    ///
    /// # Errors
    /// [`LayerError::Shape`] when the width differs.
    pub fn forward(&self, events: &Jagged, mode: Mode) -> Result<Jagged, LayerError> {
        let attended = dropout(self.attention.forward(events)?.values().shallow_clone(), self.dropout, mode)?;
        let attended = normalize(self.attention_norm.as_ref(), events.values().f_add(&attended)?)?;
        let hidden = self.hidden.forward(&attended)?;
        let hidden = match self.activation {
            FeedForwardActivation::LeakyRelu => hidden.f_leaky_relu()?,
            FeedForwardActivation::Relu => hidden.f_relu()?,
        };
        let transformed = dropout(self.output.forward(&hidden)?, self.dropout, mode)?;
        let transformed = normalize(self.feed_forward_norm.as_ref(), attended.f_add(&transformed)?)?;
        Jagged::new(transformed, events.layout().clone())
    }
}

fn normalize(norm: Option<&LayerNorm>, events: Tensor) -> Result<Tensor, LayerError> {
    match norm {
        Some(norm) => norm.forward(&events),
        None => Ok(events),
    }
}
