//! Settings of the gated recurrences.

use serde::{Deserialize, Serialize};

use crate::LayerError;

/// Where the reset gate stands in the candidate state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetGate {
    /// `n = tanh(W x + b + r ∘ (U h + c))`: after the product with the state, as in PyTorch and cuDNN.
    #[default]
    After,
    /// `n = tanh(W x + b + U (r ∘ h) + c)`: before it, as in TensorFlow's `GRUCell`, which the authors of DIEN used, and
    /// in Cho et al., <https://arxiv.org/abs/1406.1078>.
    Before,
}

/// Which recurrence hears the relevance scores, and how.
///
/// Deep Interest Evolution Network, section "Interest Evolving Layer", <https://arxiv.org/abs/1809.03672>. With `a` the
/// score of an event, `h` the state before it, and `u`, `n` the update gate and the candidate state:
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttentionalGruKind {
    /// GRU with attentional input: a GRU over `a · x`. A score of 0 still changes the state.
    Aigru,
    /// Attention-based GRU: the score is the update gate, `h' = (1 − a) ∘ h + a ∘ n`.
    Agru,
    /// GRU with attentional update gate: `u' = a · u`, `h' = (1 − u') ∘ h + u' ∘ n`.
    #[default]
    Augru,
    /// What the authors' program computes: `u' = (1 − a) · u`, `h' = u' ∘ h + (1 − u') ∘ n`. A score of 0 does not keep
    /// the state, a score of 1 replaces it.
    AugruOfficial,
}

/// How a layer is computed. The result is the same up to rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Execution {
    /// The fused kernels where they apply, plain operations elsewhere. They apply on the CPU, in float32 and float64, to
    /// batch normalisation, to Dice, to the first layer of target attention's network, to the gated recurrences with
    /// [`ResetGate::After`], and to the auxiliary loss by a network whose layers the logistic function follows and whose
    /// input is not normalised; on CUDA devices, in float32, to the gated recurrences with [`ResetGate::After`]
    /// ([`cuda_recurrences`](crate::cuda_recurrences) says whether they do). Under `fain_autograd::autocast` networks,
    /// attention's first layer and the auxiliary network are plain operations, in the kind that autocast asks for; the
    /// other kernels go on in float32.
    #[default]
    Auto,
    /// libtorch operations only, which tracing, export and second derivatives need.
    Plain,
}

/// A GRU's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GruConfig {
    /// `H`, at least 1.
    pub hidden: i64,
    /// Whether the gates have biases, one for the input and one for the state, as in PyTorch.
    pub bias: bool,
    /// Where the reset gate stands.
    pub reset: ResetGate,
}

impl Default for GruConfig {
    fn default() -> Self {
        Self { hidden: 16, bias: true, reset: ResetGate::default() }
    }
}

impl GruConfig {
    /// # Errors
    /// [`LayerError::Config`] when `hidden` is not positive.
    pub fn check(&self) -> Result<(), LayerError> {
        check_width("hidden", self.hidden)
    }
}

/// The settings of a recurrence that hears relevance scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AttentionalGruConfig {
    /// What the scores do.
    pub kind: AttentionalGruKind,
    /// `H`, at least 1.
    pub hidden: i64,
    /// Whether the gates have biases, one for the input and one for the state.
    pub bias: bool,
    /// Where the reset gate stands.
    pub reset: ResetGate,
}

impl Default for AttentionalGruConfig {
    fn default() -> Self {
        let GruConfig { hidden, bias, reset } = GruConfig::default();
        Self { kind: AttentionalGruKind::default(), hidden, bias, reset }
    }
}

impl AttentionalGruConfig {
    /// # Errors
    /// [`LayerError::Config`] when `hidden` is not positive.
    pub fn check(&self) -> Result<(), LayerError> {
        self.gates().check()
    }

    /// All but the kind.
    pub(crate) fn gates(&self) -> GruConfig {
        GruConfig { hidden: self.hidden, bias: self.bias, reset: self.reset }
    }
}

/// Refuses a width that is not positive.
pub(crate) fn check_width(field: &'static str, value: i64) -> Result<(), LayerError> {
    if value < 1 {
        return Err(LayerError::Config { field, value: value.to_string(), allowed: "at least 1" });
    }
    Ok(())
}
