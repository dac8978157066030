//! One training step of DIN, and scoring, on random samples: 1024 rows, histories of up to 50 events.
//!
//! `FAIN_BENCH_THREADS` sets the threads of libtorch, 2 by default.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fain_features::{Column, Samples, SchemaConfig, Sequences};
use fain_layers::Mode;
use fain_models::{FeatureSpace, ModelConfig, ModelInput, logits, named_tensors};
use fain_training::{Optimizer, OptimizerConfig};
use tch::{Device, Kind, Reduction, Tensor, nn};

const ROWS: usize = 1024;
const VOCABULARY: u32 = 3_900;

const SCHEMA: &str = r#"
    label = "click"
    features.user = { kind = "category" }
    features.item = { kind = "category" }
    features.history = { kind = "sequence", vocabulary = "item", max_length = 50 }
"#;

fn model(attention: &str) -> String {
    format!(
        r#"
        kind = "din"
        embedding = {{ dim = 16 }}
        attention = {attention}
        mlp = {{ hidden = [256, 128], activation = "dice" }}
        interests = [{{ candidate = ["item"], history = ["history"] }}]
        "#
    )
}

/// A batch from a fixed linear congruential sequence.
fn batch() -> Samples {
    let mut state = 1u64;
    let mut draw = |below: u32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % u64::from(below)) as u32
    };
    let mut history = Sequences::default();
    for _ in 0..ROWS {
        // Three rows of four have a full history, as in MovieLens.
        let length = if draw(4) > 0 { 50 } else { draw(51) };
        history.values.extend((0..length).map(|_| draw(VOCABULARY)));
        history.offsets.push(history.values.len() as u32);
    }
    let user = (0..ROWS).map(|_| draw(6_040)).collect();
    let item = (0..ROWS).map(|_| draw(VOCABULARY)).collect();
    let labels = (0..ROWS).map(|_| draw(2) as f32).collect();
    let columns = vec![Column::Category(user), Column::Category(item), Column::Sequence(history)];
    Samples { rows: ROWS, labels: Some(labels), columns, ..Samples::default() }
}

fn din(criterion: &mut Criterion) {
    let threads = std::env::var("FAIN_BENCH_THREADS").map_or(2, |text| text.parse().unwrap());
    tch::set_num_threads(threads);
    let space = FeatureSpace::new(
        &toml::from_str::<SchemaConfig>(SCHEMA).unwrap().check().unwrap(),
        &[6_041, VOCABULARY as usize],
    );
    let samples = batch();
    for (name, attention) in [
        ("attention 64-32 Dice", r#"{ hidden = [64, 32], activation = "dice" }"#),
        ("attention 36 Dice", r#"{ hidden = [36], activation = "dice" }"#),
        ("attention 36 PReLU", r#"{ hidden = [36], activation = "prelu" }"#),
    ] {
        tch::manual_seed(1);
        let variables = nn::VarStore::new(Device::Cpu);
        let config: ModelConfig = toml::from_str(&model(attention)).unwrap();
        let model = config.build(&variables.root(), &space).unwrap();
        let trainable = named_tensors(&variables).into_iter().filter(|(_, tensor)| tensor.requires_grad()).collect();
        let mut optimizer = Optimizer::new(trainable, OptimizerConfig::default()).unwrap();
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(ROWS as u64));
        group.bench_function("training step", |bencher| {
            bencher.iter(|| {
                let input = ModelInput::new(&samples, Device::Cpu).unwrap();
                let labels = Tensor::from_slice(samples.labels.as_ref().unwrap());
                let logits = model.forward(&input, Mode::Training).unwrap().logits;
                let loss = logits.binary_cross_entropy_with_logits::<Tensor>(&labels, None, None, Reduction::Mean);
                optimizer.backward_step(&loss).unwrap();
            });
        });
        group.bench_function("scoring", |bencher| {
            bencher.iter(|| logits(model.as_ref(), &samples, Device::Cpu).unwrap());
        });
        group.finish();
    }
    // What the machine can do, to hold the steps against.
    let square = Tensor::rand([1024, 1024], (Kind::Float, Device::Cpu));
    let mut group = criterion.benchmark_group("limit");
    group.throughput(Throughput::Elements(2 * 1024 * 1024 * 1024));
    group.bench_function("matrix product, FLOP", |bencher| bencher.iter(|| square.matmul(&square)));
    group.finish();
}

criterion_group!(benches, din);
criterion_main!(benches);
