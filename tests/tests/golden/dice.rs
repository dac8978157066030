//! Dice on rows, on padded sequences as rows, and by the statistics of each row.

use fain_layers::{Dice, DiceVariant, Execution};
use fain_tests::{Case, Fixture, Forward, GoldenError, Report, Subject, Tolerance};
use serde::Deserialize;
use tch::nn;

use crate::recurrent::{EXECUTIONS, variant};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    size: i64,
    epsilon: f64,
    /// 2 for `[B, C]`, 3 for `[B, T, C]`.
    dim: usize,
    #[serde(rename = "batch")]
    _batch: i64,
    #[serde(rename = "time")]
    _time: Option<i64>,
}

pub(crate) fn check(fixture: &Fixture, report: &mut Report) {
    for execution in EXECUTIONS {
        fain_tests::check(&DiceLayer(execution), fixture, report);
    }
}

struct DiceLayer(Execution);

impl Subject for DiceLayer {
    fn variant(&self) -> Option<&'static str> {
        Some(variant(self.0))
    }

    fn build(&self, variables: &nn::Path<'_>, case: &Case) -> Result<Forward, GoldenError> {
        let config: Config = case.config()?;
        if config.epsilon.to_bits() != 1e-8f64.to_bits() {
            let problem = format!("epsilon = {}, only 1e-8 is built", config.epsilon);
            return Err(case.problem(problem));
        }
        let dice = Dice::new(variables, config.size, DiceVariant::Affine)?.with_execution(self.0);
        Ok(Box::new(move |inputs, mode| {
            let input = inputs.tensor("x")?;
            let output = if config.dim == 2 {
                dice.forward(input, mode)?
            } else {
                let rows = input.f_reshape([-1, config.size])?;
                dice.forward(&rows, mode)?.f_reshape(input.size())?
            };
            Ok(vec![("y", output)])
        }))
    }

    /// Constant columns, and a mean of 1e4 beside a deviation of 1, amplify the last bits by up to 1e4.
    fn double(&self, case: &Case) -> Tolerance {
        let ill_conditioned = case.id().ends_with("_const") || case.id().ends_with("_shift");
        Tolerance::both(if ill_conditioned { 1e-6 } else { 1e-9 })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PerSampleConfig {
    size: i64,
    epsilon: f64,
    #[serde(rename = "batch")]
    _batch: i64,
}

pub(crate) fn check_per_sample(fixture: &Fixture, report: &mut Report) {
    for execution in EXECUTIONS {
        fain_tests::check(&PerSampleDice(execution), fixture, report);
    }
}

struct PerSampleDice(Execution);

impl Subject for PerSampleDice {
    fn variant(&self) -> Option<&'static str> {
        Some(variant(self.0))
    }

    fn build(&self, variables: &nn::Path<'_>, case: &Case) -> Result<Forward, GoldenError> {
        let config: PerSampleConfig = case.config()?;
        if config.epsilon.to_bits() != 1e-3f64.to_bits() {
            let problem = format!("epsilon = {}, only 1e-3 is built", config.epsilon);
            return Err(case.problem(problem));
        }
        let dice = Dice::new(variables, config.size, DiceVariant::PerSample)?.with_execution(self.0);
        Ok(Box::new(move |inputs, mode| Ok(vec![("y", dice.forward(inputs.tensor("x")?, mode)?)])))
    }
}
