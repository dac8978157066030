//! Dice and batch normalisation over 43,000 events, attention over 1024 histories that have as many, and DIEN's auxiliary
//! loss over 28,000 pairs of a state and two events, forward and backward, in float32: plain operations and fused.
//!
//! `FAIN_BENCH_THREADS` sets libtorch's threads, which are otherwise as many as libtorch takes.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use fain_layers::{
    ActivationConfig, AuxiliaryLoss, AuxiliaryLossConfig, BatchNorm, BatchNormConfig, Dice, DiceVariant, Execution,
    Jagged, JaggedLayout, LayerError, Linear, Mlp, MlpConfig, Mode, TargetAttention, TargetAttentionConfig,
};
use tch::{Device, Kind, Tensor, nn};

const SAMPLES: i64 = 1024;
const EVENTS: i64 = 42 * SAMPLES;
const EXECUTIONS: [(&str, Execution); 2] = [("plain", Execution::Plain), ("fused", Execution::Auto)];

type Layer = Box<dyn Fn(&Tensor) -> Result<Tensor, LayerError>>;

fn normal(size: &[i64]) -> Tensor {
    Tensor::randn(size, (Kind::Float, Device::Cpu))
}

/// One row for each event.
fn rows(criterion: &mut Criterion, name: &str, width: i64, layer: impl Fn(&nn::Path<'_>, Execution) -> Layer) {
    let (input, slopes) = (normal(&[EVENTS, width]).set_requires_grad(true), normal(&[EVENTS, width]));
    let mut group = criterion.benchmark_group(name);
    group.sample_size(20);
    for (way, execution) in EXECUTIONS {
        let store = nn::VarStore::new(Device::Cpu);
        let layer = layer(&store.root(), execution);
        group.bench_function(BenchmarkId::new(way, width), |bencher| {
            bencher.iter(|| {
                let output = layer(&input).unwrap();
                Tensor::run_backward(&[&output * &slopes], &[&input], false, false)
            });
        });
    }
    group.finish();
}

fn dense(criterion: &mut Criterion) {
    fain_autograd::keep_freed_memory();
    if let Ok(threads) = std::env::var("FAIN_BENCH_THREADS") {
        tch::set_num_threads(threads.parse().unwrap());
    }
    tch::manual_seed(1);
    let dice = |width: i64, variant: DiceVariant| {
        move |variables: &nn::Path<'_>, execution: Execution| -> Layer {
            let dice = Dice::new(variables, width, variant).unwrap().with_execution(execution);
            Box::new(move |input| dice.forward(input, Mode::Training))
        }
    };
    for width in [32, 36, 64] {
        rows(criterion, "dice", width, dice(width, DiceVariant::Paper));
    }
    rows(criterion, "dice per sample", 64, dice(64, DiceVariant::PerSample));
    rows(criterion, "batch norm", 36, |variables, execution| {
        let norm = BatchNorm::new(variables, 36, BatchNormConfig::default()).unwrap().with_execution(execution);
        Box::new(move |input| norm.forward(input, Mode::Training))
    });
}

fn attention(criterion: &mut Criterion) {
    let offsets: Vec<u32> = (0..=SAMPLES as u32).map(|sample| sample * 42).collect();
    let layout = JaggedLayout::new(&offsets, Device::Cpu).unwrap();
    let history = Jagged::new(normal(&[EVENTS, 16]).set_requires_grad(true), layout).unwrap();
    let candidate = normal(&[SAMPLES, 16]).set_requires_grad(true);
    let config = TargetAttentionConfig {
        hidden: vec![64, 32],
        activation: ActivationConfig::Dice,
        ..TargetAttentionConfig::default()
    };
    let mut group = criterion.benchmark_group("attention 64-32 Dice");
    group.sample_size(20);
    for (way, execution) in EXECUTIONS {
        let store = nn::VarStore::new(Device::Cpu);
        let attention = TargetAttention::new(&store.root(), 16, &config).unwrap().with_execution(execution);
        group.bench_function(way, |bencher| {
            bencher.iter(|| {
                attention.forward(&candidate, &history, Mode::Training).unwrap().sum(Kind::Float).backward();
            });
        });
    }
    group.finish();
}

fn auxiliary(criterion: &mut Criterion) {
    const PAIRS: i64 = 28_000;
    let rows = [(); 3].map(|()| normal(&[PAIRS, 16]).set_requires_grad(true));
    let mut group = criterion.benchmark_group("auxiliary net 100-50");
    group.sample_size(20);
    for (way, execution) in EXECUTIONS {
        let store = nn::VarStore::new(Device::Cpu);
        let config = AuxiliaryLossConfig::default();
        let loss = AuxiliaryLoss::new(&store.root(), 16, 16, &config).unwrap().with_execution(execution);
        group.bench_function(way, |bencher| {
            bencher.iter(|| loss.of_pairs(&rows[0], &rows[1], &rows[2], Mode::Training).unwrap().backward());
        });
    }
    group.finish();
}

/// The last network of torch-rechub's DIN, from its columns to the logit.
fn hidden(criterion: &mut Criterion) {
    let input = normal(&[SAMPLES, 176]).set_requires_grad(true);
    let config = MlpConfig {
        hidden: vec![256, 128],
        activation: ActivationConfig::DicePerSample,
        batch_norm: true,
        ..MlpConfig::default()
    };
    let mut group = criterion.benchmark_group("hidden layers 256-128 batch norm, Dice per sample");
    group.sample_size(20);
    for (way, execution) in EXECUTIONS {
        let store = nn::VarStore::new(Device::Cpu);
        let mlp = Mlp::new(&(store.root() / "mlp"), 176, &config).unwrap().with_execution(execution);
        let output = Linear::new(&(store.root() / "output"), 128, 1).unwrap();
        for mode in [Mode::Training, Mode::Evaluation] {
            group.bench_function(BenchmarkId::new(way, format!("{mode:?}")), |bencher| {
                bencher.iter(|| match mode {
                    Mode::Training => mlp.forward_to(&input, &output, mode).unwrap().sum(Kind::Float).backward(),
                    Mode::Evaluation => drop(tch::no_grad(|| mlp.forward_to(&input, &output, mode)).unwrap()),
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, dense, attention, auxiliary, hidden);
criterion_main!(benches);
