//! Steps with ever larger tables.

mod memory;

use std::time::Instant;

use anyhow::{Context, Result};
use fain_autograd::overlap;
use fain_features::{Column, Samples, SchemaConfig, Sequences};
use fain_layers::Mode;
use fain_models::{FeatureSpace, Model, ModelConfig, ModelInput, Output, complete, named_tensors};
use fain_training::{Optimizer, OptimizerConfig};
use tch::{Device, Reduction, Tensor, nn};

use super::training::DIEN;
use crate::bench::Bench;
use crate::figures::{Peer, Row, Unit};
use crate::rounds::{Side, alternate};

pub(crate) use memory::report as report_memory;

pub(super) const ABOUT: &str = "A training step (embeddings of 16 with sparse gradients, batch 1,024 with 50 events \
     each, Adam) of DIN (attention 64-32, network 256-128) and of DIEN of the notebook (which looks up another 50 \
     items for its auxiliary loss), whose table of items grows. Even ids make nearly every look-up of a large table \
     miss the caches; by a Zipf law the k-th most frequent id has a chance of 1/k. Memory is the most that a process of \
     its own, training DIN, had without the table and what the optimiser remembers of it.";

const ROWS: usize = 1024;
const HISTORY: usize = 50;
/// Different batches, so that a step finds other rows than the one before.
const BATCHES: u64 = 16;

const SCHEMA: &str = r#"
    label = "click"
    features.item = { kind = "category" }
    features.history = { kind = "sequence", vocabulary = "item", max_length = 50 }
"#;

const NEGATIVES: &str = r#"
    features.negatives = { kind = "sequence", vocabulary = "item", max_length = 50 }
"#;

const SPARSE_DIN: &str = r#"
    kind = "din"
    embedding = { dim = 16, sparse = true }
    attention = { hidden = [64, 32], activation = "dice" }
    mlp = { hidden = [256, 128], activation = "dice" }
    interests = [{ candidate = ["item"], history = ["history"] }]
"#;

/// What is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Network {
    Din,
    Dien,
}

impl Network {
    const ALL: [Self; 2] = [Self::Din, Self::Dien];

    fn name(self) -> &'static str {
        match self {
            Self::Din => "DIN",
            Self::Dien => "DIEN",
        }
    }

    /// The features beside the label, and the model that reads them.
    fn parts(self) -> Result<(SchemaConfig, ModelConfig)> {
        let (schema, model) = match self {
            Self::Din => (SCHEMA.to_owned(), SPARSE_DIN.parse::<toml::Table>()?),
            Self::Dien => {
                let mut experiment: toml::Table = DIEN.parse()?;
                let model = experiment.remove("model").context("the experiment has no model")?;
                let mut model: toml::Table = model.try_into()?;
                let embedding = model.get_mut("embedding").and_then(toml::Value::as_table_mut);
                embedding.context("the model has no embeddings")?.insert("sparse".to_owned(), true.into());
                complete(&mut model)?;
                (format!("{SCHEMA}{NEGATIVES}"), model)
            }
        };
        Ok((toml::from_str(&schema)?, model.try_into()?))
    }
}

/// How ids are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Draw {
    Even,
    Zipf,
}

impl Draw {
    const ALL: [Self; 2] = [Self::Even, Self::Zipf];

    fn name(self) -> &'static str {
        match self {
            Self::Even => "even ids",
            Self::Zipf => "Zipf ids",
        }
    }
}

/// A linear congruential sequence.
struct Numbers(u64);

impl Numbers {
    /// Evenly from [0, 1).
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn id(&mut self, draw: Draw, vocabulary: u32) -> u32 {
        let size = f64::from(vocabulary);
        match draw {
            Draw::Even => (self.next() * size) as u32,
            Draw::Zipf => {
                let rank = size.powf(self.next()) as u64 - 1;
                // Frequent ids lie anywhere: the factor has no divisor in common with a power of ten.
                (rank * 7_777_777 % u64::from(vocabulary)) as u32
            }
        }
    }
}

struct Steps {
    model: Box<dyn Model>,
    optimizer: Optimizer,
    /// For each way to draw, batches that take turns.
    batches: [Vec<Samples>; 2],
    next: usize,
    /// Of the table and what is remembered of it.
    bytes: usize,
    // The model's tensors live as long as this.
    _variables: nn::VarStore,
}

impl Steps {
    fn new(network: Network, vocabulary: u32) -> Result<Self> {
        let (schema, config) = network.parts()?;
        let space = FeatureSpace::new(&schema.check()?, &[vocabulary as usize]);
        tch::manual_seed(1);
        let variables = nn::VarStore::new(Device::Cpu);
        let model = config.build(&variables.root(), &space)?;
        let trainable: Vec<_> =
            named_tensors(&variables).into_iter().filter(|(_, tensor)| tensor.requires_grad()).collect();
        let optimizer = Optimizer::new(trainable, OptimizerConfig::default())?;
        let of_table = |tensor: &Tensor| tensor.size().first() == Some(&i64::from(vocabulary));
        let tensors = named_tensors(&variables).into_iter().chain(optimizer.state()).map(|(_, tensor)| tensor);
        let bytes = tensors.filter(of_table).map(|tensor| tensor.numel() * size_of::<f32>()).sum();
        let batches = Draw::ALL.map(|draw| (1..=BATCHES).map(|seed| batch(network, vocabulary, draw, seed)).collect());
        Ok(Self { model, optimizer, batches, next: 0, bytes, _variables: variables })
    }

    fn step(&mut self, draw: Draw) -> Result<()> {
        let batches = &self.batches[draw as usize];
        let samples = &batches[self.next];
        self.next = (self.next + 1) % batches.len();
        let input = ModelInput::new(samples, Device::Cpu)?;
        let labels = Tensor::f_from_slice(samples.labels.as_deref().unwrap_or_default())?;
        let Self { model, optimizer, .. } = self;
        // As a training does it.
        let mut pass = || {
            let Output { logits, auxiliary } = model.forward(&input, Mode::Training)?;
            let click = logits.f_binary_cross_entropy_with_logits::<Tensor>(&labels, None, None, Reduction::Mean)?;
            let losses: Vec<&Tensor> = std::iter::once(&click).chain(&auxiliary).collect();
            Ok(optimizer.backward_step_of_sum(&losses)?)
        };
        if model.reads_auxiliary_loss() { pass() } else { overlap(pass) }
    }

    /// Milliseconds of a step.
    fn time(&mut self, draw: Draw, seconds: f64) -> Result<f64> {
        self.step(draw)?;
        let (mut steps, start) = (0, Instant::now());
        while start.elapsed().as_secs_f64() < seconds {
            self.step(draw)?;
            steps += 1;
        }
        Ok(1e3 * start.elapsed().as_secs_f64() / f64::from(steps))
    }
}

fn batch(network: Network, vocabulary: u32, draw: Draw, seed: u64) -> Samples {
    let mut numbers = Numbers(seed);
    let mut lists = || {
        Column::Sequence(Sequences {
            values: (0..ROWS * HISTORY).map(|_| numbers.id(draw, vocabulary)).collect(),
            offsets: (0..=ROWS).map(|row| (row * HISTORY) as u32).collect(),
            weights: None,
        })
    };
    let mut sequences = vec![lists()];
    if network == Network::Dien {
        sequences.push(lists());
    }
    let items = (0..ROWS).map(|_| numbers.id(draw, vocabulary)).collect();
    let labels = (0..ROWS).map(|_| f32::from(u8::from(numbers.next() < 0.5))).collect();
    Samples {
        rows: ROWS,
        labels: Some(labels),
        columns: std::iter::once(Column::Category(items)).chain(sequences).collect(),
        ..Samples::default()
    }
}

pub(super) fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let seconds = bench.seconds() / 2.0;
    tch::set_num_threads(i32::from(bench.threads));
    let vocabularies: &[u32] = if bench.quick { &[10_000, 100_000] } else { &[10_000, 100_000, 1_000_000, 10_000_000] };
    let ends = [vocabularies[0], vocabularies[vocabularies.len() - 1]];
    let mut rows = memory::measure(&ends, bench.threads)?;
    for network in Network::ALL {
        let steps = vocabularies.iter().map(|&vocabulary| Steps::new(network, vocabulary));
        let mut steps = steps.collect::<Result<Vec<_>>>()?;
        for draw in Draw::ALL {
            let mut sides: Vec<Side<'_>> = Vec::new();
            for steps in &mut steps {
                sides.push(Box::new(move || steps.time(draw, seconds)));
            }
            let figures = alternate(bench.rounds, &mut sides)?;
            let smallest = figures[0];
            rows.extend(vocabularies.iter().zip(figures).enumerate().map(|(index, (rows, figure))| {
                let work = format!("a step of {}, {rows} rows, {}", network.name(), draw.name());
                let peers = if index == 0 {
                    Vec::new()
                } else {
                    vec![Peer { name: format!("fain with {} rows", vocabularies[0]), figure: smallest }]
                };
                Row { peers, ..Row::new(work, Unit::Milliseconds, figure) }
            }));
        }
    }
    Ok(rows)
}
