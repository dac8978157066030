//! The auxiliary loss as it is written in a config.

use serde::{Deserialize, Serialize};

use crate::error::setting;
use crate::{ActivationConfig, InputNorm, LayerError, MlpConfig};

/// The network that says how likely an event follows a state.
#[derive(Debug, Clone, PartialEq)]
pub struct AuxiliaryNetConfig {
    /// Hidden widths, at least one.
    pub hidden: Vec<i64>,
    /// What follows each of them.
    pub activation: ActivationConfig,
    /// What happens to `[h, e]` before the first layer. The authors' code has a batch normalisation there, see
    /// [`InputNorm::Keras`]. Statistics are taken over the clicks and the others of a batch together.
    pub input_norm: InputNorm,
}

impl Default for AuxiliaryNetConfig {
    /// 100 and 50 hidden units with the logistic function, the input as it is.
    fn default() -> Self {
        Self { hidden: vec![100, 50], activation: ActivationConfig::Sigmoid, input_norm: InputNorm::None }
    }
}

impl AuxiliaryNetConfig {
    pub(super) fn mlp(&self) -> MlpConfig {
        MlpConfig {
            input_norm: self.input_norm,
            hidden: self.hidden.clone(),
            activation: self.activation,
            batch_norm: false,
            dropout: 0.0,
        }
    }
}

/// How a state and an event become a logit.
#[derive(Debug, Clone, PartialEq)]
pub enum AuxiliaryScorer {
    /// A network reads `[h, e]`: the authors' code, <https://github.com/mouna99/dien>, 100 and 50 hidden units.
    Mlp(AuxiliaryNetConfig),
    /// `h · e`, as in the paper. It needs states as wide as events.
    InnerProduct,
}

impl Default for AuxiliaryScorer {
    fn default() -> Self {
        Self::Mlp(AuxiliaryNetConfig::default())
    }
}

/// What the loss of a batch with `P` pairs is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuxiliaryAverage {
    /// `2P`: every event that happened and every one that did not counts as one entry.
    #[default]
    Entries,
    /// `P`: the two losses of a pair are added, as in the authors' code. Twice the other.
    Pairs,
}

/// How the states of an interest extractor are taught to foretell the next event.
///
/// In a file it is one table: `{ scorer = "mlp", hidden = [100, 50], activation = "sigmoid", input_norm = "none",
/// average = "entries", weight = 1.0 }`, in which every key may be left out. `scorer = "inner_product"` has no network,
/// so that `hidden`, `activation` and `input_norm` are refused beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct AuxiliaryLossConfig {
    /// How a state and an event become a logit.
    pub scorer: AuxiliaryScorer,
    /// What the sum over the pairs is divided by.
    pub average: AuxiliaryAverage,
    /// What the loss is multiplied by before it joins the click loss, at least 0.
    pub weight: f64,
}

impl Default for AuxiliaryLossConfig {
    /// The network of 100 and 50 units, averaged over entries, with weight 1.
    fn default() -> Self {
        Self { scorer: AuxiliaryScorer::default(), average: AuxiliaryAverage::default(), weight: 1.0 }
    }
}

impl AuxiliaryLossConfig {
    /// # Errors
    /// [`LayerError::Config`] when `weight` is negative or not a number, or `hidden` is empty or holds a width that is
    /// not positive.
    pub fn check(&self) -> Result<(), LayerError> {
        if !(self.weight >= 0.0 && self.weight.is_finite()) {
            let value = self.weight.to_string();
            return Err(LayerError::Config { field: "weight", value, allowed: "at least 0" });
        }
        match &self.scorer {
            AuxiliaryScorer::Mlp(net) => net.mlp().check(),
            AuxiliaryScorer::InnerProduct => Ok(()),
        }
    }

    /// [`AuxiliaryLossConfig::check`], and whether the scorer fits states and events of these widths.
    pub(crate) fn check_widths(&self, state_width: i64, event_width: i64) -> Result<(), LayerError> {
        self.check()?;
        for (field, value) in [("state_width", state_width), ("event_width", event_width)] {
            if value < 1 {
                return Err(LayerError::Config { field, value: value.to_string(), allowed: "at least 1" });
            }
        }
        if self.scorer == AuxiliaryScorer::InnerProduct && state_width != event_width {
            let value = format!("inner_product of states of width {state_width} and events of width {event_width}");
            return Err(LayerError::Config { field: "scorer", value, allowed: "mlp, or equal widths" });
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ScorerName {
    #[default]
    Mlp,
    InnerProduct,
}

/// The table in a file. A key of the network is kept apart from its default, to be refused where there is no network.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    scorer: ScorerName,
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden: Option<Vec<i64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    activation: Option<ActivationConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_norm: Option<InputNorm>,
    #[serde(default)]
    average: AuxiliaryAverage,
    #[serde(default = "one")]
    weight: f64,
}

fn one() -> f64 {
    AuxiliaryLossConfig::default().weight
}

impl TryFrom<Written> for AuxiliaryLossConfig {
    type Error = LayerError;

    fn try_from(written: Written) -> Result<Self, LayerError> {
        let Written { scorer, hidden, activation, input_norm, average, weight } = written;
        let scorer = match scorer {
            ScorerName::Mlp => {
                let default = AuxiliaryNetConfig::default();
                AuxiliaryScorer::Mlp(AuxiliaryNetConfig {
                    hidden: hidden.unwrap_or(default.hidden),
                    activation: activation.unwrap_or(default.activation),
                    input_norm: input_norm.unwrap_or(default.input_norm),
                })
            }
            ScorerName::InnerProduct => {
                let set = [
                    ("hidden", hidden.map(|hidden| format!("{hidden:?}"))),
                    ("activation", activation.map(|activation| setting(&activation))),
                    ("input_norm", input_norm.map(|norm| setting(&norm))),
                ];
                if let Some((field, value)) = set.into_iter().find_map(|(field, value)| Some((field, value?))) {
                    return Err(LayerError::Config { field, value, allowed: "only beside scorer = \"mlp\"" });
                }
                AuxiliaryScorer::InnerProduct
            }
        };
        let config = Self { scorer, average, weight };
        config.check()?;
        Ok(config)
    }
}

impl From<AuxiliaryLossConfig> for Written {
    fn from(config: AuxiliaryLossConfig) -> Self {
        let AuxiliaryLossConfig { scorer, average, weight } = config;
        let (scorer, net) = match scorer {
            AuxiliaryScorer::Mlp(net) => (ScorerName::Mlp, Some(net)),
            AuxiliaryScorer::InnerProduct => (ScorerName::InnerProduct, None),
        };
        let (activation, input_norm) = (net.as_ref().map(|net| net.activation), net.as_ref().map(|net| net.input_norm));
        Self { scorer, hidden: net.map(|net| net.hidden), activation, input_norm, average, weight }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn read(text: &str) -> Result<AuxiliaryLossConfig, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn every_key_may_be_left_out() {
        assert_eq!(read("{}"), Ok(AuxiliaryLossConfig::default()));
        let config = read(r#"{"hidden": [7], "input_norm": "keras", "average": "pairs", "weight": 0.2}"#).unwrap();
        let net = AuxiliaryNetConfig { hidden: vec![7], input_norm: InputNorm::Keras, ..AuxiliaryNetConfig::default() };
        let expected =
            AuxiliaryLossConfig { scorer: AuxiliaryScorer::Mlp(net), average: AuxiliaryAverage::Pairs, weight: 0.2 };
        assert_eq!(config, expected);
    }

    #[test]
    fn what_is_written_is_read_again() {
        for scorer in [AuxiliaryScorer::default(), AuxiliaryScorer::InnerProduct] {
            let config = AuxiliaryLossConfig { scorer, average: AuxiliaryAverage::Pairs, weight: 0.5 };
            assert_eq!(read(&serde_json::to_string(&config).unwrap()), Ok(config));
        }
    }

    #[test]
    fn a_key_without_effect_is_refused() {
        for (text, expected) in [
            (
                r#"{"scorer": "inner_product", "hidden": [8]}"#,
                "hidden = [8] is not allowed: only beside scorer = \"mlp\"",
            ),
            (r#"{"scorer": "inner_product", "activation": "relu"}"#, "activation = relu is not allowed"),
            (r#"{"scorer": "inner_product", "input_norm": "none"}"#, "input_norm = none is not allowed"),
            (r#"{"weigth": 1.0}"#, "unknown field `weigth`"),
            (r#"{"weight": -1.0}"#, "weight = -1 is not allowed: at least 0"),
            (r#"{"hidden": []}"#, "hidden = [] is not allowed"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
        assert_eq!(read(r#"{"scorer": "inner_product"}"#).unwrap().scorer, AuxiliaryScorer::InnerProduct);
    }
}
