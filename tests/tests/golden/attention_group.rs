//! Which features a group of histories reads, and which of them in training only.

use std::collections::BTreeSet;

use fain_layers::{AuxiliaryLossConfig, DienInterest};
use fain_models::{
    Block, BlockOrder, DienConfig, FeatureSpace, InterestConfig, InterestFeatures, ModelConfig, ModelError, SpaceKind,
};
use serde::Deserialize;
use tch::{Device, nn};

use crate::dien::Pair;
use crate::model::space;

/// The name of the fixture.
pub(crate) const NAME: &str = "attention_group";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Golden {
    cases: Vec<Case>,
    #[serde(rename = "convention")]
    _convention: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    pairs: Vec<Pair>,
    /// How many events stand side by side.
    pairs_count: i64,
    attention_features: BTreeSet<String>,
    neg_sampling_features: BTreeSet<String>,
    /// All features there are.
    names_asked: Vec<String>,
}

impl Case {
    fn interest(&self) -> InterestConfig {
        let names = |of: fn(&Pair) -> Option<&String>| self.pairs.iter().filter_map(of).cloned().collect();
        InterestConfig {
            candidate: names(|pair| Some(&pair.ad)),
            history: names(|pair| Some(&pair.pos_hist)),
            negative: names(|pair| pair.neg_hist.as_ref()),
            ..InterestConfig::default()
        }
    }

    /// All features, of one vocabulary: candidates are categories, histories are lists, others are numbers.
    fn space(&self) -> FeatureSpace {
        let interest = self.interest();
        let kind = |name: &String| {
            if interest.candidate.contains(name) {
                SpaceKind::Category(0)
            } else if interest.history.contains(name) || interest.negative.contains(name) {
                SpaceKind::Sequence(0)
            } else {
                SpaceKind::Numeric
            }
        };
        let features: Vec<(&str, SpaceKind)> =
            self.names_asked.iter().map(|name| (name.as_str(), kind(name))).collect();
        space(&features, &[("term", 9)]).unwrap()
    }

    /// The features that no interest reads.
    fn others(&self) -> BTreeSet<String> {
        let (interest, space) = (self.interest(), self.space());
        let places = |names: &[String]| names.iter().filter_map(|name| space.position(name)).collect();
        let features = InterestFeatures {
            candidate: places(&interest.candidate),
            history: places(&interest.history),
            negative: places(&interest.negative),
            times: None,
            lengths: interest.lengths,
        };
        let blocks = BlockOrder::Evolution.blocks(&space, &[features], false);
        let name = |block| if let Block::Feature(name) = block { Some(name) } else { None };
        blocks.into_iter().filter_map(name).collect()
    }

    fn dien(&self) -> DienConfig {
        let interest = self.interest();
        let auxiliary = (!interest.negative.is_empty()).then(AuxiliaryLossConfig::default);
        DienConfig { interests: vec![interest], auxiliary, ..DienConfig::default() }
    }

    /// The width of an event in the model that the configuration builds, with tables of width 1.
    fn width(&self) -> Result<i64, ModelError> {
        let mut config = self.dien();
        config.embedding.dim = 1;
        let layer = config.layer();
        let mut event = 0;
        config.build_with(&nn::VarStore::new(Device::Cpu).root(), &self.space(), |variables, width| {
            event = width;
            Ok(Box::new(DienInterest::new(variables, width, &layer)?))
        })?;
        Ok(event)
    }
}

#[test]
fn groups_read_the_features_they_should() {
    let text = std::fs::read(crate::folder().join(format!("{NAME}.json"))).unwrap();
    let golden: Golden = serde_json::from_slice(&text).unwrap();
    assert_eq!(golden.cases.len(), 3);
    for case in golden.cases {
        let all: BTreeSet<String> = case.names_asked.iter().cloned().collect();
        assert_eq!(&all - &case.others(), case.attention_features);
        let training_only: BTreeSet<String> = ModelConfig::Dien(case.dien()).training_only().into_iter().collect();
        assert_eq!(training_only, case.neg_sampling_features);
        let negatives = case.pairs.iter().filter(|pair| pair.neg_hist.is_some()).count();
        if negatives == 0 || negatives == case.pairs.len() {
            assert_eq!(case.width().unwrap(), case.pairs_count);
            continue;
        }
        // An event that did not happen has as many parts as one that did.
        let error = case.width().unwrap_err().to_string();
        assert_eq!(error, "model.interests.0.negative is 1 features; allowed: 2, one for each history");
    }
}
