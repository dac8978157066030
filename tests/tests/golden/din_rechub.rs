//! DIN of torch-rechub, where padding is an event like any other.

use std::collections::BTreeMap;

use fain_layers::{ActivationConfig, AttentionNormalization};
use fain_models::{DinConfig, DinPreset, FeatureSpace, InterestConfig, Model, ModelInput, SpaceKind};
use fain_tests::{Case, Fixture, Forward, GoldenError, Report, Subject};
use serde::Deserialize;
use tch::nn;

use crate::activation_unit::RechubActivation;
use crate::model::{category, import, interest, list, mapping, refused, space};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    embed_dim: i64,
    mlp_dims: Vec<i64>,
    attention_dims: Vec<i64>,
    use_softmax: bool,
    activation: RechubActivation,
    /// A row that is zero and never trained.
    padding_idx: Option<i64>,
    vocab: BTreeMap<String, i64>,
    features: Vec<String>,
    history: Vec<String>,
    #[serde(rename = "batch")]
    _batch: i64,
    #[serde(rename = "time")]
    _time: i64,
    /// Nothing depends on them.
    #[serde(rename = "lengths")]
    _lengths: Vec<i64>,
}

impl Config {
    fn ours(&self) -> DinConfig {
        let activation: ActivationConfig = self.activation.into();
        let pairs = self.features.iter().zip(&self.history);
        let interests: Vec<InterestConfig> = pairs.map(|(candidate, history)| interest(candidate, history)).collect();
        let mut config = DinConfig { interests, ..DinPreset::TorchRechub.config() };
        config.embedding.dim = self.embed_dim;
        config.embedding.zero_row = self.padding_idx == Some(0);
        config.attention.hidden.clone_from(&self.attention_dims);
        config.attention.activation = activation;
        if self.use_softmax {
            config.attention.normalization = AttentionNormalization::Softmax;
        }
        config.mlp.hidden.clone_from(&self.mlp_dims);
        config.mlp.activation = activation;
        config
    }

    fn space(&self) -> Result<FeatureSpace, GoldenError> {
        let named = self.features.iter().map(String::as_str).enumerate();
        let categories = named.map(|(index, name)| (name, SpaceKind::Category(index)));
        let lists = self.history.iter().map(String::as_str).enumerate();
        let lists = lists.map(|(index, name)| (name, SpaceKind::Sequence(index)));
        let sizes: Vec<(&str, i64)> =
            self.features.iter().filter_map(|name| Some((name.as_str(), *self.vocab.get(name)?))).collect();
        space(&categories.chain(lists).collect::<Vec<_>>(), &sizes)
    }
}

pub(crate) fn check(fixture: &Fixture, report: &mut Report) {
    fain_tests::check(&Din, fixture, report);
}

struct Din;

impl Subject for Din {
    fn build(&self, variables: &nn::Path<'_>, case: &Case) -> Result<Forward, GoldenError> {
        let config: Config = case.config()?;
        if !matches!(config.padding_idx, None | Some(0)) {
            return Err(case.problem("another padding row than 0".to_owned()));
        }
        let model = config.ours().build(variables, &config.space()?).map_err(refused)?;
        Ok(Box::new(move |inputs, mode| {
            let mut columns = Vec::new();
            for name in &config.features {
                columns.push(category(inputs, name)?);
            }
            for name in &config.history {
                columns.push(list(inputs.tensor(name)?, &inputs.padding(name)?)?);
            }
            let rows = inputs.tensor(&config.features[0])?.size1()?;
            let output = model.forward(&ModelInput { rows, columns }, mode).map_err(refused)?;
            Ok(vec![("prob", output.logits.f_sigmoid()?)])
        }))
    }

    fn load(&self, case: &Case, store: &nn::VarStore) -> Result<Option<BTreeMap<String, String>>, GoldenError> {
        let config: Config = case.config()?;
        let mut mapping = mapping("din_rechub")?;
        let last = 4 * config.attention_dims.len();
        for index in 0..config.history.len() {
            let theirs = format!("attention_layers.{index}.attention.mlp.{last}.");
            mapping.prefixes.insert(format!("interest{index}.output."), theirs);
        }
        mapping.names.insert("output.*".to_owned(), format!("mlp.mlp.{}.*", 4 * config.mlp_dims.len()));
        Ok(Some(import(case, store, &mapping)?))
    }
}
