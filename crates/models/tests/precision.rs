//! Every kind of model under bfloat16 autocast, beside float32.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fain_autograd::{Precision, autocast};
use fain_features::{Column, Samples, SchemaConfig, Sequences};
use fain_layers::Mode;
use fain_models::{FeatureSpace, Model, ModelConfig, ModelInput, Output, complete, named_tensors};
use tch::{Device, Kind, Reduction, Tensor, nn};

const SCHEMA: &str = r#"
    label = "click"
    features.user = { kind = "category" }
    features.item = { kind = "category" }
    features.items = { kind = "sequence", vocabulary = "item", max_length = 20 }
    features.others = { kind = "sequence", vocabulary = "item", max_length = 20 }
    features.price = { kind = "numeric" }
    features.age = { kind = "numeric" }
"#;

const PAPER: &str = "preset = \"paper\"";

/// Kinds, presets, and the settings that choose another way through a layer.
const MODELS: [(&str, &str); 38] = [
    ("base", ""),
    ("base", "numbers = { width = 5 }\nbias = [\"item\"]\npooling = \"max\""),
    ("wide_deep", "crosses = [{ features = [\"user\", \"item\"] }]"),
    ("wide_deep", PAPER),
    ("deepfm", ""),
    ("deepfm", PAPER),
    ("pnn", ""),
    ("pnn", "product = { outer = { kernels = 3 } }"),
    ("din", ""),
    ("din", PAPER),
    ("din", "preset = \"authors\""),
    ("din", "preset = \"torch_rechub\""),
    ("din", "preset = \"keras\""),
    ("din", "preset = \"pair\""),
    ("din", "preset = \"pair_gru\"\nstates = [{ candidate = [\"item\"], history = [\"items\"] }]"),
    ("din", "attention = { scoring = \"bilinear\", normalization = \"softmax\" }"),
    ("din", "attention = { scoring = \"inner_product\", normalization = \"softmax\" }"),
    ("din", "attention = { projection = \"dense_prelu\" }"),
    ("din", "attention = { activation = \"dice_affine\", batch_norm = true }"),
    ("din", "mlp = { hidden = [7, 5], activation = \"dice_per_sample\", input_norm = \"batch_norm\" }"),
    ("din", "mlp = { hidden = [7, 5], activation = \"prelu_per_unit\", dropout = 0.3 }"),
    ("din", "mlp = { hidden = [7, 5], activation = \"linear\" }"),
    ("dien", ""),
    ("dien", PAPER),
    ("dien", "preset = \"authors\""),
    ("dien", "preset = \"notebook\""),
    ("dien", "evolution = \"gru\""),
    ("dien", "evolution = \"aigru\"\nreset = \"before\""),
    ("dien", "evolution = \"agru\"\nreset = \"before\""),
    ("dien", "evolution = \"augru_official\"\nreset = \"before\"\nauxiliary = { scorer = \"inner_product\" }"),
    ("dien", "auxiliary = { scorer = \"mlp\", hidden = [6], activation = \"dice\" }"),
    ("dien", "auxiliary = { scorer = \"mlp\", hidden = [6], activation = \"sigmoid\", input_norm = \"batch_norm\" }"),
    ("dsin", ""),
    ("dsin", "transformer = { heads = 2, layer_norm = false, dropout = 0.2 }"),
    ("bst", ""),
    ("bst", PAPER),
    ("bst", "positions = \"add\"\noutput = \"candidate\"\ntransformer_blocks = 2"),
    ("bst", "transformer = { heads = 2, layer_norm = false, activation = \"relu\" }"),
];

struct Case {
    name: String,
    /// Whether it has dropout, which draws anew in every run.
    draws: bool,
    model: Box<dyn Model>,
    variables: nn::VarStore,
}

impl Case {
    fn new(kind: &str, own: &str) -> Self {
        let mut text = format!("kind = \"{kind}\"\nembedding = {{ dim = 8, std = 0.3 }}\n{own}\n");
        if !own.contains("mlp = { hidden = [7") {
            text.push_str("mlp.hidden = [16, 8]\n");
        }
        let mut table: toml::Table = text.parse().unwrap();
        complete(&mut table).unwrap();
        if matches!(kind, "din" | "dien" | "dsin" | "bst") {
            let negative = if table.contains_key("auxiliary") { "negative = [\"others\"]" } else { "" };
            let interest = format!("candidate = [\"item\"]\nhistory = [\"items\"]\n{negative}");
            let interest: toml::Table = interest.parse().unwrap();
            table.insert("interests".to_owned(), vec![interest].into());
        }
        let written = table.to_string();
        let draws = written.lines().any(|line| line.starts_with("dropout = ") && line != "dropout = 0.0");
        let config: ModelConfig = table.try_into().unwrap();
        let schema = toml::from_str::<SchemaConfig>(SCHEMA).unwrap().check().unwrap();
        let variables = nn::VarStore::new(Device::Cpu);
        let model = config.build(&variables.root(), &FeatureSpace::new(&schema, &[9, 12])).unwrap();
        // Numbers of no order, the same in every run, of the size that they are drawn with.
        tch::no_grad(|| {
            for (index, (_, tensor)) in named_tensors(&variables).into_iter().enumerate() {
                if tensor.requires_grad() {
                    let places = Tensor::arange(tensor.numel() as i64, (Kind::Double, Device::Cpu));
                    let waves = ((places + 1.0) * 12.9898 + index as f64 * 78.233).sin() * 0.4;
                    tensor.shallow_clone().copy_(&waves.reshape(tensor.size()));
                }
            }
        });
        Self { name: format!("{kind} {own}"), draws, model, variables }
    }

    fn all() -> impl Iterator<Item = Self> {
        MODELS.iter().map(|(kind, own)| Self::new(kind, own))
    }

    fn run(&self, samples: &Samples, mode: Mode, precision: Precision) -> Output {
        let input = ModelInput::new(samples, Device::Cpu).unwrap();
        autocast(Device::Cpu, precision, || self.model.forward(&input, mode)).unwrap().unwrap()
    }

    /// The gradients by the click loss and the auxiliary one, with names.
    fn gradients(&self, samples: &Samples, mode: Mode, precision: Precision) -> Vec<(String, Tensor)> {
        let Output { logits, auxiliary } = self.run(samples, mode, precision);
        let labels = Tensor::arange(logits.size()[0], (Kind::Float, Device::Cpu)).remainder(2.0);
        let mut loss = logits.binary_cross_entropy_with_logits::<Tensor>(&labels, None, None, Reduction::Mean);
        if let Some(auxiliary) = auxiliary {
            assert_eq!(auxiliary.kind(), Kind::Float, "{}", self.name);
            loss += auxiliary;
        }
        for variable in &mut self.variables.trainable_variables() {
            variable.zero_grad();
        }
        loss.backward();
        let learned = named_tensors(&self.variables).into_iter().filter(|(_, tensor)| tensor.requires_grad());
        let of = learned.map(|(name, tensor)| (name, tensor.grad())).filter(|(_, of)| of.defined());
        of.map(|(name, of)| (name, of.copy())).collect()
    }
}

/// `lengths` of histories; everything else hangs on the row.
fn samples(lengths: &[u32]) -> Samples {
    let rows = lengths.len() as u32;
    let mut offsets = vec![0];
    for length in lengths {
        offsets.push(offsets[offsets.len() - 1] + length);
    }
    let events = offsets[lengths.len()];
    let list = |step: u32| {
        let values = (0..events).map(|event| (event * step + 1) % 12).collect();
        Column::Sequence(Sequences { values, offsets: offsets.clone(), weights: None })
    };
    let columns = vec![
        Column::Category((0..rows).map(|row| row * 2 % 9).collect()),
        Column::Category((0..rows).map(|row| row * 5 % 12).collect()),
        list(5),
        list(7),
        Column::Numeric((0..rows).map(|row| (row as f32 * 0.7).sin()).collect()),
        Column::Numeric((0..rows).map(|row| (row as f32 * 1.9).cos()).collect()),
    ];
    Samples { rows: lengths.len(), columns, ..Samples::default() }
}

fn numbers(tensor: &Tensor) -> Vec<f64> {
    Vec::<f64>::try_from(tensor.detach().to_kind(Kind::Double).reshape([-1])).unwrap()
}

const LENGTHS: [u32; 12] = [3, 0, 7, 1, 12, 2, 0, 5, 4, 1, 9, 6];

/// How far a logit of bfloat16 may lie from that of float32, by the largest logit; bfloat16 itself has steps of 1/256.
const TOLERANCE: f64 = 0.03;

#[test]
fn logits_are_those_of_float32_as_far_as_bfloat16_goes() {
    for case in Case::all() {
        let logits = |precision| case.run(&samples(&LENGTHS), Mode::Evaluation, precision).logits;
        let (single, mixed) = (logits(Precision::Float32), logits(Precision::BFloat16));
        assert_eq!(mixed.kind(), Kind::Float, "{}", case.name);
        assert_ne!(numbers(&single), numbers(&mixed), "{}: nothing was computed in bfloat16", case.name);
        let largest = single.abs().max().double_value(&[]).max(1.0);
        let apart = (&single - &mixed).abs().max().double_value(&[]) / largest;
        assert!(apart < TOLERANCE, "{}: {apart}", case.name);
        assert_eq!(numbers(&mixed), numbers(&logits(Precision::BFloat16)), "{}", case.name);
    }
}

#[test]
fn every_parameter_that_learns_in_float32_learns() {
    for case in Case::all() {
        let mode = if case.draws { Mode::Evaluation } else { Mode::Training };
        let gradients = |precision| case.gradients(&samples(&LENGTHS), mode, precision);
        let (single, mixed) = (gradients(Precision::Float32), gradients(Precision::BFloat16));
        assert_eq!(single.len(), mixed.len(), "{}", case.name);
        let (mut apart, mut whole) = (0.0, 0.0);
        for ((name, single), (_, mixed)) in single.iter().zip(&mixed) {
            let of = format!("{}: {name}", case.name);
            assert_eq!((single.kind(), mixed.kind()), (Kind::Float, Kind::Float), "{of}");
            let (single, mixed) = (numbers(single), numbers(mixed));
            assert!(mixed.iter().all(|number| number.is_finite()), "{of}");
            apart += single.iter().zip(&mixed).map(|(single, mixed)| (single - mixed).powi(2)).sum::<f64>();
            whole += single.iter().map(|number| number.powi(2)).sum::<f64>();
        }
        let apart = (apart / whole).sqrt();
        assert!(apart < 0.1, "{}: {apart}", case.name);
        let again = gradients(Precision::BFloat16);
        for ((name, first), (_, second)) in mixed.iter().zip(&again) {
            assert_eq!(numbers(first), numbers(second), "{}: {name}", case.name);
        }
    }
}

#[test]
fn histories_may_be_empty_and_a_batch_may_be_one_row() {
    for case in Case::all() {
        for lengths in [&[0, 0, 0][..], &[0], &[4]] {
            let samples = samples(lengths);
            let (single, mixed) = (Precision::Float32, Precision::BFloat16);
            let [single, mixed] = [single, mixed].map(|it| case.run(&samples, Mode::Evaluation, it).logits);
            let apart = (&single - &mixed).abs().max().double_value(&[]);
            assert!(apart < TOLERANCE * single.abs().max().double_value(&[]).max(1.0), "{} {lengths:?}", case.name);
            for (name, gradient) in case.gradients(&samples, Mode::Evaluation, Precision::BFloat16) {
                assert!(numbers(&gradient).iter().all(|number| number.is_finite()), "{} {lengths:?} {name}", case.name);
            }
        }
        // Batch statistics take two rows.
        for (name, gradient) in case.gradients(&samples(&[0, 0, 0]), Mode::Training, Precision::BFloat16) {
            assert!(numbers(&gradient).iter().all(|number| number.is_finite()), "{} {name}", case.name);
        }
    }
}

#[test]
fn statistics_that_run_along_stay_float32() {
    let case = Case::new("din", "preset = \"torch_rechub\"");
    let _moved = case.run(&samples(&LENGTHS), Mode::Training, Precision::BFloat16);
    let running: Vec<_> = named_tensors(&case.variables).into_iter().filter(|(_, of)| !of.requires_grad()).collect();
    assert!(!running.is_empty());
    for (name, tensor) in running {
        assert_eq!(tensor.kind(), Kind::Float, "{name}");
        assert!(numbers(&tensor).iter().any(|number| number.fract() != 0.0), "{name} has not moved");
    }
}
