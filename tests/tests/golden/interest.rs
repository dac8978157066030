//! DIEN's reader of a history: extractor, auxiliary loss, attention and evolution together.

use fain_layers::{
    AttentionNormalization, AttentionScale, AuxiliaryLossConfig, AuxiliaryNetConfig, AuxiliaryScorer, DienInterest,
    DienInterestConfig, EvolutionKind, Execution, InterestInput, InterestLayer, ResetGate, TargetAttentionConfig,
};
use fain_tests::{Case, Exclusion, Fixture, Forward, GoldenError, Report, Section, Subject};
use serde::Deserialize;
use tch::nn;

use crate::attention::PADDING_IN_STATISTICS;
use crate::mlp::GoldenActivation;
use crate::recurrent::{EXECUTIONS, variant};
use crate::{attention, auxiliary, recurrent};

#[derive(Clone, Copy, Deserialize)]
pub(crate) enum GruType {
    #[serde(rename = "GRU")]
    Gru,
    #[serde(rename = "AIGRU")]
    Aigru,
    #[serde(rename = "AGRU")]
    Agru,
    #[serde(rename = "AUGRU")]
    Augru,
}

impl GruType {
    /// Whether it is a recurrence of its own, without a score of each event in it.
    pub(crate) fn is_plain(self) -> bool {
        matches!(self, Self::Gru | Self::Aigru)
    }
}

impl From<GruType> for EvolutionKind {
    fn from(kind: GruType) -> Self {
        match kind {
            GruType::Gru => Self::Gru,
            GruType::Aigru => Self::Aigru,
            GruType::Agru => Self::Agru,
            GruType::Augru => Self::Augru,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    input_size: i64,
    gru_type: GruType,
    use_negsampling: bool,
    att_hidden_layers: Vec<i64>,
    att_activation: Option<GoldenActivation>,
    att_batchnorm: bool,
    aux_hidden: Option<Vec<i64>>,
    lengths: Vec<i64>,
    time: i64,
    #[serde(rename = "batch")]
    _batch: i64,
}

impl Config {
    fn ours(&self) -> DienInterestConfig {
        let auxiliary = self.aux_hidden.as_ref().map(|hidden| {
            let net = AuxiliaryNetConfig { hidden: hidden.clone(), ..AuxiliaryNetConfig::default() };
            AuxiliaryLossConfig { scorer: AuxiliaryScorer::Mlp(net), ..AuxiliaryLossConfig::default() }
        });
        DienInterestConfig {
            hidden: None,
            reset: ResetGate::After,
            attention: TargetAttentionConfig {
                hidden: self.att_hidden_layers.clone(),
                activation: GoldenActivation::ours(self.att_activation),
                batch_norm: self.att_batchnorm,
                scale: AttentionScale::SqrtWidth,
                normalization: AttentionNormalization::Softmax,
                ..TargetAttentionConfig::default()
            },
            evolution: self.gru_type.into(),
            auxiliary,
        }
    }
}

pub(crate) fn check(fixture: &Fixture, report: &mut Report) {
    for execution in EXECUTIONS {
        fain_tests::check(&Dien(execution), fixture, report);
    }
}

struct Dien(Execution);

/// How a part's variables are called.
type Rename = fn(&str) -> String;

impl Subject for Dien {
    fn build(&self, variables: &nn::Path<'_>, case: &Case) -> Result<Forward, GoldenError> {
        let config: Config = case.config()?;
        let layer = DienInterest::with_execution(variables, config.input_size, &config.ours(), self.0)?;
        Ok(Box::new(move |inputs, mode| {
            let padding = inputs.padding("keys")?;
            let history = padding.pack(inputs.tensor("keys")?)?;
            let negative = if config.use_negsampling { Some(padding.pack(inputs.tensor("neg_keys")?)?) } else { None };
            let input = InterestInput {
                candidate: inputs.tensor("query")?,
                history: &history,
                negative: negative.as_ref(),
                times: None,
            };
            let interest = layer.forward(&input, mode)?;
            let mut outputs = vec![("interest", interest.vector)];
            outputs.extend(interest.auxiliary.map(|loss| ("aux", loss)));
            Ok(outputs)
        }))
    }

    fn rename(&self, reference: &str) -> String {
        let parts: [(&str, &str, Rename); 4] = [
            ("interest_extractor.", "extractor", recurrent::rename),
            ("auxiliary_net.", "auxiliary", auxiliary::rename),
            ("attention.", "attention", attention::rename),
            ("interest_evolution.", "evolution", recurrent::rename),
        ];
        let ours = parts
            .into_iter()
            .find_map(|(theirs, part, rename)| Some(format!("{part}.{}", rename(reference.strip_prefix(theirs)?))));
        ours.unwrap_or_else(|| reference.to_owned())
    }

    fn excluded(
        &self,
        case: &Case,
        section: &Section,
        tensor: &str,
    ) -> Result<Option<&'static Exclusion>, GoldenError> {
        let config: Config = case.config()?;
        let padded = config.lengths.iter().any(|&length| length < config.time);
        let statistics = config.att_batchnorm || matches!(config.att_activation, Some(GoldenActivation::Dice));
        // The auxiliary loss does not go through the attention.
        let apart = ["out/aux", "grad_in/neg_keys"].contains(&tensor) || tensor.starts_with("grad/auxiliary_net.");
        Ok((section.name() == "train" && padded && statistics && !apart).then_some(&PADDING_IN_STATISTICS))
    }

    fn variant(&self) -> Option<&'static str> {
        Some(variant(self.0))
    }
}
