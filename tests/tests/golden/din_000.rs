//! A DIN notebook: attention over candidate and event, and the last state of a GRU, for shops and for products.

use std::collections::BTreeMap;

use fain_layers::{Execution, InterestLayer, Linear, Mlp, Mode, Pooling, TargetAttention};
use fain_models::{
    Block, DinConfig, DinPreset, FeatureEmbeddings, FeatureSpace, InterestFeatures, InterestModel, InterestModelParts,
    LastState, Model, ModelError, ModelInput, SpaceKind, WeightMapping,
};
use fain_tests::{Case, Fixture, Forward, GoldenError, Inputs, Padding, Report, Subject};
use serde::Deserialize;
use tch::{Tensor, nn};

use crate::model::{category, import, interest, list, not_imported, number, refused, space};
use crate::recurrent::{EXECUTIONS, variant};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    shop_emb_dim: i64,
    product_emb_dim: i64,
    vocab: Vocabularies,
    #[serde(rename = "batch")]
    _batch: i64,
    #[serde(rename = "T_shop")]
    _longest_shop: i64,
    #[serde(rename = "T_product")]
    _longest_product: i64,
    #[serde(rename = "len_shop")]
    _shop_lengths: Vec<i64>,
    #[serde(rename = "len_product")]
    _product_lengths: Vec<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vocabularies {
    shop: i64,
    product: i64,
    city: i64,
    age: i64,
    gender: i64,
}

/// The features in the order of a batch's columns, with their vocabularies.
const FEATURES: [(&str, SpaceKind); 8] = [
    ("age", SpaceKind::Category(0)),
    ("gender", SpaceKind::Category(1)),
    ("city", SpaceKind::Category(2)),
    ("active_days", SpaceKind::Numeric),
    ("target_shop", SpaceKind::Category(3)),
    ("target_product", SpaceKind::Category(4)),
    ("hist_shop", SpaceKind::Sequence(3)),
    ("hist_product", SpaceKind::Sequence(4)),
];

const MAPPING: &str = r#"
    [names]
    "embedding.*.weight" = "*_embedding.weight"
    "interest0.score.dense0.*" = "model.shop_attention_fc.0.*"
    "interest0.output.*" = "model.shop_attention_fc.2.*"
    "interest1.score.dense0.*" = "model.product_attention_fc.0.*"
    "interest1.output.*" = "model.product_attention_fc.2.*"
    "interest2.gru.*" = "model.shop_gru.*_l0"
    "interest3.gru.*" = "model.product_gru.*_l0"
    "mlp.dense0.*" = "model.mlp.0.*"
    "mlp.dense1.*" = "model.mlp.2.*"
    "output.*" = "model.mlp.4.*"
"#;

pub(crate) fn check(fixture: &Fixture, report: &mut Report) {
    for execution in EXECUTIONS {
        fain_tests::check(&Din(execution), fixture, report);
    }
}

/// Fused as its configuration builds it, plain from parts.
struct Din(Execution);

impl Config {
    fn ours(&self) -> DinConfig {
        let blocks = FEATURES[..4].iter().map(|(name, _)| Block::Feature((*name).to_owned()));
        let pairs = [interest("target_shop", "hist_shop"), interest("target_product", "hist_product")];
        let mut config = DinConfig {
            interests: pairs.to_vec(),
            states: pairs.to_vec(),
            // The candidates themselves are not read.
            blocks: blocks.chain((0..4).map(Block::Interest)).collect(),
            ..DinPreset::PairGru.config()
        };
        let dims = [("shop", self.shop_emb_dim), ("product", self.product_emb_dim), ("city", 16), ("gender", 4)];
        config.embedding.dims = dims.into_iter().map(|(name, dim)| (name.to_owned(), dim)).collect();
        config
    }

    fn space(&self) -> Result<FeatureSpace, GoldenError> {
        let Vocabularies { shop, product, city, age, gender } = self.vocab;
        let sizes = [("age", age), ("gender", gender), ("city", city), ("shop", shop), ("product", product)];
        space(&FEATURES, &sizes)
    }
}

impl Subject for Din {
    fn build(&self, variables: &nn::Path<'_>, case: &Case) -> Result<Forward, GoldenError> {
        let config: Config = case.config()?;
        let space = config.space()?;
        let model = match self.0 {
            Execution::Auto => config.ours().build(variables, &space),
            Execution::Plain => put_together(variables, &space, config.ours()),
        };
        let model = model.map_err(refused)?;
        Ok(Box::new(move |inputs, mode| Ok(vec![("prob", probability(&model, inputs, mode)?)])))
    }

    fn load(&self, case: &Case, store: &nn::VarStore) -> Result<Option<BTreeMap<String, String>>, GoldenError> {
        let mapping = WeightMapping::parse(MAPPING, "the mapping of din_000").map_err(not_imported)?;
        Ok(Some(import(case, store, &mapping)?))
    }

    fn variant(&self) -> Option<&'static str> {
        Some(variant(self.0))
    }
}

fn probability(model: &InterestModel, inputs: &Inputs, mode: Mode) -> Result<Tensor, GoldenError> {
    let days = inputs.tensor("active_days")?;
    let mut columns = vec![
        category(inputs, "age")?,
        category(inputs, "gender")?,
        category(inputs, "city")?,
        number(&days.f_div_scalar(365.0)?)?,
        category(inputs, "target_shop")?,
        category(inputs, "target_product")?,
    ];
    for (history, lengths) in [("hist_shop", "len_shop"), ("hist_product", "len_product")] {
        let ids = inputs.tensor(history)?;
        let padding = Padding::new(&Vec::<i64>::try_from(inputs.tensor(lengths)?)?, ids.size2()?.1)?;
        columns.push(list(ids, &padding)?);
    }
    let output = model.forward(&ModelInput { rows: days.size1()?, columns }, mode).map_err(refused)?;
    Ok(output.logits.f_sigmoid()?)
}

/// The model as its configuration builds it, but in plain operations.
fn put_together(
    variables: &nn::Path<'_>,
    space: &FeatureSpace,
    config: DinConfig,
) -> Result<InterestModel, ModelError> {
    let embeddings = FeatureEmbeddings::new(&(variables / "embedding"), space, &config.embedding)?;
    let mut interests = Vec::new();
    for (index, [candidate, history]) in [[4, 6], [5, 7], [4, 6], [5, 7]].into_iter().enumerate() {
        let (variables, width) = (variables / format!("interest{index}"), embeddings.width(candidate));
        let layer: Box<dyn InterestLayer> = if index < 2 {
            Box::new(TargetAttention::new(&variables, width, &config.attention)?.with_execution(Execution::Plain))
        } else {
            Box::new(LastState::with_execution(&variables, width, Execution::Plain)?)
        };
        let (candidate, history) = (vec![candidate], vec![history]);
        interests.push((InterestFeatures { candidate, history, ..InterestFeatures::default() }, layer));
    }
    let read: i64 = (0..4).map(|feature| embeddings.width(feature)).sum();
    let width = read + interests.iter().map(|(_, layer)| layer.outputs()).sum::<i64>();
    let mlp = Mlp::new(&(variables / "mlp"), width, &config.mlp)?.with_execution(Execution::Plain);
    let output = Linear::new(&(variables / "output"), mlp.outputs(), 1)?;
    let blocks = Some(config.blocks);
    let parts = InterestModelParts {
        embeddings,
        interests,
        blocks,
        pooling: Pooling::default(),
        numbers: None,
        bias: None,
        mlp,
        output,
    };
    InterestModel::from_parts(space, parts)
}
