//! The settings of target attention.

use serde::{Deserialize, Serialize};

use crate::error::setting;
use crate::{ActivationConfig, InputNorm, LayerError, MlpConfig};

/// How an event is scored in the light of the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttentionScoring {
    /// A network over candidate and event: the activation unit of the Deep Interest Network, section 4.3.
    #[default]
    Mlp,
    /// `kᵀ W q` with a learned `W`, without bias. Deep Interest Evolution Network, eq. (14) before the softmax.
    Bilinear,
    /// `kᵀ q`: nothing is learned.
    InnerProduct,
}

/// What the scoring network sees of the candidate `q` and an event `k`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttentionInputs {
    /// `[q, k, q − k, q∘k]`, as in the authors' code.
    #[default]
    Full,
    /// `[q, k]`: whatever lies between the two is left to the network.
    Pair,
    /// `[q, k, q∘k]`, as figure 2 of the Deep Interest Network shows a product beside both.
    Product,
}

/// What happens to the candidate before the events are scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CandidateProjection {
    /// Nothing.
    #[default]
    None,
    /// A dense layer to the width of the events and a PReLU with one slope per unit, started at 0.1:
    /// `din_fcn_attention` of the DIEN authors' code.
    DensePrelu,
}

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
    /// `√D` of the events' width `D`, as in the authors' code.
    SqrtWidth,
}

/// How events are scored, and what becomes of the scores.
///
/// `inputs`, `hidden`, `activation` and `batch_norm` are settings of the scoring network. With another scoring there is
/// none: `hidden` is empty then, also when it is left out of a file, and the others may not differ from their defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct TargetAttentionConfig {
    /// How an event is scored.
    pub scoring: AttentionScoring,
    /// What the scoring network sees.
    pub inputs: AttentionInputs,
    /// Hidden widths of the scoring network, at least one.
    pub hidden: Vec<i64>,
    /// Activation of the scoring network.
    pub activation: ActivationConfig,
    /// Whether batch normalisation stands before each activation, as in many PyTorch programs; the paper has none.
    pub batch_norm: bool,
    /// What the candidate goes through first.
    pub projection: CandidateProjection,
    /// What the scores are divided by.
    pub scale: AttentionScale,
    /// How the scores become weights.
    pub normalization: AttentionNormalization,
}

impl Default for TargetAttentionConfig {
    /// 36 hidden units with Dice, weights not normalised: the paper's unit.
    fn default() -> Self {
        Self {
            scoring: AttentionScoring::Mlp,
            inputs: AttentionInputs::Full,
            hidden: vec![36],
            activation: ActivationConfig::Dice,
            batch_norm: false,
            projection: CandidateProjection::None,
            scale: AttentionScale::None,
            normalization: AttentionNormalization::None,
        }
    }
}

impl TargetAttentionConfig {
    /// The defaults of a scoring: those of [`TargetAttentionConfig::default`], without hidden layers where there is no
    /// network.
    pub fn of(scoring: AttentionScoring) -> Self {
        let paper = Self::default();
        if scoring == AttentionScoring::Mlp { paper } else { Self { scoring, hidden: Vec::new(), ..paper } }
    }

    /// # Errors
    /// [`LayerError::Config`] when `hidden` is empty or holds a width that is not positive; when a setting of the
    /// scoring network is given and there is none.
    pub fn check(&self) -> Result<(), LayerError> {
        if self.scoring == AttentionScoring::Mlp {
            return self.network().check();
        }
        let plain = Self::of(self.scoring);
        for (field, is_plain, value) in [
            ("hidden", self.hidden.is_empty(), format!("{:?}", self.hidden)),
            ("inputs", self.inputs == plain.inputs, setting(&self.inputs)),
            ("activation", self.activation == plain.activation, setting(&self.activation)),
            ("batch_norm", self.batch_norm == plain.batch_norm, self.batch_norm.to_string()),
        ] {
            if !is_plain {
                let allowed = "left out (hidden: `[]`) unless `scoring` is `mlp`, as there is no network";
                return Err(LayerError::Config { field, value, allowed });
            }
        }
        Ok(())
    }

    /// The hidden layers of the scoring network.
    pub(super) fn network(&self) -> MlpConfig {
        MlpConfig {
            input_norm: InputNorm::None,
            hidden: self.hidden.clone(),
            activation: self.activation,
            batch_norm: self.batch_norm,
            dropout: 0.0,
        }
    }

    /// Whether a candidate of another width than the events can be scored.
    pub(crate) fn joins_widths(&self) -> bool {
        match self.scoring {
            AttentionScoring::Bilinear => true,
            _ if self.projection == CandidateProjection::DensePrelu => true,
            AttentionScoring::Mlp => self.inputs == AttentionInputs::Pair,
            AttentionScoring::InnerProduct => false,
        }
    }
}

/// The settings as they stand in a file: those of the network are there when there is a network. What is absent takes
/// its default, which depends on where the table stands.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Written {
    #[serde(skip_serializing_if = "Option::is_none")]
    scoring: Option<AttentionScoring>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inputs: Option<AttentionInputs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden: Option<Vec<i64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    activation: Option<ActivationConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch_norm: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    projection: Option<CandidateProjection>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scale: Option<AttentionScale>,
    #[serde(skip_serializing_if = "Option::is_none")]
    normalization: Option<AttentionNormalization>,
}

impl Written {
    /// Takes what is absent from `default`, and settings of the network from its scoring.
    pub(crate) fn fill(self, default: &TargetAttentionConfig) -> TargetAttentionConfig {
        let scoring = self.scoring.unwrap_or(default.scoring);
        let plain = TargetAttentionConfig::of(scoring);
        TargetAttentionConfig {
            scoring,
            inputs: self.inputs.unwrap_or(plain.inputs),
            hidden: self.hidden.unwrap_or(plain.hidden),
            activation: self.activation.unwrap_or(plain.activation),
            batch_norm: self.batch_norm.unwrap_or(plain.batch_norm),
            projection: self.projection.unwrap_or(default.projection),
            scale: self.scale.unwrap_or(default.scale),
            normalization: self.normalization.unwrap_or(default.normalization),
        }
    }
}

impl From<Written> for TargetAttentionConfig {
    fn from(written: Written) -> Self {
        written.fill(&Self::default())
    }
}

impl From<TargetAttentionConfig> for Written {
    fn from(config: TargetAttentionConfig) -> Self {
        let plain = TargetAttentionConfig::of(config.scoring);
        let network = config.scoring == AttentionScoring::Mlp;
        Self {
            scoring: Some(config.scoring),
            inputs: (network || config.inputs != plain.inputs).then_some(config.inputs),
            hidden: (network || config.hidden != plain.hidden).then_some(config.hidden),
            activation: (network || config.activation != plain.activation).then_some(config.activation),
            batch_norm: (network || config.batch_norm != plain.batch_norm).then_some(config.batch_norm),
            projection: Some(config.projection),
            scale: Some(config.scale),
            normalization: Some(config.normalization),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use serde_json::json;

    use super::*;

    fn read(value: serde_json::Value) -> TargetAttentionConfig {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn without_a_network_its_settings_are_neither_needed_nor_written() {
        assert_eq!(read(json!({})), TargetAttentionConfig::default());
        let config = read(json!({"scoring": "bilinear", "normalization": "softmax", "projection": "dense_prelu"}));
        assert_eq!((config.check().is_ok(), &config.hidden), (true, &vec![]));
        let written = json!(
            {"scoring": "bilinear", "projection": "dense_prelu", "scale": "none", "normalization": "softmax"}
        );
        assert_eq!(serde_json::to_value(&config).unwrap(), written);
        assert_eq!(read(written), config);
        assert_eq!(read(json!({"scoring": "inner_product", "hidden": []})).check().ok(), Some(()));
    }

    #[test]
    fn what_is_written_reads_back() {
        let config = read(json!({"inputs": "product", "hidden": [8, 4], "activation": "prelu_per_unit"}));
        assert_eq!(config.inputs, AttentionInputs::Product);
        assert_eq!(config.activation, ActivationConfig::PreluPerUnit);
        assert_eq!(read(serde_json::to_value(&config).unwrap()), config);
    }

    #[test]
    fn a_setting_of_a_network_that_is_not_there_is_refused() {
        for (value, field) in [
            (json!({"scoring": "bilinear", "hidden": [36]}), "hidden = [36]"),
            (json!({"scoring": "bilinear", "inputs": "pair"}), "inputs = pair"),
            (json!({"scoring": "inner_product", "activation": "dice_per_sample"}), "activation = dice_per_sample"),
            (json!({"scoring": "inner_product", "batch_norm": true}), "batch_norm = true"),
            (json!({"hidden": []}), "hidden = []"),
            (json!({"hidden": [8, 0]}), "hidden = [8, 0]"),
        ] {
            let config = read(value);
            let error = config.check().unwrap_err().to_string();
            assert!(error.starts_with(&format!("{field} is not allowed: ")), "{error}");
            // A config that is refused is written as it is, so that the message can be understood.
            assert_eq!(read(serde_json::to_value(&config).unwrap()), config);
        }
    }

    #[test]
    fn unknown_settings_are_refused() {
        let error = serde_json::from_value::<TargetAttentionConfig>(json!({"score": "mlp"})).unwrap_err().to_string();
        assert!(error.starts_with("unknown field `score`, expected one of `scoring`"), "{error}");
    }
}
