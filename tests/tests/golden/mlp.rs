//! The stack of hidden layers.

use fain_layers::{ActivationConfig, Execution, Mlp, MlpConfig};
use fain_tests::{Case, Fixture, Forward, GoldenError, Report, Subject};
use serde::Deserialize;
use tch::nn;

use crate::recurrent::{EXECUTIONS, variant};

/// The activations of the fixtures.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GoldenActivation {
    Relu,
    Prelu,
    Dice,
    Linear,
}

impl GoldenActivation {
    /// Ours: the fixtures' Dice has a learned scale and shift; no activation is the identity.
    pub(crate) fn ours(this: Option<Self>) -> ActivationConfig {
        match this {
            Some(Self::Relu) => ActivationConfig::Relu,
            Some(Self::Prelu) => ActivationConfig::Prelu,
            Some(Self::Dice) => ActivationConfig::DiceAffine,
            Some(Self::Linear) | None => ActivationConfig::Linear,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    input_size: i64,
    hidden_layers: Vec<i64>,
    batchnorm: bool,
    activation: Option<GoldenActivation>,
    dropout: f64,
    #[serde(rename = "batch")]
    _batch: i64,
}

pub(crate) fn check(fixture: &Fixture, report: &mut Report) {
    for execution in EXECUTIONS {
        fain_tests::check(&MlpLayer(execution), fixture, report);
    }
}

struct MlpLayer(Execution);

impl Subject for MlpLayer {
    fn variant(&self) -> Option<&'static str> {
        Some(variant(self.0))
    }

    fn build(&self, variables: &nn::Path<'_>, case: &Case) -> Result<Forward, GoldenError> {
        let config: Config = case.config()?;
        let ours = MlpConfig {
            hidden: config.hidden_layers,
            activation: GoldenActivation::ours(config.activation),
            batch_norm: config.batchnorm,
            dropout: config.dropout,
            ..MlpConfig::default()
        };
        let mlp = Mlp::new(variables, config.input_size, &ours)?.with_execution(self.0);
        Ok(Box::new(move |inputs, mode| Ok(vec![("y", mlp.forward(inputs.tensor("x")?, mode)?)])))
    }

    fn rename(&self, reference: &str) -> String {
        reference.strip_prefix("mlp.").unwrap_or(reference).to_owned()
    }
}
