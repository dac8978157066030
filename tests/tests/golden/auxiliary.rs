//! The auxiliary loss of DIEN and its network.

use fain_layers::{
    ActivationConfig, AuxiliaryLoss, AuxiliaryLossConfig, AuxiliaryNet, AuxiliaryNetConfig, AuxiliaryScorer, Execution,
};
use fain_tests::{Case, Exclusion, Fixture, Forward, GoldenError, Report, Section, Subject};
use serde::Deserialize;
use tch::nn;

use crate::recurrent::{EXECUTIONS, variant};

pub(crate) static SATURATED: Exclusion = Exclusion {
    name: "saturated probabilities",
    reason: "the reference takes logarithms of probabilities that are 0 or 1 in its precision; ours is computed from \
             logits, as the stable section is",
};

/// Ours of a variable of the reference's network.
pub(crate) fn rename(reference: &str) -> String {
    match reference.strip_prefix("mlp.final_layer.") {
        Some(leaf) => format!("output.{leaf}"),
        None => reference.strip_prefix("mlp.").unwrap_or(reference).to_owned(),
    }
}

pub(crate) fn check_net(fixture: &Fixture, report: &mut Report) {
    for execution in EXECUTIONS {
        fain_tests::check(&Net(execution), fixture, report);
    }
}

pub(crate) fn check_loss(fixture: &Fixture, report: &mut Report) {
    for execution in EXECUTIONS {
        fain_tests::check(&Loss(execution), fixture, report);
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum NetActivation {
    Sigmoid,
    Relu,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NetConfig {
    input_size: i64,
    hidden_layers: Vec<i64>,
    activation: NetActivation,
    #[serde(rename = "rows")]
    _rows: i64,
}

struct Net(Execution);

impl Subject for Net {
    fn variant(&self) -> Option<&'static str> {
        Some(variant(self.0))
    }

    fn build(&self, variables: &nn::Path<'_>, case: &Case) -> Result<Forward, GoldenError> {
        let config: NetConfig = case.config()?;
        let activation = match config.activation {
            NetActivation::Sigmoid => ActivationConfig::Sigmoid,
            NetActivation::Relu => ActivationConfig::Relu,
        };
        let ours = AuxiliaryNetConfig { hidden: config.hidden_layers, activation, ..AuxiliaryNetConfig::default() };
        let net = AuxiliaryNet::new(variables, config.input_size, &ours)?.with_execution(self.0);
        // The reference gives probabilities.
        Ok(Box::new(move |inputs, mode| Ok(vec![("p", net.forward(inputs.tensor("x")?, mode)?.f_sigmoid()?)])))
    }

    fn rename(&self, reference: &str) -> String {
        rename(reference)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LossConfig {
    size: i64,
    hidden_layers: Vec<i64>,
    #[serde(rename = "batch")]
    _batch: i64,
    #[serde(rename = "time")]
    _time: i64,
    #[serde(rename = "lengths")]
    _lengths: Vec<i64>,
}

struct Loss(Execution);

impl Subject for Loss {
    fn variant(&self) -> Option<&'static str> {
        Some(variant(self.0))
    }

    fn build(&self, variables: &nn::Path<'_>, case: &Case) -> Result<Forward, GoldenError> {
        let config: LossConfig = case.config()?;
        let net = AuxiliaryNetConfig { hidden: config.hidden_layers, ..AuxiliaryNetConfig::default() };
        let ours = AuxiliaryLossConfig { scorer: AuxiliaryScorer::Mlp(net), ..AuxiliaryLossConfig::default() };
        let loss = AuxiliaryLoss::new(variables, config.size, config.size, &ours)?.with_execution(self.0);
        Ok(Box::new(move |inputs, mode| {
            let pairs = |name: &str| inputs.padding(name)?.pack(inputs.tensor(name)?);
            let (states, clicks, others) = (pairs("states")?, pairs("click")?, pairs("noclick")?);
            Ok(vec![("loss", loss.of_pairs(states.values(), clicks.values(), others.values(), mode)?)])
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
        Ok((section.name() == "train" && case.id().ends_with("_saturated")).then_some(&SATURATED))
    }
}
