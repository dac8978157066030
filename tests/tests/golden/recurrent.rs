//! Recurrences over padded histories, in plain operations and fused.

use fain_layers::{
    AttentionalGru, AttentionalGruConfig, AttentionalGruKind, Execution, Gru, GruConfig, Recurrence, ResetGate,
};
use fain_tests::{Case, Fixture, Forward, GoldenError, Report, Subject};
use serde::Deserialize;
use tch::nn;

/// Both ways of computing a recurrence.
pub(crate) const EXECUTIONS: [Execution; 2] = [Execution::Plain, Execution::Auto];

/// A word for the report.
pub(crate) fn variant(execution: Execution) -> &'static str {
    match execution {
        Execution::Plain => "plain",
        Execution::Auto => "fused",
    }
}

/// `rnn.weight_ih` and `weight_ih_l0` are `weight_ih`.
pub(crate) fn rename(reference: &str) -> String {
    let name = reference.strip_prefix("rnn.").unwrap_or(reference);
    name.strip_suffix("_l0").unwrap_or(name).to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GruCase {
    input_size: i64,
    hidden_size: i64,
    #[serde(rename = "lengths")]
    _lengths: Vec<i64>,
    #[serde(rename = "batch")]
    _batch: i64,
    #[serde(rename = "time")]
    _time: i64,
}

pub(crate) fn check_gru(fixture: &Fixture, report: &mut Report) {
    for execution in EXECUTIONS {
        fain_tests::check(&PackedGru(execution), fixture, report);
    }
}

struct PackedGru(Execution);

impl Subject for PackedGru {
    fn build(&self, variables: &nn::Path<'_>, case: &Case) -> Result<Forward, GoldenError> {
        let config: GruCase = case.config()?;
        let ours = GruConfig { hidden: config.hidden_size, bias: true, reset: ResetGate::After };
        let gru = Gru::new(variables, config.input_size, ours)?.with_execution(self.0);
        Ok(Box::new(move |inputs, _mode| {
            let padding = inputs.padding("x")?;
            let states = gru.forward(&padding.pack(inputs.tensor("x")?)?, None)?;
            Ok(vec![("states", padding.unpack_rows(states.values())?), ("last", states.last()?)])
        }))
    }

    fn rename(&self, reference: &str) -> String {
        rename(reference)
    }

    fn variant(&self) -> Option<&'static str> {
        Some(variant(self.0))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AigruCase {
    size: i64,
    #[serde(rename = "lengths")]
    _lengths: Vec<i64>,
    #[serde(rename = "batch")]
    _batch: i64,
    #[serde(rename = "time")]
    _time: i64,
}

pub(crate) fn check_aigru(fixture: &Fixture, report: &mut Report) {
    for execution in EXECUTIONS {
        fain_tests::check(&Aigru(execution), fixture, report);
    }
}

struct Aigru(Execution);

impl Subject for Aigru {
    fn build(&self, variables: &nn::Path<'_>, case: &Case) -> Result<Forward, GoldenError> {
        let config: AigruCase = case.config()?;
        let ours = AttentionalGruConfig {
            kind: AttentionalGruKind::Aigru,
            hidden: config.size,
            bias: true,
            reset: ResetGate::After,
        };
        let gru = AttentionalGru::new(variables, config.size, ours)?.with_execution(self.0);
        Ok(Box::new(move |inputs, _mode| {
            let padding = inputs.padding("x")?;
            let scores = padding.pack(inputs.tensor("scores")?)?;
            let states = gru.forward(&padding.pack(inputs.tensor("x")?)?, scores.values(), None)?;
            Ok(vec![("last", states.last()?)])
        }))
    }

    fn rename(&self, reference: &str) -> String {
        rename(reference)
    }

    fn sequences(&self) -> &[&str] {
        &["scores"]
    }

    fn variant(&self) -> Option<&'static str> {
        Some(variant(self.0))
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum AttentionalKind {
    Agru,
    Augru,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AttentionalCase {
    input_size: i64,
    hidden_size: i64,
    gru_type: AttentionalKind,
    bias: bool,
    /// Whether the states start from the input `hx`.
    initial_state: bool,
    #[serde(rename = "lengths")]
    _lengths: Vec<i64>,
    #[serde(rename = "batch")]
    _batch: i64,
    #[serde(rename = "time")]
    _time: i64,
}

pub(crate) fn check_attentional(fixture: &Fixture, report: &mut Report) {
    for execution in EXECUTIONS {
        fain_tests::check(&Attentional(execution), fixture, report);
    }
}

struct Attentional(Execution);

impl Subject for Attentional {
    fn build(&self, variables: &nn::Path<'_>, case: &Case) -> Result<Forward, GoldenError> {
        let config: AttentionalCase = case.config()?;
        let kind = match config.gru_type {
            AttentionalKind::Agru => AttentionalGruKind::Agru,
            AttentionalKind::Augru => AttentionalGruKind::Augru,
        };
        let ours =
            AttentionalGruConfig { kind, hidden: config.hidden_size, bias: config.bias, reset: ResetGate::After };
        let gru = AttentionalGru::new(variables, config.input_size, ours)?.with_execution(self.0);
        Ok(Box::new(move |inputs, _mode| {
            let padding = inputs.padding("x")?;
            let scores = padding.pack(inputs.tensor("att_scores")?)?;
            let initial = config.initial_state.then(|| inputs.tensor("hx")).transpose()?;
            let states = gru.forward(&padding.pack(inputs.tensor("x")?)?, scores.values(), initial)?;
            Ok(vec![("states", padding.unpack_rows(states.values())?), ("last", states.last()?)])
        }))
    }

    fn rename(&self, reference: &str) -> String {
        rename(reference)
    }

    fn sequences(&self) -> &[&str] {
        &["att_scores"]
    }

    fn variant(&self) -> Option<&'static str> {
        Some(variant(self.0))
    }
}
