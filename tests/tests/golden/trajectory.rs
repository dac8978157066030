//! The training of a DIEN notebook, step by step: batches in their order, Adam, click loss plus auxiliary loss.

use std::collections::{BTreeMap, BTreeSet};

use fain_layers::{DienInterest, EvolutionKind, Execution, Mode, Pooling};
use fain_models::{
    DienConfig, DienPreset, FeatureSpace, HistoryLengths, InputColumn, InterestConfig, InterestModel, Model,
    ModelInput, SpaceKind,
};
use fain_tests::{BATCH_COUNT, Case, Comparison, Fixture, GoldenError, Padding, Place, Precision, Report, Tolerance};
use fain_training::{AdamConfig, Optimizer, OptimizerConfig, UpdateRule};
use serde::Deserialize;
use tch::{Device, Kind, Reduction, Tensor, nn};

use crate::dien::{GENRES, Pair, rename_gru};
use crate::interest::GruType;
use crate::mlp::GoldenActivation;
use crate::model::{import, list, mapping, number, refused, space};
use crate::recurrent::{EXECUTIONS, variant};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    samples: i64,
    batch: i64,
    epochs: usize,
    embedding_size: i64,
    num_features: Vec<String>,
    cat_features: Vec<String>,
    seq_features: Vec<String>,
    cat_nums: BTreeMap<String, i64>,
    pairs: Vec<Pair>,
    gru_type: GruType,
    att_hidden_layers: Vec<i64>,
    att_activation: Option<GoldenActivation>,
    mlp_hidden_layers: Vec<i64>,
    mlp_activation: Option<GoldenActivation>,
    use_negsampling: bool,
    dropout: f64,
    #[serde(rename = "time")]
    _time: i64,
}

impl Config {
    fn ours(&self) -> DienConfig {
        let names = |of: fn(&Pair) -> Option<&String>| self.pairs.iter().filter_map(of).cloned().collect();
        let interest = InterestConfig {
            candidate: names(|pair| Some(&pair.ad)),
            history: names(|pair| Some(&pair.pos_hist)),
            negative: names(|pair| pair.neg_hist.as_ref()),
            times: None,
            lengths: HistoryLengths::Equal,
        };
        let mut config = DienConfig { interests: vec![interest], ..DienPreset::Notebook.config() };
        config.pooling = Pooling::PaddedMax(GENRES);
        config.embedding.dim = self.embedding_size;
        config.evolution = EvolutionKind::from(self.gru_type);
        config.attention.hidden.clone_from(&self.att_hidden_layers);
        config.attention.activation = GoldenActivation::ours(self.att_activation);
        config.mlp.hidden.clone_from(&self.mlp_hidden_layers);
        config.mlp.activation = GoldenActivation::ours(self.mlp_activation);
        config.mlp.dropout = self.dropout;
        if !self.use_negsampling {
            config.auxiliary = None;
        }
        config
    }

    /// The lists of an interest have the vocabulary of its candidate, others their own.
    fn space(&self) -> Result<FeatureSpace, GoldenError> {
        let sizes: Vec<(&str, i64)> = self.cat_nums.iter().map(|(name, size)| (name.as_str(), *size)).collect();
        let vocabulary = |name: &str| {
            let of_candidate = |pair: &&Pair| pair.pos_hist == name || pair.neg_hist.as_deref() == Some(name);
            let name = self.pairs.iter().find(of_candidate).map_or(name, |pair| &pair.ad);
            sizes.iter().position(|(known, _)| *known == name).unwrap_or(sizes.len())
        };
        let numbers = self.num_features.iter().map(|name| (name.as_str(), SpaceKind::Numeric));
        let categories = self.cat_features.iter().map(|name| (name.as_str(), SpaceKind::Category(vocabulary(name))));
        let lists = self.seq_features.iter().map(|name| (name.as_str(), SpaceKind::Sequence(vocabulary(name))));
        space(&numbers.chain(categories).chain(lists).collect::<Vec<_>>(), &sizes)
    }

    fn model(&self, variables: &nn::Path<'_>, execution: Execution) -> Result<InterestModel, GoldenError> {
        let (config, space) = (self.ours(), self.space()?);
        let layer = config.layer();
        let model = config.build_with(variables, &space, |variables, width| {
            Ok(Box::new(DienInterest::with_execution(variables, width, &layer, execution)?))
        });
        model.map_err(refused)
    }

    /// The samples from `start` on.
    fn input(&self, case: &Case, start: i64, rows: i64) -> Result<ModelInput, GoldenError> {
        let rows_of = |name: &str| Ok::<_, GoldenError>(case.tensor(&format!("in/{name}"))?.f_narrow(0, start, rows)?);
        let mut columns = Vec::new();
        for name in &self.num_features {
            columns.push(number(&rows_of(name)?)?);
        }
        for name in &self.cat_features {
            columns.push(InputColumn::Category(rows_of(name)?));
        }
        for name in &self.seq_features {
            let ids = rows_of(name)?;
            columns.push(list(&ids, &Padding::of_ids(&ids)?)?);
        }
        Ok(ModelInput { rows, columns })
    }
}

pub(crate) fn check(fixture: &Fixture, report: &mut Report) {
    for execution in EXECUTIONS {
        let layer = format!("{} ({})", fixture.name(), variant(execution));
        for case in fixture.cases() {
            report.count_case(&layer);
            for precision in Precision::ALL {
                let place = Place { layer: layer.clone(), case: case.id().to_owned(), section: "training".to_owned() };
                let unseen = golden_names(case);
                let mut training = Training { case, precision, place: &place, report, unseen };
                if let Err(error) = training.run(execution) {
                    report.fail(format!("{place} ({precision:?}): {error}"));
                }
            }
        }
    }
}

/// All that must be compared: as everywhere, float32 is held to the float64 values too.
fn golden_names(case: &Case) -> BTreeSet<String> {
    let sections = ["step064/", "train64/", "final64/"];
    let golden = case.tensors("").map(|(name, _)| name.to_owned());
    golden.filter(|name| sections.iter().any(|section| name.starts_with(section))).collect()
}

/// What the fixture recommends for float32, in words.
struct Recommended;

impl Recommended {
    const FIRST_STEP: f64 = 2e-6;
    const STEPS: f64 = 1e-5;
    const LOGITS: f64 = 1e-4;
    const VARIABLES: f64 = 5e-5;
    const AUC: f64 = 1e-4;
}

struct Training<'a> {
    case: &'a Case,
    precision: Precision,
    place: &'a Place,
    report: &'a mut Report,
    unseen: BTreeSet<String>,
}

/// Click loss, auxiliary loss and their sum.
#[derive(Default)]
struct Losses {
    loss: Vec<f64>,
    bce: Vec<f64>,
    aux: Vec<f64>,
}

impl Training<'_> {
    fn run(&mut self, execution: Execution) -> Result<(), GoldenError> {
        let (case, config): (&Case, Config) = (self.case, self.case.config()?);
        let mut store = nn::VarStore::new(Device::Cpu);
        let model = config.model(&store.root(), execution)?;
        if self.precision == Precision::Double {
            store.double();
        }
        let mut mapping = mapping("dien")?;
        if config.gru_type.is_plain() {
            rename_gru(&mut mapping, 0);
        }
        let names = import(case, &store, &mapping)?;
        let variables: BTreeMap<String, Tensor> = store.variables().into_iter().collect();
        let theirs = names.iter().filter_map(|(theirs, ours)| Some((theirs.as_str(), variables.get(ours)?)));
        let (parameters, buffers): (Vec<_>, Vec<_>) = theirs.partition(|(_, variable)| variable.requires_grad());

        let owned = parameters.iter().map(|(name, value)| ((*name).to_owned(), value.shallow_clone())).collect();
        let rule = UpdateRule::Adam(AdamConfig::default());
        let settings = OptimizerConfig { learning_rate: 0.002, weight_decay: 0.001, rule };
        let mut optimizer = Optimizer::new(owned, settings).map_err(other)?;
        let values: Vec<&Tensor> = parameters.iter().map(|(_, value)| *value).collect();
        let mut losses = Losses::default();
        for step in 0..config.epochs as i64 * (config.samples / config.batch) {
            let start = step * config.batch % config.samples;
            let output = model.forward(&config.input(case, start, config.batch)?, Mode::Training).map_err(refused)?;
            let labels = case.tensor("in/label")?.f_narrow(0, start, config.batch)?.f_to_kind(output.logits.kind())?;
            let click =
                output.logits.f_binary_cross_entropy_with_logits::<Tensor>(&labels, None, None, Reduction::Mean)?;
            let loss = match &output.auxiliary {
                Some(auxiliary) => click.f_add(auxiliary)?,
                None => click.shallow_clone(),
            };
            losses.loss.push(f64::try_from(&loss)?);
            losses.bce.push(f64::try_from(&click)?);
            losses.aux.push(output.auxiliary.as_ref().map_or(Ok(0.0), f64::try_from)?);
            let gradients = Tensor::f_run_backward(&[&loss], &values, false, false)?;
            if step == 0 {
                for ((name, _), gradient) in parameters.iter().zip(&gradients) {
                    self.compare(&format!("step064/grad/{name}"), gradient, Recommended::FIRST_STEP)?;
                }
            }
            optimizer.step(&gradients).map_err(other)?;
        }
        self.compare_losses(&losses)?;
        for (section, variables) in [("param", &parameters), ("buffer", &buffers)] {
            for (name, variable) in variables {
                self.compare(&format!("final64/{section}/{name}"), variable, Recommended::VARIABLES)?;
            }
        }
        let input = config.input(case, 0, config.samples)?;
        let logits = tch::no_grad(|| model.forward(&input, Mode::Evaluation)).map_err(refused)?.logits;
        self.compare("final64/logit", &logits, Recommended::LOGITS)?;
        self.compare_auc(&logits)?;
        self.close()
    }

    /// The first step is held to more than the others.
    fn compare_losses(&mut self, losses: &Losses) -> Result<(), GoldenError> {
        for (name, losses) in [("loss", &losses.loss), ("bce", &losses.bce), ("aux", &losses.aux)] {
            let name = format!("train64/{name}");
            let first = self.case.tensor(&name)?.f_narrow(0, 0, 1)?;
            self.hold(&name, &Tensor::f_from_slice(&losses[..1])?, &first, Recommended::FIRST_STEP)?;
            self.compare(&name, &Tensor::f_from_slice(losses)?, Recommended::STEPS)?;
        }
        Ok(())
    }

    fn compare_auc(&mut self, logits: &Tensor) -> Result<(), GoldenError> {
        let scores = Vec::<f64>::try_from(logits.f_to_kind(Kind::Double)?)?;
        let labels = Vec::<f32>::try_from(self.case.tensor("in/label")?)?;
        let auc = fain_metrics::auc(&scores, &labels).map_err(|error| GoldenError::Other(Box::new(error)))?;
        let auc = auc.ok_or_else(|| self.case.problem("one class only".to_owned()))?;
        let golden = self.case.number("auc64")?;
        self.hold("auc64", &Tensor::f_from_slice(&[auc])?, &Tensor::f_from_slice(&[golden])?, Recommended::AUC)
    }

    /// Holds a tensor to its golden values; in float64 always to 1e-9.
    fn compare(&mut self, name: &str, got: &Tensor, single: f64) -> Result<(), GoldenError> {
        let case = self.case;
        self.unseen.remove(name);
        self.hold(name, got, case.tensor(name)?, single)
    }

    fn hold(&mut self, tensor: &str, got: &Tensor, expected: &Tensor, single: f64) -> Result<(), GoldenError> {
        let (place, precision) = (self.place, self.precision);
        let tolerance = match precision {
            Precision::Single => Tolerance { absolute: single, relative: 1e-5 },
            Precision::Double => Tolerance::both(1e-9),
        };
        let what = Comparison { place, tensor, precision, tolerance, exclusion: None };
        self.report.compare(&what, got, expected)
    }

    /// Nothing golden is left over, but PyTorch's counts of batches.
    fn close(&mut self) -> Result<(), GoldenError> {
        for name in std::mem::take(&mut self.unseen) {
            if !name.ends_with(".num_batches_tracked") {
                return Err(self.case.problem(format!("nothing is compared with {name}")));
            }
            self.report.keep_out(&BATCH_COUNT, self.place, true);
        }
        Ok(())
    }
}

fn other(error: fain_training::TrainingError) -> GoldenError {
    GoldenError::Other(Box::new(error))
}
