//! The settings of DIEN's reader of a history.

use serde::{Deserialize, Deserializer, Serialize};

use crate::attention::WrittenAttention;
use crate::{
    AttentionNormalization, AttentionScoring, AttentionalGruKind, AuxiliaryLossConfig, LayerError, ResetGate,
    TargetAttentionConfig,
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
    #[serde(deserialize_with = "attention")]
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
    /// The attention of the paper: the softmax of `hᵀ W e` over a history. The authors' code has a network in its place,
    /// `{ scoring = "mlp", hidden = [80, 40], activation = "sigmoid", projection = "dense_prelu" }`.
    pub fn attention() -> TargetAttentionConfig {
        let normalization = AttentionNormalization::Softmax;
        TargetAttentionConfig { normalization, ..TargetAttentionConfig::of(AttentionScoring::Bilinear) }
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
        if hidden != width && !self.attention.joins_widths() {
            return Err(LayerError::Config {
                field: "hidden",
                value: format!("{hidden} beside candidates of width {width}"),
                allowed: "that width, unless attention.scoring = bilinear, attention.projection = dense_prelu or \
                          attention.inputs = pair",
            });
        }
        self.auxiliary.as_ref().map_or(Ok(()), |auxiliary| auxiliary.check_widths(hidden, width))
    }

    /// `H`.
    pub(super) fn states(&self, width: i64) -> i64 {
        self.hidden.unwrap_or(width)
    }
}

/// A table of which a part may be left out.
fn attention<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TargetAttentionConfig, D::Error> {
    Ok(WrittenAttention::deserialize(deserializer)?.fill(&DienInterestConfig::attention()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use serde_json::json;

    use super::*;

    fn read(value: serde_json::Value) -> DienInterestConfig {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn what_is_left_out_is_the_papers() {
        let config = read(json!({}));
        assert_eq!(config, DienInterestConfig::default());
        assert_eq!((config.evolution, config.attention.scoring), (EvolutionKind::Augru, AttentionScoring::Bilinear));
        // Part of the attention's table leaves the rest as it is for DIEN, not as for DIN.
        let config = read(json!({"attention": {"scoring": "mlp", "hidden": [80, 40]}, "auxiliary": {}}));
        assert_eq!(config.attention.normalization, AttentionNormalization::Softmax);
        assert_eq!((config.attention.scoring, &config.attention.hidden), (AttentionScoring::Mlp, &vec![80, 40]));
        assert_eq!(config.auxiliary, Some(AuxiliaryLossConfig::default()));
        assert_eq!(read(json!({"attention": {"scale": "sqrt_width"}})).attention.scoring, AttentionScoring::Bilinear);
    }

    #[test]
    fn what_is_written_is_read_again() {
        for value in [
            json!({}),
            json!({"hidden": 8, "reset": "before", "evolution": "augru_official", "auxiliary": {"weight": 0.5}}),
            json!({"attention": {"normalization": "none"}, "evolution": "gru"}),
        ] {
            let config = read(value);
            assert_eq!(read(serde_json::to_value(&config).unwrap()), config);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_by_its_key() {
        for (value, width, expected) in [
            (json!({"hidden": 0}), 4, "hidden = 0 is not allowed: at least 1"),
            (json!({}), 0, "width = 0 is not allowed: at least 1"),
            (
                json!({"hidden": 8, "attention": {"scoring": "mlp"}}),
                4,
                "hidden = 8 beside candidates of width 4 is not allowed: that width, unless attention.scoring = \
                 bilinear, attention.projection = dense_prelu or attention.inputs = pair",
            ),
            (
                json!({"hidden": 8, "auxiliary": {"scorer": "inner_product"}}),
                4,
                "scorer = inner_product of states of width 8 and events of width 4 is not allowed: mlp, or equal widths",
            ),
        ] {
            assert_eq!(read(value).check(width).unwrap_err().to_string(), expected);
        }
        for value in [
            json!({"hidden": 8}),
            json!({"attention": {"scoring": "mlp"}, "auxiliary": {"scorer": "inner_product"}}),
            json!({"hidden": 8, "attention": {"scoring": "mlp", "projection": "dense_prelu"}, "auxiliary": {}}),
        ] {
            assert!(read(value).check(4).is_ok());
        }
        let error = serde_json::from_value::<DienInterestConfig>(json!({"attention": {"score": 1}})).unwrap_err();
        assert!(error.to_string().starts_with("unknown field `score`"), "{error}");
    }
}
