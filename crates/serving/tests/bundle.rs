//! Bundles: written, opened, used, damaged.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::ControlFlow;
use std::path::Path;

use fain_features::{
    Binding, Column, CsvConfig, EncoderFitter, Encoders, Parts, Record, Samples, SchemaConfig, Sequences, TableReader,
};
use fain_models::{FeatureSpace, ModelConfig};
use fain_serving::{Bundle, BundleError, BundleSettings};
use tch::{Device, Kind, Tensor, nn};

const SCHEMA: &str = r#"
    label = "click"
    features.item = { kind = "category" }
    features.history = { kind = "sequence", max_length = 5, vocabulary = "item" }
    features.price = { kind = "numeric" }
"#;
const MODEL: &str = r#"
    kind = "din"
    embedding = { dim = 4, std = 0.5 }
    interests = [{ candidate = ["item"], history = ["history"] }]
"#;
const TRAIN: &str = "click,item,history,price\n1,a,b|c,1.5\n0,b,,2\n1,c,a,\n";

fn fitted(folder: &Path) -> Encoders {
    let schema = toml::from_str::<SchemaConfig>(SCHEMA).unwrap().check().unwrap();
    let file = folder.join("train.csv");
    std::fs::write(&file, TRAIN).unwrap();
    let mut table = TableReader::open(&file, &CsvConfig::default()).unwrap();
    let binding = Binding::new(&schema, Parts::default(), table.header(), &file).unwrap();
    let mut fitter = EncoderFitter::new(schema);
    let mut record = Record::new();
    while table.read(&mut record).unwrap() {
        fitter.observe(&record, &binding).unwrap();
    }
    fitter.finish().unwrap()
}

/// A bundle whose weights follow from `seed`. They are not drawn: libtorch's generator belongs to the process, and the
/// other tests of this file draw weights when they open a bundle.
fn write(folder: &Path, seed: i64) -> nn::VarStore {
    let encoders = fitted(folder);
    let variables = nn::VarStore::new(Device::Cpu);
    let model: ModelConfig = toml::from_str(MODEL).unwrap();
    model.build(&variables.root(), &FeatureSpace::of(&encoders)).unwrap();
    tch::no_grad(|| {
        for (name, mut weights) in variables.variables() {
            if !name.contains("running") {
                let places = Tensor::arange(weights.numel() as i64, (Kind::Float, Device::Cpu));
                let phase = (seed + name.len() as i64) as f64;
                weights.copy_(&((places * 0.7 + phase).sin() * 0.3).reshape(weights.size()));
            }
        }
    });
    let settings = BundleSettings { model, csv: CsvConfig::default(), batch_size: 2, threads: 1 };
    Bundle::write(&folder.join("bundle"), &encoders, &settings, &variables).unwrap();
    variables
}

fn scores(bundle: &Bundle, file: &Path) -> Vec<f32> {
    let mut scores = Vec::new();
    let _ = bundle
        .score_file(file, Parts::default(), &mut |run| {
            scores.extend_from_slice(run.logits);
            Ok::<_, BundleError>(ControlFlow::<()>::Continue(()))
        })
        .unwrap();
    scores
}

#[test]
fn a_bundle_scores_as_the_model_it_was_made_of() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 7);
    let bundle = Bundle::open(&folder.path().join("bundle"), Device::Cpu).unwrap();
    let first = scores(&bundle, &folder.path().join("train.csv"));
    assert_eq!(first.len(), 3);
    assert!(first.iter().all(|score| score.is_finite()));
    let again = Bundle::open(&folder.path().join("bundle"), Device::Cpu).unwrap();
    assert_eq!(scores(&again, &folder.path().join("train.csv")), first);
    let leftovers: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(leftovers.len(), 2, "{leftovers:?}");
}

/// A user of the schema: an item that is not looked at, a history, a price.
fn user(history: &[u32]) -> Samples {
    let offsets = vec![0, history.len() as u32];
    let history = Sequences { values: history.to_vec(), offsets, weights: None };
    let columns = vec![Column::Category(vec![0]), Column::Sequence(history), Column::Numeric(vec![0.5])];
    Samples { rows: 1, columns, ..Samples::default() }
}

#[test]
fn candidates_before_a_user_score_as_rows_with_the_user_in_each() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 7);
    let bundle = Bundle::open(&folder.path().join("bundle"), Device::Cpu).unwrap();
    let ids: Vec<u32> =
        ["a", "b", "zebra"].iter().map(|item| bundle.encoders().encode_term(0, item).unwrap()).collect();
    for history in [&ids[..], &[]] {
        let state = bundle.read_user(&user(history)).unwrap();
        // The state is kept for another page.
        for page in [&ids[..], &ids[2..], &[]] {
            let candidates = bundle.candidates(vec![("item", Column::Category(page.to_vec()))]).unwrap();
            let scores = bundle.score_candidates(&state, &candidates).unwrap();
            assert_eq!(scores.len(), page.len());
            for (&item, score) in page.iter().zip(scores) {
                let mut row = user(history);
                row.columns[0] = Column::Category(vec![item]);
                let expected = bundle.score(&row).unwrap()[0];
                assert!((score - expected).abs() < 1e-6, "{score} is not {expected}");
            }
        }
    }
    let unknown = bundle.candidates(vec![("itme", Column::Category(vec![1]))]).unwrap_err();
    assert!(matches!(unknown, BundleError::Model(_)), "{unknown}");
}

/// Trap: a category that training did not know.
#[test]
fn an_unknown_term_scores_as_the_unknown_one() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 7);
    let bundle = Bundle::open(&folder.path().join("bundle"), Device::Cpu).unwrap();
    let file = folder.path().join("new.csv");
    // No label column; an item never seen, an empty item, an empty history, one that is unknown throughout.
    std::fs::write(&file, "price,item,history\n1,zebra,b\n1,,b\n1,a,\n1,a,zebra|quagga\n1,a,quagga|zebra\n").unwrap();
    let scores = scores(&bundle, &file);
    assert!((scores[0] - scores[1]).abs() < 1e-6);
    assert!((scores[3] - scores[4]).abs() < 1e-6);
    assert!(scores.iter().all(|score| score.is_finite()));
}

#[test]
fn the_same_weights_give_the_same_bytes() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for folder in &folders {
        write(folder.path(), 3);
        // A second write replaces the first.
        write(folder.path(), 7);
    }
    for name in ["bundle.json", "encoders.json", "model.safetensors"] {
        let [left, right] =
            folders.each_ref().map(|folder| std::fs::read(folder.path().join("bundle").join(name)).unwrap());
        assert_eq!(left, right, "{name}");
    }
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let (ours, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(ours.path(), 7);
    write(other.path(), 8);
    let bundle = ours.path().join("bundle");
    let message = || Bundle::open(&bundle, Device::Cpu).unwrap_err().to_string();

    let weights = std::fs::read(bundle.join("model.safetensors")).unwrap();
    std::fs::copy(other.path().join("bundle/model.safetensors"), bundle.join("model.safetensors")).unwrap();
    assert!(message().ends_with("the files are of different bundles"), "{}", message());
    std::fs::write(bundle.join("model.safetensors"), &weights[..100]).unwrap();
    assert!(message().ends_with("the files are of different bundles"), "{}", message());
    std::fs::remove_file(bundle.join("model.safetensors")).unwrap();
    assert!(message().starts_with("cannot read") && message().contains("model.safetensors"), "{}", message());
    std::fs::write(bundle.join("model.safetensors"), &weights).unwrap();

    let encoders = std::fs::read_to_string(bundle.join("encoders.json")).unwrap();
    std::fs::write(bundle.join("encoders.json"), encoders.replace("\"c\"", "\"d\"")).unwrap();
    assert!(message().ends_with("the files are of different bundles"), "{}", message());
    std::fs::write(bundle.join("encoders.json"), &encoders).unwrap();

    let settings = std::fs::read_to_string(bundle.join("bundle.json")).unwrap();
    std::fs::write(bundle.join("bundle.json"), settings.replace("\"version\": 1", "\"version\": 2")).unwrap();
    assert!(message().ends_with("is \"fain-bundle\" version 2; this program reads \"fain-bundle\" version 1"));
    std::fs::write(bundle.join("bundle.json"), "{").unwrap();
    assert!(message().contains("bundle.json: EOF while parsing"), "{}", message());
    std::fs::write(bundle.join("bundle.json"), settings).unwrap();
    Bundle::open(&bundle, Device::Cpu).unwrap();
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let encoders = fitted(folder.path());
    let settings =
        BundleSettings { model: toml::from_str(MODEL).unwrap(), csv: CsvConfig::default(), batch_size: 2, threads: 1 };
    let variables = nn::VarStore::new(Device::Cpu);
    let error = Bundle::write(&folder.path().join("no/such/bundle"), &encoders, &settings, &variables).unwrap_err();
    assert!(error.to_string().starts_with("cannot create a folder in"), "{error}");
    assert!(!folder.path().join("no").exists());
}
