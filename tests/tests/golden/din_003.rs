//! A Keras DIN on vectors that are looked up before: there are no tables in it.

use fain_layers::{Execution, Linear, Mlp, MlpConfig, Mode, TargetAttention, TargetAttentionConfig};
use fain_models::DinPreset;
use fain_tests::{Case, Exclusion, Fixture, Forward, GoldenError, Inputs, Padding, Report, Section, Subject};
use serde::Deserialize;
use tch::{Tensor, nn};

use crate::recurrent::{EXECUTIONS, variant};

pub(crate) static PADDING_FOR_EMPTY: Exclusion = Exclusion {
    name: "padding for an empty history",
    reason: "the reference averages the padding of an empty history; ours gives zeros, as the sections without refpad do",
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    dims: Vec<i64>,
    att_hidden: Vec<i64>,
    ffn: Vec<i64>,
    #[serde(rename = "batch")]
    _batch: i64,
    #[serde(rename = "T")]
    _longest: Vec<i64>,
    #[serde(rename = "lengths")]
    _lengths: Vec<Vec<i64>>,
}

pub(crate) fn check(fixture: &Fixture, report: &mut Report) {
    for execution in EXECUTIONS {
        fain_tests::check(&Subject003(execution), fixture, report);
    }
}

struct Subject003(Execution);

/// What lies between the vectors and the probability.
struct Din {
    attentions: Vec<TargetAttention>,
    mlp: Mlp,
    output: Linear,
}

impl Din {
    fn new(variables: &nn::Path<'_>, config: &Config, execution: Execution) -> Result<Self, GoldenError> {
        let keras = DinPreset::Keras.config();
        let attention = TargetAttentionConfig { hidden: config.att_hidden.clone(), ..keras.attention };
        let mlp = MlpConfig { hidden: config.ffn.clone(), ..keras.mlp };
        let mut attentions = Vec::with_capacity(config.dims.len());
        for (index, &dim) in config.dims.iter().enumerate() {
            let variables = variables / format!("interest{index}");
            attentions.push(TargetAttention::new(&variables, dim, &attention)?.with_execution(execution));
        }
        let mlp = Mlp::new(&(variables / "mlp"), 2 * config.dims.iter().sum::<i64>(), &mlp)?.with_execution(execution);
        let output = Linear::new(&(variables / "output"), mlp.outputs(), 1)?;
        Ok(Self { attentions, mlp, output })
    }

    /// An interest and its target, pair by pair, then the network.
    fn probability(&self, inputs: &Inputs, mode: Mode) -> Result<Tensor, GoldenError> {
        let mut blocks = Vec::new();
        for (index, attention) in self.attentions.iter().enumerate() {
            let (target, padded) = (inputs.tensor(&format!("target{index}"))?, inputs.tensor(&format!("seq{index}"))?);
            let lengths = Vec::<i64>::try_from(inputs.tensor(&format!("length{index}"))?)?;
            let history = Padding::new(&lengths, padded.size3()?.1)?.pack(padded)?;
            blocks.push(attention.forward(target, &history, mode)?);
            blocks.push(target.shallow_clone());
        }
        let hidden = self.mlp.forward(&Tensor::f_cat(&blocks, 1)?, mode)?;
        Ok(self.output.forward(&hidden)?.f_squeeze_dim(1)?.f_sigmoid()?)
    }
}

impl Subject for Subject003 {
    fn variant(&self) -> Option<&'static str> {
        Some(variant(self.0))
    }

    fn build(&self, variables: &nn::Path<'_>, case: &Case) -> Result<Forward, GoldenError> {
        let model = Din::new(variables, &case.config()?, self.0)?;
        Ok(Box::new(move |inputs, mode| Ok(vec![("prob", model.probability(inputs, mode)?)])))
    }

    fn rename(&self, reference: &str) -> String {
        for (theirs, ours) in [
            ("bn.gamma", "mlp.input_norm.weight"),
            ("bn.beta", "mlp.input_norm.bias"),
            ("bn.moving_mean", "mlp.input_norm.running_mean"),
            ("bn.moving_variance", "mlp.input_norm.running_var"),
        ] {
            if reference == theirs {
                return ours.to_owned();
            }
        }
        let reference = reference.replace("att.", "interest").replace("ffn.", "mlp.dense");
        reference.replace("hidden_dnn.", "score.dense").replace("att_output.", "output.")
    }

    fn excluded(
        &self,
        _case: &Case,
        section: &Section,
        _tensor: &str,
    ) -> Result<Option<&'static Exclusion>, GoldenError> {
        Ok(section.name().starts_with("refpad_").then_some(&PADDING_FOR_EMPTY))
    }
}
