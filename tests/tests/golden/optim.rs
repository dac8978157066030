//! Optimisers: some steps of a table `W` and a vector `v`.
//!
//! The loss of a step is `Σ c·r·(1 + r/2)` over looked up rows `r` of `W` with coefficients `c`, and, where `W` has a
//! dense gradient, `Σ d·v²`.

use std::collections::BTreeSet;

use fain_tests::{Case, Comparison, Fixture, GoldenError, Place, Precision, Report, Tolerance};
use fain_training::{AdagradConfig, AdamConfig, Optimizer, OptimizerConfig, UpdateRule};
use serde::Deserialize;
use tch::Tensor;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    kind: GoldenRule,
    lr: f64,
    #[serde(default)]
    weight_decay: f64,
    #[serde(default)]
    sparse: bool,
    /// A row whose lookups have no gradient.
    padding_idx: Option<i64>,
    steps: usize,
    #[serde(rename = "rows")]
    _rows: i64,
    #[serde(rename = "dim")]
    _dim: i64,
    #[serde(rename = "lookups")]
    _lookups: i64,
    #[serde(rename = "tiny")]
    _tiny: Option<bool>,
}

#[derive(Clone, Copy, Deserialize)]
enum GoldenRule {
    Adam,
    AdamW,
    SparseAdam,
    Adagrad,
    #[serde(rename = "SGD")]
    Sgd,
}

impl GoldenRule {
    /// Ours, with the settings that all cases have. `SparseAdam` is Adam with sparse gradients.
    fn ours(self) -> UpdateRule {
        match self {
            Self::Adam | Self::SparseAdam => UpdateRule::Adam(AdamConfig::default()),
            Self::AdamW => UpdateRule::AdamW(AdamConfig::default()),
            Self::Adagrad => UpdateRule::Adagrad(AdagradConfig::default()),
            Self::Sgd => UpdateRule::Sgd {},
        }
    }
}

pub(crate) fn check(fixture: &Fixture, report: &mut Report) {
    for case in fixture.cases() {
        report.count_case(fixture.name());
        for precision in Precision::ALL {
            let section = "steps".to_owned();
            let place = Place { layer: fixture.name().to_owned(), case: case.id().to_owned(), section };
            if let Err(error) = run(case, precision, &place, report) {
                report.fail(format!("{place} ({precision:?}): {error}"));
            }
        }
    }
}

/// Takes the steps of a case and compares each.
fn run(case: &Case, precision: Precision, place: &Place, report: &mut Report) -> Result<(), GoldenError> {
    let config: Config = case.config()?;
    let tolerance = match precision {
        Precision::Single => case.tolerance()?,
        Precision::Double => Tolerance::both(1e-9),
    };
    let mut unseen: BTreeSet<String> = case.tensors("").filter_map(|(name, _)| golden(name)).collect();
    let mut compare = |name: String, got: &Tensor| {
        let expected = case.tensor(&name)?;
        unseen.remove(&name);
        let what = Comparison { place, tensor: &name, precision, tolerance, exclusion: None };
        report.compare(&what, got, expected)
    };
    let mut parameters = Vec::new();
    for (name, start) in case.tensors("param/") {
        let value = start.f_to_dtype(precision.kind(), false, true)?.f_set_requires_grad(true)?;
        parameters.push((name.to_owned(), value));
    }
    let rule = config.kind.ours();
    let ours = OptimizerConfig { learning_rate: config.lr, weight_decay: config.weight_decay, rule };
    let owned = parameters.iter().map(|(name, value)| (name.clone(), value.shallow_clone())).collect();
    let mut optimizer = Optimizer::new(owned, ours).map_err(other)?;
    let values: Vec<&Tensor> = parameters.iter().map(|(_, value)| value).collect();
    let mut losses = Vec::new();
    for step in 0..config.steps {
        let loss = loss(case, &config, &parameters, step)?;
        losses.push(f64::try_from(&loss)?);
        let gradients = Tensor::f_run_backward(&[&loss], &values, false, false)?;
        for ((name, _), gradient) in parameters.iter().zip(&gradients) {
            // Of the vector no gradient is golden.
            if name == "W" {
                if gradient.is_sparse() != config.sparse {
                    return Err(case.problem(format!("step {step}: the gradient of W is not as sparse as asked for")));
                }
                let whole = if config.sparse { gradient.f_to_dense(None, false)? } else { gradient.shallow_clone() };
                compare(format!("step{step}64/grad_W"), &whole)?;
            }
        }
        optimizer.step(&gradients).map_err(other)?;
        for (name, value) in &parameters {
            compare(format!("step{step}64/{name}"), value)?;
        }
    }
    compare("losses64".to_owned(), &Tensor::f_from_slice(&losses)?)?;
    for (name, tensor) in optimizer.state() {
        let reference = match name.as_str() {
            "mean.W" => "exp_avg",
            "square.W" => "exp_avg_sq",
            "sum.W" => "sum",
            // Of the vector no state is golden.
            _ => continue,
        };
        compare(format!("final64/state/{reference}"), &tensor)?;
    }
    if let Some(name) = unseen.first() {
        return Err(case.problem(format!("nothing is compared with {name}")));
    }
    Ok(())
}

/// The float64 twin of a tensor that is computed; as everywhere, float32 is held to it too.
fn golden(name: &str) -> Option<String> {
    let section = name.split('/').next().unwrap_or_default();
    let rest = &name[section.len()..];
    match section {
        "param" | "in" => None,
        section if section.ends_with("64") => Some(name.to_owned()),
        section => Some(format!("{section}64{rest}")),
    }
}

fn loss(case: &Case, config: &Config, parameters: &[(String, Tensor)], step: usize) -> Result<Tensor, GoldenError> {
    let input = |name: &str| case.tensor(&format!("in/{name}{step}"));
    let of = |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    let table = of("W").ok_or_else(|| case.problem("there is no W".to_owned()))?;
    let kind = table.kind();
    let rows = Tensor::f_embedding(table, input("idx")?, config.padding_idx.unwrap_or(-1), false, config.sparse)?;
    let factor = rows.f_mul_scalar(0.5)?.f_add_scalar(1.0)?;
    let loss = rows.f_mul(&factor)?.f_mul(&input("coef")?.f_to_kind(kind)?)?.f_sum(kind)?;
    let Some(vector) = of("v") else { return Ok(loss) };
    Ok(loss.f_add(&vector.f_square()?.f_mul(&input("coefv")?.f_to_kind(kind)?)?.f_sum(kind)?)?)
}

fn other(error: fain_training::TrainingError) -> GoldenError {
    GoldenError::Other(Box::new(error))
}
