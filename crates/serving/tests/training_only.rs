//! Features that a model reads in training only are not needed to score.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::OnceLock;

use fain_features::{
    Binding, Column, CsvConfig, EncoderFitter, Encoders, Parts, ReadPlan, Record, SampleReader, Samples, SchemaConfig,
    Sequences, TableReader,
};
use fain_models::{FeatureSpace, ModelConfig};
use fain_serving::{Bundle, BundleError, BundleSettings};
use proptest::collection::vec;
use proptest::prelude::*;
use tch::{Device, nn};
use tempfile::TempDir;

const SCHEMA: &str = r#"
    label = "click"
    features.item = { kind = "category" }
    features.history = { kind = "sequence", max_length = 5, vocabulary = "item" }
    features.negatives = { kind = "sequence", max_length = 5, vocabulary = "item" }
"#;
const MODEL: &str = r#"
    kind = "dien"
    embedding = { dim = 4, std = 0.5 }
    auxiliary = {}
    interests = [{ candidate = ["item"], history = ["history"], negative = ["negatives"] }]
"#;
const TRAIN: &str = "click,item,history,negatives\n1,a,b|c,d|e\n0,b,,\n1,c,a,b\n";

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

/// A folder with `bundle`. It is written once, so that nothing else draws weights meanwhile.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let encoders = fitted(folder.path());
        let variables = nn::VarStore::new(Device::Cpu);
        let model: ModelConfig = toml::from_str(MODEL).unwrap();
        tch::manual_seed(5);
        model.build(&variables.root(), &FeatureSpace::of(&encoders)).unwrap();
        let settings = BundleSettings { model, csv: CsvConfig::default(), batch_size: 2, threads: 1 };
        Bundle::write(&folder.path().join("bundle"), &encoders, &settings, &variables).unwrap();
        folder
    });
    folder.path()
}

fn bundle() -> Bundle {
    Bundle::open(&folder().join("bundle"), Device::Cpu).unwrap()
}

fn score_text(bundle: &Bundle, text: &str) -> Result<Vec<f32>, BundleError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let mut scores = Vec::new();
    let _ = bundle.score_file(file.path(), Parts::default(), &mut |run| {
        let negatives = &run.samples.columns[2];
        let empty = Sequences { values: Vec::new(), offsets: vec![0; run.samples.rows + 1], weights: None };
        assert_eq!(*negatives, Column::Sequence(empty));
        scores.extend_from_slice(run.logits);
        Ok::<_, BundleError>(ControlFlow::<()>::Continue(()))
    })?;
    Ok(scores)
}

type Row = (String, Vec<String>, Vec<String>);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    vec(("[a-f]", vec("[a-f]", 0..7), vec("[a-f]", 0..7)), 1..6)
}

fn text(rows: &[Row], with: bool) -> String {
    let mut text = String::from(if with { "item,history,negatives\n" } else { "item,history\n" });
    for (item, history, negatives) in rows {
        let negatives = if with { format!(",{}", negatives.join("|")) } else { String::new() };
        writeln!(text, "{item},{}{negatives}", history.join("|")).unwrap();
    }
    text
}

/// The rows with their negatives, as training's evaluation has them.
fn encoded(bundle: &Bundle, text: &str) -> Samples {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let plan = ReadPlan { parts: Parts::default(), unread: &[], rows_per_run: usize::MAX };
    let encoders = std::sync::Arc::new(bundle.encoders().clone());
    let mut samples = Samples::default();
    SampleReader::open(file.path(), &CsvConfig::default(), encoders, plan).unwrap().read(&mut samples).unwrap();
    samples
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_score_the_same_with_and_without_the_column(rows in rows()) {
        let bundle = bundle();
        let without = score_text(&bundle, &text(&rows, false)).unwrap();
        prop_assert_eq!(without.len(), rows.len());
        prop_assert!(without.iter().all(|score| score.is_finite()));
        prop_assert_eq!(&score_text(&bundle, &text(&rows, true)).unwrap(), &without);
    }

    #[test]
    fn a_score_is_that_of_an_evaluation_that_has_the_negatives(mut rows in rows()) {
        let bundle = bundle();
        // One batch, so that the last bits are the same too.
        rows.truncate(2);
        let evaluated = bundle.score(&encoded(&bundle, &text(&rows, true))).unwrap();
        prop_assert_eq!(score_text(&bundle, &text(&rows, false)).unwrap(), evaluated);
    }
}

#[test]
fn every_other_column_is_needed() {
    let error = score_text(&bundle(), "item,negatives\na,b\n").unwrap_err().to_string();
    assert!(error.contains("no column \"history\", which schema.features.history names"), "{error}");
}
