//! Target attention with softmax, logistic and plain weights.

use fain_layers::{AttentionNormalization, AttentionScale, Execution, TargetAttention, TargetAttentionConfig};
use fain_tests::{Case, Exclusion, Fixture, Forward, GoldenError, Report, Section, Subject};
use serde::Deserialize;
use tch::nn;

use crate::mlp::GoldenActivation;
use crate::recurrent::{EXECUTIONS, variant};

pub(crate) static PADDING_IN_STATISTICS: Exclusion = Exclusion {
    name: "padding in batch statistics",
    reason: "in training, the reference's batch norm and Dice take padding into their statistics; ours see events only, \
             as the bnvalid sections do",
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    input_size: i64,
    hidden_layers: Vec<i64>,
    activation: Option<GoldenActivation>,
    batchnorm: bool,
    /// Whether the output is the weights instead of the weighted sum.
    return_scores: bool,
    #[serde(default)]
    normalisation: Normalization,
    lengths: Vec<i64>,
    time: i64,
    #[serde(rename = "batch")]
    _batch: i64,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Normalization {
    #[default]
    Softmax,
    Sigmoid,
    None,
}

impl From<Normalization> for AttentionNormalization {
    fn from(normalization: Normalization) -> Self {
        match normalization {
            Normalization::Softmax => Self::Softmax,
            Normalization::Sigmoid => Self::Sigmoid,
            Normalization::None => Self::None,
        }
    }
}

pub(crate) fn check(fixture: &Fixture, report: &mut Report) {
    for execution in EXECUTIONS {
        fain_tests::check(&Attention(execution), fixture, report);
    }
}

/// Ours of a variable of the reference's attention.
pub(crate) fn rename(reference: &str) -> String {
    if let Some(rest) = reference.strip_prefix("mlp.mlp.") {
        return format!("score.{rest}");
    }
    if let Some(rest) = reference.strip_prefix("fc.") {
        return format!("output.{rest}");
    }
    reference.to_owned()
}

struct Attention(Execution);

impl Subject for Attention {
    fn variant(&self) -> Option<&'static str> {
        Some(variant(self.0))
    }

    fn build(&self, variables: &nn::Path<'_>, case: &Case) -> Result<Forward, GoldenError> {
        let config: Config = case.config()?;
        let ours = TargetAttentionConfig {
            hidden: config.hidden_layers,
            activation: GoldenActivation::ours(config.activation),
            batch_norm: config.batchnorm,
            scale: AttentionScale::SqrtWidth,
            normalization: config.normalisation.into(),
            ..TargetAttentionConfig::default()
        };
        let attention = TargetAttention::new(variables, config.input_size, &ours)?.with_execution(self.0);
        Ok(Box::new(move |inputs, mode| {
            let padding = inputs.padding("keys")?;
            let history = padding.pack(inputs.tensor("keys")?)?;
            let query = inputs.tensor("query")?;
            if config.return_scores {
                let weights = attention.weights(query, &history, mode)?;
                return Ok(vec![("scores", padding.unpack(&weights)?)]);
            }
            Ok(vec![("y", attention.forward(query, &history, mode)?)])
        }))
    }

    fn rename(&self, reference: &str) -> String {
        rename(reference)
    }

    fn excluded(
        &self,
        case: &Case,
        section: &Section,
        _tensor: &str,
    ) -> Result<Option<&'static Exclusion>, GoldenError> {
        let config: Config = case.config()?;
        let padded = config.lengths.iter().any(|&length| length < config.time);
        let statistics = config.batchnorm || matches!(config.activation, Some(GoldenActivation::Dice));
        Ok((section.name() == "train" && padded && statistics).then_some(&PADDING_IN_STATISTICS))
    }
}
