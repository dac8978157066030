//! Whether the cost of a step grows with the vocabulary: one training step of DIN with sparse tables, 1024 rows with
//! histories of 50 events, for vocabularies of 10⁴ to 10⁷ rows of 16 numbers.
//!
//! Every step draws new ids, evenly or by a Zipf law, so that no row is in a cache because the step before had it.
//! Sizes take turns. `FAIN_BENCH_THREADS` sets the threads of libtorch, 2 by default; `FAIN_BENCH_OPTIMIZER` the
//! optimiser, `{ kind = "adam" }` by default.

#![allow(missing_docs, reason = "criterion's macros are not used; there is nothing public to document")]
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::time::Instant;

use fain_features::{Column, Samples, SchemaConfig, Sequences};
use fain_layers::Mode;
use fain_models::{FeatureSpace, Model, ModelConfig, ModelInput, named_tensors};
use fain_training::{Optimizer, OptimizerConfig, UpdateRule};
use tch::{Device, Reduction, Tensor, nn};

const ROWS: usize = 1024;
const EVENTS: usize = 50;
const SIZES: [u32; 4] = [10_000, 100_000, 1_000_000, 10_000_000];
/// Turns that every size gets, and steps of a turn; the first steps of a turn are not counted.
const TURNS: usize = 6;
const STEPS: usize = 12;
const UNCOUNTED: usize = 2;

const SCHEMA: &str = r#"
    label = "click"
    features.item = { kind = "category" }
    features.history = { kind = "sequence", vocabulary = "item", max_length = 50 }
"#;

const MODEL: &str = r#"
    kind = "din"
    embedding = { dim = 16, sparse = true }
    attention = { hidden = [64, 32], activation = "dice" }
    mlp = { hidden = [256, 128], activation = "dice" }
    interests = [{ candidate = ["item"], history = ["history"] }]
"#;

/// How ids are drawn.
#[derive(Debug, Clone, Copy)]
enum Draw {
    Even,
    /// The chance of the k-th most frequent id falls as 1/k.
    Zipf,
}

/// A fixed linear congruential sequence.
struct Numbers(u64);

impl Numbers {
    /// Evenly from [0, 1).
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn id(&mut self, draw: Draw, size: u32) -> u32 {
        let size = f64::from(size);
        match draw {
            Draw::Even => (self.next() * size) as u32,
            Draw::Zipf => {
                let rank = size.powf(self.next()) as u64 - 1;
                // Frequent ids lie anywhere: the factor has no divisor in common with a power of ten.
                ((rank * 7_777_777) % size as u64) as u32
            }
        }
    }

    fn batch(&mut self, draw: Draw, size: u32) -> Samples {
        let mut history = Sequences::default();
        for _ in 0..ROWS {
            history.values.extend((0..EVENTS).map(|_| self.id(draw, size)));
            history.offsets.push(history.values.len() as u32);
        }
        let item = (0..ROWS).map(|_| self.id(draw, size)).collect();
        let labels = (0..ROWS).map(|_| f32::from(u8::from(self.next() < 0.5))).collect();
        let columns = vec![Column::Category(item), Column::Sequence(history)];
        Samples { rows: ROWS, labels: Some(labels), columns, ..Samples::default() }
    }
}

struct Training {
    size: u32,
    model: Box<dyn Model>,
    optimizer: Optimizer,
    /// Numbers of all parameters and of what the optimiser remembers.
    bytes: usize,
}

impl Training {
    fn new(size: u32, rule: UpdateRule) -> Self {
        let schema = toml::from_str::<SchemaConfig>(SCHEMA).unwrap().check().unwrap();
        let space = FeatureSpace::new(&schema, &[size as usize]);
        tch::manual_seed(1);
        let variables = nn::VarStore::new(Device::Cpu);
        let model = toml::from_str::<ModelConfig>(MODEL).unwrap().build(&variables.root(), &space).unwrap();
        let tensors = named_tensors(&variables);
        let trainable = tensors.iter().filter(|(_, tensor)| tensor.requires_grad());
        let trainable = trainable.map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect();
        let config = OptimizerConfig { rule, ..OptimizerConfig::default() };
        let optimizer = Optimizer::new(trainable, config).unwrap();
        let state = optimizer.state();
        let bytes = tensors.iter().chain(&state).map(|(_, tensor)| 4 * tensor.numel()).sum();
        Self { size, model, optimizer, bytes }
    }

    /// Seconds of one step.
    fn step(&mut self, numbers: &mut Numbers, draw: Draw) -> f64 {
        let samples = numbers.batch(draw, self.size);
        let started = Instant::now();
        let input = ModelInput::new(&samples, Device::Cpu).unwrap();
        let labels = Tensor::from_slice(samples.labels.as_ref().unwrap());
        let logits = self.model.forward(&input, Mode::Training).unwrap().logits;
        let loss = logits.binary_cross_entropy_with_logits::<Tensor>(&labels, None, None, Reduction::Mean);
        self.optimizer.backward_step(&loss).unwrap();
        started.elapsed().as_secs_f64()
    }
}

/// A number of kB that Linux has for this process; none elsewhere.
fn kilobytes(name: &str) -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim_start_matches(':').trim().strip_suffix(" kB")?.parse().ok()
}

fn main() {
    let threads = std::env::var("FAIN_BENCH_THREADS").map_or(2, |text| text.parse().unwrap());
    tch::set_num_threads(threads);
    let rule = std::env::var("FAIN_BENCH_OPTIMIZER").map_or(UpdateRule::default(), |text| {
        let setting: toml::Table = format!("rule = {text}").parse().unwrap();
        setting["rule"].clone().try_into().unwrap()
    });
    println!("{rule:?}, {threads} threads, {ROWS} rows, {EVENTS} events");
    let mut numbers = Numbers(1);

    // The largest first and alone, for the peak of memory.
    let largest = SIZES[SIZES.len() - 1];
    let mut training = Training::new(largest, rule);
    for _ in 0..STEPS {
        training.step(&mut numbers, Draw::Even);
    }
    if let Some(peak) = kilobytes("VmHWM") {
        let (needed, peak) = (training.bytes / (1 << 20), peak / (1 << 10));
        println!("{largest} rows: {needed} MiB of tables and state, {peak} MiB at most, {} over", peak - needed);
    }

    let small = SIZES[..SIZES.len() - 1].iter().map(|&size| Training::new(size, rule));
    let mut trainings: Vec<Training> = small.collect();
    trainings.push(training);
    for draw in [Draw::Even, Draw::Zipf] {
        let mut seconds = vec![Vec::new(); trainings.len()];
        for _ in 0..TURNS {
            for (training, seconds) in trainings.iter_mut().zip(&mut seconds) {
                let turn: Vec<f64> = (0..STEPS).map(|_| training.step(&mut numbers, draw)).collect();
                seconds.extend_from_slice(&turn[UNCOUNTED..]);
            }
        }
        println!("{draw:?}:      rows   least ms  median ms   of the least, of the median at {} rows", SIZES[0]);
        let mut base = None;
        for (training, seconds) in trainings.iter().zip(&mut seconds) {
            seconds.sort_by(f64::total_cmp);
            let (least, median) = (seconds[0] * 1e3, seconds[seconds.len() / 2] * 1e3);
            let (base_least, base_median) = *base.get_or_insert((least, median));
            let ratios = (least / base_least, median / base_median);
            println!("{:>14} {least:>10.2} {median:>10.2}   {:.3} {:.3}", training.size, ratios.0, ratios.1);
        }
    }
}
