//! The activation unit of torch-rechub: target attention with its own Dice, where every event of a list is real.

use fain_layers::{ActivationConfig, AttentionNormalization, Execution, TargetAttention, TargetAttentionConfig};
use fain_tests::{Case, Exclusion, Fixture, Forward, GoldenError, Report, Section, Subject};
use serde::Deserialize;
use tch::nn;

use crate::recurrent::{EXECUTIONS, variant};

pub(crate) static SINGLE_EVENT: Exclusion = Exclusion {
    name: "a single event in training",
    reason: "the reference refuses a training batch with a single event; ours takes the running statistics, as a \
             history of one event must not stop a training",
};

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RechubActivation {
    Relu,
    Prelu,
    Sigmoid,
    Dice,
}

impl From<RechubActivation> for ActivationConfig {
    fn from(activation: RechubActivation) -> Self {
        match activation {
            RechubActivation::Relu => Self::Relu,
            RechubActivation::Prelu => Self::Prelu,
            RechubActivation::Sigmoid => Self::Sigmoid,
            RechubActivation::Dice => Self::DicePerSample,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    emb_dim: i64,
    dims: Vec<i64>,
    activation: RechubActivation,
    use_softmax: bool,
    time: i64,
    batch: i64,
}

pub(crate) fn check(fixture: &Fixture, report: &mut Report) {
    for execution in EXECUTIONS {
        fain_tests::check(&ActivationUnit(execution), fixture, report);
    }
}

struct ActivationUnit(Execution);

impl Subject for ActivationUnit {
    fn variant(&self) -> Option<&'static str> {
        Some(variant(self.0))
    }

    fn build(&self, variables: &nn::Path<'_>, case: &Case) -> Result<Forward, GoldenError> {
        let config: Config = case.config()?;
        let ours = TargetAttentionConfig {
            hidden: config.dims,
            activation: config.activation.into(),
            batch_norm: true,
            normalization: if config.use_softmax {
                AttentionNormalization::Softmax
            } else {
                AttentionNormalization::None
            },
            ..TargetAttentionConfig::default()
        };
        let attention = TargetAttention::new(variables, config.emb_dim, &ours)?.with_execution(self.0);
        Ok(Box::new(move |inputs, mode| {
            let history = inputs.padding("history")?.pack(inputs.tensor("history")?)?;
            Ok(vec![("y", attention.forward(inputs.tensor("target")?, &history, mode)?)])
        }))
    }

    /// The reference numbers its modules through: four for each hidden layer, dense, batch norm, activation, dropout.
    fn rename_in(&self, case: &Case, reference: &str) -> Result<String, GoldenError> {
        let config: Config = case.config()?;
        let problem = || case.problem(format!("{reference} is no variable of an activation unit"));
        let rest = reference.strip_prefix("attention.mlp.").ok_or_else(problem)?;
        let (index, leaf) = rest.split_once('.').ok_or_else(problem)?;
        let index: usize = index.parse().map_err(|_| problem())?;
        let (layer, module) = (index / 4, index % 4);
        Ok(match module {
            0 if layer == config.dims.len() => format!("output.{leaf}"),
            0 => format!("score.dense{layer}.{leaf}"),
            1 => format!("score.batchnorm{layer}.{leaf}"),
            2 => format!("score.activation{layer}.{leaf}"),
            _ => return Err(problem()),
        })
    }

    fn excluded(
        &self,
        case: &Case,
        _section: &Section,
        tensor: &str,
    ) -> Result<Option<&'static Exclusion>, GoldenError> {
        let config: Config = case.config()?;
        Ok((tensor == "refusal" && config.batch * config.time == 1).then_some(&SINGLE_EVENT))
    }
}
