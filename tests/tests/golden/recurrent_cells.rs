//! Single steps of AGRU and AUGRU: histories of one event, with a state before it.

use fain_layers::{
    AttentionalGru, AttentionalGruConfig, AttentionalGruKind, Execution, GateOrder, Jagged, JaggedLayout, Recurrence,
    ResetGate,
};
use fain_tests::{Case, Fixture, Forward, GoldenError, Report, Subject};
use serde::Deserialize;
use tch::{Device, Tensor, nn};

use crate::recurrent::{EXECUTIONS, variant};

/// How the gates are stacked in the parameters.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Stack {
    Rn,
    Urn,
    Run,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    batch: u32,
    input_size: i64,
    hidden_size: i64,
    bias: bool,
    gate_order: Stack,
}

pub(crate) fn check_agru(fixture: &Fixture, report: &mut Report) {
    for execution in EXECUTIONS {
        fain_tests::check(&Cell { kind: AttentionalGruKind::Agru, execution }, fixture, report);
    }
}

pub(crate) fn check_augru(fixture: &Fixture, report: &mut Report) {
    for execution in EXECUTIONS {
        fain_tests::check(&Cell { kind: AttentionalGruKind::Augru, execution }, fixture, report);
    }
}

struct Cell {
    kind: AttentionalGruKind,
    execution: Execution,
}

impl Cell {
    /// The order of their gates, where it is another than ours.
    fn order(&self, case: &Case) -> Result<Option<&'static str>, GoldenError> {
        match (case.config::<Config>()?.gate_order, self.kind) {
            (Stack::Rn, AttentionalGruKind::Agru) | (Stack::Urn, AttentionalGruKind::Augru) => Ok(None),
            (Stack::Run, AttentionalGruKind::Augru) => Ok(Some("run")),
            (Stack::Rn | Stack::Urn | Stack::Run, kind) => {
                Err(case.problem(format!("gate_order does not fit {kind:?}")))
            }
        }
    }
}

impl Subject for Cell {
    fn build(&self, variables: &nn::Path<'_>, case: &Case) -> Result<Forward, GoldenError> {
        let config: Config = case.config()?;
        let ours = AttentionalGruConfig {
            kind: self.kind,
            hidden: config.hidden_size,
            bias: config.bias,
            reset: ResetGate::After,
        };
        let gru = AttentionalGru::new(variables, config.input_size, ours)?.with_execution(self.execution);
        let offsets: Vec<u32> = (0..=config.batch).collect();
        Ok(Box::new(move |inputs, _mode| {
            let layout = JaggedLayout::new(&offsets, Device::Cpu)?;
            let events = Jagged::new(inputs.tensor("x")?.shallow_clone(), layout)?;
            let scores = inputs.tensor("att_score")?.f_unsqueeze(1)?;
            let states = gru.forward(&events, &scores, Some(inputs.tensor("hx")?))?;
            Ok(vec![("h", states.values().shallow_clone())])
        }))
    }

    fn import(&self, case: &Case, _reference: &str, value: &Tensor) -> Result<Tensor, GoldenError> {
        Ok(match self.order(case)? {
            Some(theirs) => reorder(value, theirs, "urn")?,
            None => value.shallow_clone(),
        })
    }

    fn export(&self, case: &Case, _reference: &str, value: &Tensor) -> Result<Tensor, GoldenError> {
        Ok(match self.order(case)? {
            Some(theirs) => reorder(value, "urn", theirs)?,
            None => value.shallow_clone(),
        })
    }

    fn variant(&self) -> Option<&'static str> {
        Some(variant(self.execution))
    }
}

fn reorder(stacked: &Tensor, from: &str, to: &str) -> Result<Tensor, GoldenError> {
    Ok(GateOrder { from: from.to_owned(), to: to.to_owned() }.apply(stacked)?)
}
