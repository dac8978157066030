//! Steps with ever larger tables.

use std::time::Instant;

use anyhow::Result;
use fain_features::{Column, Samples, SchemaConfig, Sequences};
use fain_layers::Mode;
use fain_models::{FeatureSpace, Model, ModelConfig, ModelInput, named_tensors};
use fain_training::{Optimizer, OptimizerConfig};
use tch::{Device, Reduction, Tensor, nn};

use crate::bench::Bench;
use crate::figures::{Peer, Row, Unit};
use crate::rounds::{Side, alternate};

pub(super) const ABOUT: &str = "A training step of DIN (embeddings of 16 with sparse gradients, attention 64-32, \
     network 256-128, batch 1,024 with 50 events each, Adam) whose table of items grows. Ids are drawn evenly, so that nearly every look-up of a large \
     table misses the caches.";

const ROWS: usize = 1024;
const HISTORY: usize = 50;
/// Different batches, so that a step finds other rows than the one before.
const BATCHES: u64 = 16;

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

struct Steps {
    model: Box<dyn Model>,
    optimizer: Optimizer,
    batches: Vec<Samples>,
    next: usize,
    // The model's tensors live as long as this.
    _variables: nn::VarStore,
}

impl Steps {
    fn new(vocabulary: u32) -> Result<Self> {
        let space = FeatureSpace::new(&toml::from_str::<SchemaConfig>(SCHEMA)?.check()?, &[vocabulary as usize]);
        let config: ModelConfig = toml::from_str(MODEL)?;
        tch::manual_seed(1);
        let variables = nn::VarStore::new(Device::Cpu);
        let model = config.build(&variables.root(), &space)?;
        let trainable = named_tensors(&variables).into_iter().filter(|(_, tensor)| tensor.requires_grad()).collect();
        let optimizer = Optimizer::new(trainable, OptimizerConfig::default())?;
        let batches = (1..=BATCHES).map(|seed| batch(vocabulary, seed)).collect();
        Ok(Self { model, optimizer, batches, next: 0, _variables: variables })
    }

    fn step(&mut self) -> Result<()> {
        let samples = &self.batches[self.next];
        self.next = (self.next + 1) % self.batches.len();
        let input = ModelInput::new(samples, Device::Cpu)?;
        let labels = Tensor::f_from_slice(samples.labels.as_deref().unwrap_or_default())?;
        let logits = self.model.forward(&input, Mode::Training)?.logits;
        let loss = logits.f_binary_cross_entropy_with_logits::<Tensor>(&labels, None, None, Reduction::Mean)?;
        self.optimizer.backward_step(&loss)?;
        Ok(())
    }

    /// Milliseconds of a step.
    fn time(&mut self, seconds: f64) -> Result<f64> {
        self.step()?;
        let (mut steps, start) = (0, Instant::now());
        while start.elapsed().as_secs_f64() < seconds {
            self.step()?;
            steps += 1;
        }
        Ok(1e3 * start.elapsed().as_secs_f64() / f64::from(steps))
    }
}

/// A batch from a linear congruential sequence.
fn batch(vocabulary: u32, seed: u64) -> Samples {
    let mut state = seed;
    let mut draw = |below: u32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % u64::from(below)) as u32
    };
    let history = Sequences {
        values: (0..ROWS * HISTORY).map(|_| draw(vocabulary)).collect(),
        offsets: (0..=ROWS).map(|row| (row * HISTORY) as u32).collect(),
        weights: None,
    };
    let items = (0..ROWS).map(|_| draw(vocabulary)).collect();
    let labels = (0..ROWS).map(|_| draw(2) as f32).collect();
    Samples {
        rows: ROWS,
        labels: Some(labels),
        columns: vec![Column::Category(items), Column::Sequence(history)],
        ..Samples::default()
    }
}

pub(super) fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let seconds = bench.seconds() / 2.0;
    tch::set_num_threads(i32::from(bench.threads));
    let vocabularies: &[u32] = if bench.quick { &[10_000, 100_000] } else { &[10_000, 100_000, 1_000_000, 10_000_000] };
    let mut steps = vocabularies.iter().map(|&vocabulary| Steps::new(vocabulary)).collect::<Result<Vec<_>>>()?;
    let mut sides: Vec<Side<'_>> = Vec::new();
    for steps in &mut steps {
        sides.push(Box::new(move || steps.time(seconds)));
    }
    let figures = alternate(bench.rounds, &mut sides)?;
    let smallest = figures[0];
    let rows = vocabularies.iter().zip(figures).enumerate().map(|(index, (rows, figure))| {
        let row = Row::new(format!("a step, {rows} rows"), Unit::Milliseconds, figure);
        let peers = if index == 0 {
            Vec::new()
        } else {
            vec![Peer { name: format!("fain with {} rows", vocabularies[0]), figure: smallest }]
        };
        Row { peers, ..row }
    });
    Ok(rows.collect())
}
