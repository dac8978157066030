//! A DIEN notebook as a whole: a table for each feature, groups of histories with a recurrence each.

use std::collections::BTreeMap;

use fain_layers::{DienInterest, DienInterestConfig, Execution, InterestLayer, Linear, Mlp, MlpConfig, Pooling};
use fain_models::{
    DienPreset, EmbeddingsConfig, FeatureEmbeddings, FeatureSpace, HistoryLengths, InputColumn, InterestFeatures,
    InterestModel, InterestModelParts, ModelInput, SpaceKind, WeightMapping,
};
use fain_tests::{Case, Exclusion, Fixture, Forward, GoldenError, Inputs, Padding, Report, Section, Subject};
use serde::Deserialize;
use tch::nn;

use crate::attention::PADDING_IN_STATISTICS;
use crate::interest::GruType;
use crate::mlp::GoldenActivation;
use crate::model::{category, import, list, mapping, number, refused, space};
use crate::recurrent::{EXECUTIONS, variant};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    num_features: Vec<String>,
    cat_features: Vec<String>,
    seq_features: Vec<String>,
    cat_nums: BTreeMap<String, i64>,
    embedding_size: i64,
    groups: Vec<Group>,
    mlp_hidden_layers: Vec<i64>,
    mlp_activation: Option<GoldenActivation>,
    mlp_dropout: f64,
    use_negsampling: bool,
    d_out: i64,
    #[serde(rename = "batch")]
    _batch: i64,
    #[serde(rename = "time")]
    _time: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    pairs: Vec<Pair>,
    gru_type: GruType,
    att_hidden_layers: Vec<i64>,
    att_activation: Option<GoldenActivation>,
    #[serde(rename = "name")]
    _name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pair {
    pub(crate) ad: String,
    pub(crate) pos_hist: String,
    pub(crate) neg_hist: Option<String>,
}

/// What tells the names of an evolution by GRU from those of the others.
pub(crate) fn rename_gru(mapping: &mut WeightMapping, interest: usize) {
    let theirs = format!("attention_pooling:group{}.interest_evolution.*_l0", interest + 1);
    mapping.names.insert(format!("interest{interest}.evolution.*"), theirs);
}

/// How many ids the lists of genres are padded to.
pub(crate) const GENRES: u32 = 3;

impl Config {
    fn names(&self) -> impl Iterator<Item = &str> {
        [&self.num_features, &self.cat_features, &self.seq_features].into_iter().flatten().map(String::as_str)
    }

    /// A vocabulary for each feature, as the tables of candidates and histories have different sizes.
    fn space(&self) -> Result<FeatureSpace, GoldenError> {
        let sizes: Vec<(&str, i64)> = self.cat_nums.iter().map(|(name, size)| (name.as_str(), *size)).collect();
        let vocabulary = |name: &str| sizes.iter().position(|(known, _)| *known == name).unwrap_or(sizes.len());
        let numbers = self.num_features.iter().map(|name| (name.as_str(), SpaceKind::Numeric));
        let categories = self.cat_features.iter().map(|name| (name.as_str(), SpaceKind::Category(vocabulary(name))));
        let lists = self.seq_features.iter().map(|name| (name.as_str(), SpaceKind::Sequence(vocabulary(name))));
        space(&numbers.chain(categories).chain(lists).collect::<Vec<_>>(), &sizes)
    }

    fn layer(&self, group: &Group) -> DienInterestConfig {
        let mut layer = DienPreset::Notebook.config().layer();
        layer.attention.hidden.clone_from(&group.att_hidden_layers);
        layer.attention.activation = GoldenActivation::ours(group.att_activation);
        layer.evolution = group.gru_type.into();
        if !self.use_negsampling {
            layer.auxiliary = None;
        }
        layer
    }

    fn features(&self, group: &Group) -> Result<InterestFeatures, GoldenError> {
        let place = |name: &String| {
            self.names().position(|known| known == name).ok_or_else(|| GoldenError::Fixture {
                place: "groups".to_owned(),
                problem: format!("there is no feature {name}"),
            })
        };
        let places = |names: Vec<&String>| names.into_iter().map(place).collect::<Result<Vec<_>, _>>();
        Ok(InterestFeatures {
            candidate: places(group.pairs.iter().map(|pair| &pair.ad).collect())?,
            history: places(group.pairs.iter().map(|pair| &pair.pos_hist).collect())?,
            negative: places(group.pairs.iter().filter_map(|pair| pair.neg_hist.as_ref()).collect())?,
            times: None,
            lengths: HistoryLengths::Shortest,
        })
    }

    fn model(&self, variables: &nn::Path<'_>, execution: Execution) -> Result<InterestModel, GoldenError> {
        let space = self.space()?;
        let notebook = DienPreset::Notebook.config();
        let tables = EmbeddingsConfig { dim: self.embedding_size, ..notebook.embedding };
        let embeddings = FeatureEmbeddings::new(&(variables / "embedding"), &space, &tables).map_err(refused)?;
        let mut interests: Vec<(InterestFeatures, Box<dyn InterestLayer>)> = Vec::new();
        for (index, group) in self.groups.iter().enumerate() {
            let features = self.features(group)?;
            let width = features.candidate.iter().map(|&feature| embeddings.width(feature)).sum();
            let variables = variables / format!("interest{index}");
            let layer = DienInterest::with_execution(&variables, width, &self.layer(group), execution)?;
            interests.push((features, Box::new(layer)));
        }
        let in_interest = |feature: &usize| {
            interests.iter().any(|(read, _)| read.history.contains(feature) || read.negative.contains(feature))
        };
        let outside = (0..space.features().len()).filter(|feature| !in_interest(feature));
        let read: i64 = outside.map(|feature| embeddings.width(feature)).sum();
        let width = read + interests.iter().map(|(_, layer)| layer.outputs()).sum::<i64>();
        let mlp = MlpConfig {
            hidden: self.mlp_hidden_layers.clone(),
            activation: GoldenActivation::ours(self.mlp_activation),
            dropout: self.mlp_dropout,
            ..notebook.mlp
        };
        let mlp = Mlp::new(&(variables / "mlp"), width, &mlp)?.with_execution(execution);
        let output = Linear::new(&(variables / "output"), mlp.outputs(), self.d_out)?;
        let parts = InterestModelParts {
            embeddings,
            interests,
            blocks: None,
            pooling: Pooling::PaddedMax(GENRES),
            numbers: None,
            bias: None,
            mlp,
            output,
        };
        InterestModel::from_parts(&space, parts).map_err(refused)
    }

    /// A list is as long as it has ids other than 0, one of events that did not happen as the history beside it.
    fn padding(&self, inputs: &Inputs, list: &str) -> Result<Padding, GoldenError> {
        let mut pairs = self.groups.iter().flat_map(|group| &group.pairs);
        let pair = pairs.find(|pair| pair.pos_hist == list || pair.neg_hist.as_deref() == Some(list));
        let ids = inputs.tensor(pair.map_or(list, |pair| &pair.pos_hist))?;
        let (rows, longest) = ids.size2()?;
        if pair.is_none() && longest != i64::from(GENRES) {
            // All lists are pooled alike; the padding of one that is padded further stands in it as events of zero.
            return Padding::new(&vec![longest; rows as usize], longest);
        }
        Padding::of_ids(ids)
    }

    fn columns(&self, inputs: &Inputs) -> Result<Vec<InputColumn>, GoldenError> {
        let mut columns = Vec::new();
        for name in &self.num_features {
            columns.push(number(inputs.tensor(name)?)?);
        }
        for name in &self.cat_features {
            columns.push(category(inputs, name)?);
        }
        for name in &self.seq_features {
            columns.push(list(inputs.tensor(name)?, &self.padding(inputs, name)?)?);
        }
        Ok(columns)
    }
}

pub(crate) fn check(fixture: &Fixture, report: &mut Report) {
    for execution in EXECUTIONS {
        fain_tests::check(&Dien(execution), fixture, report);
    }
}

struct Dien(Execution);

impl Subject for Dien {
    fn build(&self, variables: &nn::Path<'_>, case: &Case) -> Result<Forward, GoldenError> {
        let config: Config = case.config()?;
        let model = config.model(variables, self.0)?;
        Ok(Box::new(move |inputs, mode| {
            let rows = inputs.tensor(&config.cat_features[0])?.size1()?;
            let input = ModelInput { rows, columns: config.columns(inputs)? };
            let output = model.forward_with_auxiliary_loss(&input, mode).map_err(refused)?;
            let mut outputs = vec![("logit", output.logits)];
            outputs.extend(output.auxiliary.map(|loss| ("aux", loss)));
            Ok(outputs)
        }))
    }

    fn load(&self, case: &Case, store: &nn::VarStore) -> Result<Option<BTreeMap<String, String>>, GoldenError> {
        let config: Config = case.config()?;
        let mut mapping = mapping("dien")?;
        for (index, group) in config.groups.iter().enumerate() {
            if group.gru_type.is_plain() {
                rename_gru(&mut mapping, index);
            }
        }
        Ok(Some(import(case, store, &mapping)?))
    }

    fn excluded(
        &self,
        case: &Case,
        section: &Section,
        tensor: &str,
    ) -> Result<Option<&'static Exclusion>, GoldenError> {
        let config: Config = case.config()?;
        let mut padded = false;
        for pair in config.groups.iter().flat_map(|group| &group.pairs) {
            padded |= Padding::of_ids(case.tensor(&format!("in/{}", pair.pos_hist))?)?.is_padded();
        }
        // The auxiliary loss does not go through the attention.
        let apart =
            tensor == "out/aux" || tensor.contains(".auxiliary_net.") || tensor.starts_with("grad/embedding:neg");
        Ok((section.name() == "train" && padded && !apart).then_some(&PADDING_IN_STATISTICS))
    }

    fn variant(&self) -> Option<&'static str> {
        Some(variant(self.0))
    }
}
