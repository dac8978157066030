//! Whether the cost of a step grows with the vocabulary: one training step of DIN with sparse tables, 1024 rows with
//! histories of 50 events, for vocabularies of 10⁴ to 10⁷ rows of 16 numbers.
//!
//! Every step draws new ids, evenly or by a Zipf law, so that no row is in a cache because the step before had it.
//! Sizes take turns. What counts on a busy machine is processor time, which Linux keeps for each thread; where it is not
//! known, there is the time of the clock alone. `FAIN_BENCH_THREADS` sets the threads of libtorch, 2 by default; `FAIN_BENCH_OPTIMIZER` the
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
const TURNS: usize = 4;
const STEPS: usize = 10;
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
    parameters: Vec<Tensor>,
    /// Bytes of all parameters and of what the optimiser remembers.
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
        let trainable: Vec<(String, Tensor)> =
            named_tensors(&variables).into_iter().filter(|(_, tensor)| tensor.requires_grad()).collect();
        let parameters = trainable.iter().map(|(_, tensor)| tensor.shallow_clone()).collect();
        let config = OptimizerConfig { rule, ..OptimizerConfig::default() };
        let optimizer = Optimizer::new(trainable, config).unwrap();
        let state = optimizer.state();
        let bytes = tensors.iter().chain(&state).map(|(_, tensor)| 4 * tensor.numel()).sum();
        Self { size, model, optimizer, parameters, bytes }
    }

    fn step(&mut self, numbers: &mut Numbers, draw: Draw) -> Times {
        let samples = numbers.batch(draw, self.size);
        let (started, before) = (Instant::now(), processor_seconds());
        let input = ModelInput::new(&samples, Device::Cpu).unwrap();
        let labels = Tensor::from_slice(samples.labels.as_ref().unwrap());
        let logits = self.model.forward(&input, Mode::Training).unwrap().logits;
        let loss = logits.binary_cross_entropy_with_logits::<Tensor>(&labels, None, None, Reduction::Mean);
        let gradients = Tensor::run_backward(&[&loss], &self.parameters, false, false);
        let update = processor_seconds();
        self.optimizer.step(&gradients).unwrap();
        let after = processor_seconds();
        Times { clock: started.elapsed().as_secs_f64(), processor: after - before, update: after - update }
    }
}

/// Seconds of a step.
#[derive(Debug, Clone, Copy)]
struct Times {
    clock: f64,
    /// Of all threads.
    processor: f64,
    /// Of it, in the optimiser.
    update: f64,
}

/// Processor time of all threads so far; 0 where Linux does not tell.
fn processor_seconds() -> f64 {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return 0.0 };
    let nanoseconds = |thread: std::fs::DirEntry| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    };
    threads.flatten().filter_map(nanoseconds).sum::<f64>() * 1e-9
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

    // From the smallest to the largest, one after the other, for the peak of memory.
    for size in [SIZES[0], SIZES[SIZES.len() - 1]] {
        let mut training = Training::new(size, rule);
        for _ in 0..STEPS {
            training.step(&mut numbers, Draw::Even);
        }
        if let Some(peak) = kilobytes("VmHWM") {
            let (needed, peak) = (training.bytes >> 20, peak >> 10);
            println!("{size} rows: {needed} MiB of tables and state, at most {peak} MiB, {} over", peak - needed);
        }
    }

    let mut trainings: Vec<Training> = SIZES.iter().map(|&size| Training::new(size, rule)).collect();
    for draw in [Draw::Even, Draw::Zipf] {
        let mut times = vec![Vec::new(); trainings.len()];
        for _ in 0..TURNS {
            for (training, times) in trainings.iter_mut().zip(&mut times) {
                let turn: Vec<Times> = (0..STEPS).map(|_| training.step(&mut numbers, draw)).collect();
                times.extend_from_slice(&turn[UNCOUNTED..]);
            }
        }
        println!("{draw:?}, ms: least and mean of the clock, of the processor, of the processor in the optimiser");
        let mut base = None;
        for (training, times) in trainings.iter().zip(&times) {
            let parts: [fn(&Times) -> f64; 3] = [|times| times.clock, |times| times.processor, |times| times.update];
            let [clock, processor, update] = parts.map(|part| least_and_mean(times.iter().map(part)));
            let base = base.get_or_insert(processor);
            println!(
                "{:>10} rows {:>8.2} {:>8.2}   {:>8.2} {:>8.2}   {:>6.2} {:>6.2}   processor, of {} rows: {:.3} {:.3}",
                training.size,
                clock.0,
                clock.1,
                processor.0,
                processor.1,
                update.0,
                update.1,
                SIZES[0],
                processor.0 / base.0,
                processor.1 / base.1,
            );
        }
    }
}

/// In milliseconds. Linux brings processor time up to date every few milliseconds: the mean is exact, the least is not.
fn least_and_mean(seconds: impl ExactSizeIterator<Item = f64> + Clone) -> (f64, f64) {
    let mean = seconds.clone().sum::<f64>() / seconds.len() as f64;
    (seconds.fold(f64::INFINITY, f64::min) * 1e3, mean * 1e3)
}
