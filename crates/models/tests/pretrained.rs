//! Tables that start from vectors of elsewhere.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fain_features::{Column, Samples, Schema, SchemaConfig, Sequences};
use fain_models::{
    FeatureSpace, ModelConfig, PretrainedVectors, load_weights, logits, named_tensors, serialize_tensors,
};
use tch::{Device, nn};

fn schema() -> Schema {
    let text = r#"
        label = "click"
        features.item = { kind = "category" }
        features.items = { kind = "sequence", vocabulary = "item", max_length = 50 }
        features.user = { kind = "category" }
    "#;
    toml::from_str::<SchemaConfig>(text).unwrap().check().unwrap()
}

fn model(embedding: &str) -> ModelConfig {
    toml::from_str(&format!("kind = \"base\"\nmlp = {{ hidden = [3] }}\nembedding = {{ dim = 2{embedding} }}")).unwrap()
}

const FILE: &str = r#"file = "v.csv", key = "item""#;

fn vectors() -> PretrainedVectors {
    let values = vec![9.0, 9.0, 1.0, 2.0, 9.0, 9.0, 3.0, 4.0];
    PretrainedVectors { vocabulary: "item".to_owned(), width: 2, values, found: vec![true, true, false, true] }
}

/// The tables before and after the vectors were copied.
fn tables(embedding: &str, name: &str) -> [Vec<f32>; 2] {
    let (config, space) = (model(embedding), FeatureSpace::new(&schema(), &[4, 3]));
    let store = nn::VarStore::new(Device::Cpu);
    config.build(&store.root(), &space).unwrap();
    let table = || Vec::try_from(store.variables()[name].detach().reshape([-1])).unwrap();
    let before = table();
    vectors().copy_to(&store, &space, config.embedding()).unwrap();
    [before, table()]
}

#[test]
fn rows_that_were_found_take_their_vectors_and_the_others_stay() {
    let [before, after] = tables("", "embedding.item.weight");
    assert_eq!(after, [&[9.0, 9.0, 1.0, 2.0], &before[4..6], &[3.0, 4.0]].concat());
    let [_, after] = tables(&format!(", pretrained.item = {{ {FILE}, frozen = true }}"), "embedding.item.weight");
    assert_eq!(after, [9.0, 9.0, 1.0, 2.0, 0.0, 0.0, 3.0, 4.0]);
    let [_, after] = tables(", zero_row = true", "embedding.item.weight");
    assert_eq!(after[..4], [0.0, 0.0, 1.0, 2.0]);
    for table in ["embedding.item.weight", "embedding.items.weight"] {
        let [_, after] = tables(", tables = \"feature\"", table);
        assert_eq!(after[6..], [3.0, 4.0], "{table}");
    }
    let [before, after] = tables("", "embedding.user.weight");
    assert_eq!(before, after);
}

/// A bundle has the settings and the weights; the file may be gone.
#[test]
fn weights_that_were_written_are_all_that_scoring_needs() {
    for frozen in [true, false] {
        let config =
            model(&format!(", pretrained.item = {{ file = \"gone.csv\", key = \"item\", frozen = {frozen} }}"));
        let space = FeatureSpace::new(&schema(), &[4, 3]);
        let build = || {
            let store = nn::VarStore::new(Device::Cpu);
            let model = config.build(&store.root(), &space).unwrap();
            (model, store)
        };
        let ((trained, theirs), (served, ours)) = (build(), build());
        vectors().copy_to(&theirs, &space, config.embedding()).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), serialize_tensors(&named_tensors(&theirs), None).unwrap()).unwrap();
        load_weights(&ours, file.path()).unwrap();
        let samples = Samples {
            rows: 2,
            columns: vec![
                Column::Category(vec![1, 2]),
                Column::Sequence(Sequences { values: vec![3], offsets: vec![0, 1, 1], weights: None }),
                Column::Category(vec![1, 0]),
            ],
            ..Samples::default()
        };
        let [before, after] = [&trained, &served].map(|model| logits(model.as_ref(), &samples, Device::Cpu).unwrap());
        assert_eq!(before, after);
    }
}

#[test]
fn vectors_that_do_not_fit_change_nothing() {
    let (config, space) = (model(", dims = { user = 5 }"), FeatureSpace::new(&schema(), &[4, 3]));
    let store = nn::VarStore::new(Device::Cpu);
    config.build(&store.root(), &space).unwrap();
    let all = || -> Vec<Vec<f32>> {
        let tensors = named_tensors(&store).into_iter();
        tensors.map(|(_, tensor)| Vec::try_from(tensor.detach().reshape([-1])).unwrap()).collect()
    };
    let before = all();
    for (changed, expected) in [
        (
            PretrainedVectors { width: 4, ..vectors() },
            "model.embedding.pretrained.item is vectors of width 4; allowed: width 2, which the table has \
             (model.embedding.dims.item sets it)",
        ),
        (
            PretrainedVectors { vocabulary: "user".to_owned(), ..vectors() },
            "model.embedding.pretrained.user is vectors of width 2; allowed: width 5, which the table has \
             (model.embedding.dims.user sets it)",
        ),
        (
            PretrainedVectors { vocabulary: "shop".to_owned(), ..vectors() },
            "vectors of the vocabulary shop: there is no such vocabulary",
        ),
        (
            PretrainedVectors { found: vec![true; 3], ..vectors() },
            "vectors of the vocabulary item: 3 ids and 8 numbers for 4 rows of width 2",
        ),
        (
            PretrainedVectors { values: vec![0.0; 6], ..vectors() },
            "vectors of the vocabulary item: 4 ids and 6 numbers for 4 rows of width 2",
        ),
    ] {
        let error = changed.copy_to(&store, &space, config.embedding()).unwrap_err().to_string();
        assert_eq!(error, expected);
    }
    assert_eq!(all(), before);
    let other = nn::VarStore::new(Device::Cpu);
    let error = vectors().copy_to(&other, &space, config.embedding()).unwrap_err().to_string();
    assert_eq!(error, "vectors of the vocabulary item: there is no table embedding.item");
}

#[test]
fn settings_are_checked_and_written() {
    for (embedding, expected) in [
        (
            format!(", pretrained.items = {{ {FILE} }}"),
            "model.embedding.pretrained is `items`; allowed: a vocabulary of the schema: item, user",
        ),
        (
            ", pretrained.item = { file = \"\", key = \"item\" }".to_owned(),
            "model.embedding.pretrained.item.file is \"\"; allowed: at least one character",
        ),
        (
            ", pretrained.item = { file = \"v\", key = \"\" }".to_owned(),
            "model.embedding.pretrained.item.key is \"\"; allowed: at least one character",
        ),
        (
            format!(", pretrained.item = {{ {FILE}, separator = \" \" }}"),
            "model.embedding.pretrained.item.separator is \" \"; allowed: nothing: only a list (`list`) has one",
        ),
    ] {
        assert_eq!(model(&embedding).check(&schema()).unwrap_err().to_string(), expected);
    }
    let config = model(&format!(", pretrained.item = {{ {FILE}, frozen = true }}"));
    assert_eq!(toml::from_str::<ModelConfig>(&toml::to_string(&config).unwrap()).unwrap(), config);
    assert!(config.embedding().pretrained["item"].frozen);
}
