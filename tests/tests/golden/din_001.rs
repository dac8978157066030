//! A DIN notebook: attention over candidate and event, a dense layer over the numbers.

use std::collections::BTreeMap;

use fain_models::{Block, DinConfig, DinPreset, FeatureSpace, Model, ModelInput, NumberConfig, SpaceKind};
use fain_tests::{Case, Fixture, Forward, GoldenError, Padding, Report, Section, Subject};
use serde::Deserialize;
use tch::nn;

use crate::model::{category, import, interest, list, mapping, number, refused, space};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    time: i64,
    embedding_dim: i64,
    hidden_units: Vec<i64>,
    num_users: i64,
    num_items: i64,
    num_categories: i64,
    num_genders: i64,
    #[serde(rename = "batch")]
    _batch: i64,
    #[serde(rename = "lengths")]
    _lengths: Vec<i64>,
}

/// The features in the order of a batch's columns, with their vocabularies.
const FEATURES: [(&str, SpaceKind); 8] = [
    ("user_id", SpaceKind::Category(0)),
    ("user_gender", SpaceKind::Category(1)),
    ("item_id", SpaceKind::Category(2)),
    ("item_category", SpaceKind::Category(3)),
    ("user_age", SpaceKind::Numeric),
    ("item_price", SpaceKind::Numeric),
    ("target_item_id", SpaceKind::Category(2)),
    ("history_item_ids", SpaceKind::Sequence(2)),
];

impl Config {
    fn ours(&self) -> DinConfig {
        let read = FEATURES[..4].iter().map(|(name, _)| Block::Feature((*name).to_owned()));
        let mut config = DinConfig {
            interests: vec![interest("target_item_id", "history_item_ids")],
            numbers: Some(NumberConfig { width: self.embedding_dim }),
            // The target itself is not read.
            blocks: read.chain([Block::Numbers, Block::Interest(0)]).collect(),
            ..DinPreset::Pair.config()
        };
        config.embedding.dim = self.embedding_dim;
        config.attention.hidden = vec![self.embedding_dim];
        config.mlp.hidden.clone_from(&self.hidden_units);
        config
    }

    fn space(&self) -> Result<FeatureSpace, GoldenError> {
        let sizes = [
            ("user_id", self.num_users),
            ("user_gender", self.num_genders),
            ("item_id", self.num_items),
            ("item_category", self.num_categories),
        ];
        space(&FEATURES, &sizes)
    }
}

pub(crate) fn check(fixture: &Fixture, report: &mut Report) {
    fain_tests::check(&Din, fixture, report);
}

struct Din;

impl Subject for Din {
    fn build(&self, _variables: &nn::Path<'_>, case: &Case) -> Result<Forward, GoldenError> {
        Err(case.problem("its sections differ in how long histories are".to_owned()))
    }

    fn build_for(&self, variables: &nn::Path<'_>, case: &Case, section: &Section) -> Result<Forward, GoldenError> {
        let config: Config = case.config()?;
        let model = config.ours().build(variables, &config.space()?).map_err(refused)?;
        // Without a mask, what pads a history is the item with id 0.
        let masked = section.name().starts_with("masked_");
        Ok(Box::new(move |inputs, mode| {
            let (ids, lengths) = (inputs.tensor("history_item_ids")?, inputs.tensor("history_length")?);
            let rows = lengths.size1()?;
            let lengths = if masked { Vec::try_from(lengths)? } else { vec![config.time; rows as usize] };
            let columns = vec![
                category(inputs, "user_id")?,
                category(inputs, "user_gender")?,
                category(inputs, "item_id")?,
                category(inputs, "item_category")?,
                number(inputs.tensor("user_age")?)?,
                number(inputs.tensor("item_price")?)?,
                category(inputs, "target_item_id")?,
                list(ids, &Padding::new(&lengths, config.time)?)?,
            ];
            let output = model.forward(&ModelInput { rows, columns }, mode).map_err(refused)?;
            Ok(vec![("prob", output.logits.f_sigmoid()?)])
        }))
    }

    fn load(&self, case: &Case, store: &nn::VarStore) -> Result<Option<BTreeMap<String, String>>, GoldenError> {
        let config: Config = case.config()?;
        let mut mapping = mapping("din_001")?;
        let last = format!("fc.{}.*", 2 * config.hidden_units.len());
        mapping.names.insert("output.*".to_owned(), last);
        Ok(Some(import(case, store, &mapping)?))
    }
}
