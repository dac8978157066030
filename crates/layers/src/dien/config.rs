//! The settings of DIEN's reader of a history.

use serde::{Deserialize, Serialize};

use crate::{
    AttentionNormalization, AttentionalGruKind, AuxiliaryLossConfig, LayerError, ResetGate, TargetAttentionConfig,
};

/// How the interest evolves.
///
/// The first is the paper's comparison without evolution, the others are [`AttentionalGruKind`]'s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvolutionKind {
    /// A second GRU, whose states attention pools.
    Gru,
    /// [`AttentionalGruKind::Aigru`], and the last state.
    Aigru,
    /// [`AttentionalGruKind::Agru`], and the last state.
    Agru,
    /// [`AttentionalGruKind::Augru`], and the last state: the paper's choice.
    #[default]
    Augru,
    /// [`AttentionalGruKind::AugruOfficial`], and the last state.
    AugruOfficial,
}

impl EvolutionKind {
    /// The recurrence that hears scores, where there is one.
    pub(super) fn attentional(self) -> Option<AttentionalGruKind> {
        match self {
            Self::Gru => None,
            Self::Aigru => Some(AttentionalGruKind::Aigru),
            Self::Agru => Some(AttentionalGruKind::Agru),
            Self::Augru => Some(AttentionalGruKind::Augru),
            Self::AugruOfficial => Some(AttentionalGruKind::AugruOfficial),
        }
    }
}

/// The settings of a [`crate::DienInterest`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DienInterestConfig {
    /// `H`, the width of the states of both recurrences; the width of an event when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<i64>,
    /// Where the reset gate of both recurrences stands.
    pub reset: ResetGate,
    /// How interests are scored. Keys that are left out take the values of [`DienInterestConfig::attention`].
    pub attention: TargetAttentionConfig,
    /// How the interest evolves.
    pub evolution: EvolutionKind,
    /// The loss that supervises the extractor. It needs data with negatives; without it, nothing is registered for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auxiliary: Option<AuxiliaryLossConfig>,
}

impl Default for DienInterestConfig {
    fn default() -> Self {
        Self {
            hidden: None,
            reset: ResetGate::default(),
            attention: Self::attention(),
            evolution: EvolutionKind::default(),
            auxiliary: None,
        }
    }
}

impl DienInterestConfig {
    /// The attention of the paper: softmax.
    pub fn attention() -> TargetAttentionConfig {
        TargetAttentionConfig { normalization: AttentionNormalization::Softmax, ..TargetAttentionConfig::default() }
    }

    /// Whether the settings fit candidates and events of width `width`.
    ///
    /// # Errors
    /// [`LayerError::Config`] names the setting, its bound and the value got.
    pub fn check(&self, width: i64) -> Result<(), LayerError> {
        let hidden = self.states(width);
        for (field, value) in [("width", width), ("hidden", hidden)] {
            if value < 1 {
                return Err(LayerError::Config { field, value: value.to_string(), allowed: "at least 1" });
            }
        }
        self.attention.check()?;
        if hidden != width {
            return Err(LayerError::Config {
                field: "hidden",
                value: format!("{hidden} beside candidates of width {width}"),
                allowed: "that width, unless attention.scoring = bilinear or attention.projection = dense_prelu",
            });
        }
        self.auxiliary.as_ref().map_or(Ok(()), |auxiliary| auxiliary.check_widths(hidden, width))
    }

    /// `H`.
    pub(super) fn states(&self, width: i64) -> i64 {
        self.hidden.unwrap_or(width)
    }
}
