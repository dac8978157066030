//! Sum and maximum over a list.

use fain_layers::{Pooling, pool};
use fain_tests::{Case, Fixture, Forward, GoldenError, Report, Subject};
use serde::Deserialize;
use tch::nn;

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kinds {
    Max,
    Sum,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    kind: Kinds,
    #[serde(rename = "batch")]
    _batch: i64,
    #[serde(rename = "time")]
    _time: i64,
    #[serde(rename = "size")]
    _size: i64,
}

pub(crate) fn check(fixture: &Fixture, report: &mut Report) {
    fain_tests::check(&PoolingLayer, fixture, report);
}

struct PoolingLayer;

impl Subject for PoolingLayer {
    fn build(&self, _variables: &nn::Path<'_>, case: &Case) -> Result<Forward, GoldenError> {
        let config: Config = case.config()?;
        let pooling = match config.kind {
            Kinds::Max => Pooling::Max,
            Kinds::Sum => Pooling::Sum,
        };
        Ok(Box::new(move |inputs, _mode| {
            let list = inputs.padding("x")?.pack(inputs.tensor("x")?)?;
            Ok(vec![("y", pool(&list, pooling)?)])
        }))
    }
}
