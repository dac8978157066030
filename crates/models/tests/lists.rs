//! Lists with weights, and the times of histories.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fain_features::{Column, Samples, Schema, SchemaConfig, Sequences, Times};
use fain_layers::Mode;
use fain_models::{FeatureEmbeddings, FeatureSpace, Model, ModelConfig, ModelInput, named_tensors};
use tch::{Device, Kind, Tensor, nn};

const SCHEMA: &str = r#"
    label = "click"
    features.item = { kind = "category" }
    features.items = { kind = "sequence", vocabulary = "item", max_length = 50 }
    features.tags = { kind = "sequence", weight_separator = ":", max_length = 50 }
"#;

const TIMES: &str = r#"features.times = { kind = "times", max_length = 50 }"#;
const KINDS: [&str; 8] = ["base", "wide_deep", "deepfm", "pnn", "din", "dien", "dsin", "bst"];

fn schema(own: &str) -> Schema {
    toml::from_str::<SchemaConfig>(&format!("{SCHEMA}\n{own}")).unwrap().check().unwrap()
}

fn settings(kind: &str, own: &str) -> ModelConfig {
    let interests = match kind {
        "base" | "wide_deep" | "deepfm" | "pnn" => "",
        _ if own.contains("interests") => "",
        _ => "interests = [{ candidate = [\"item\"], history = [\"items\"] }]",
    };
    let heads = if matches!(kind, "dsin" | "bst") { "transformer = { heads = 2 }" } else { "" };
    let common = "embedding = { dim = 4, std = 0.5 }\nmlp = { hidden = [5], activation = \"leaky_relu\" }";
    let text = format!("kind = \"{kind}\"\n{common}\n{heads}\n{interests}\n{own}");
    toml::from_str(&text).unwrap()
}

fn build(config: &ModelConfig, schema: &Schema) -> (Box<dyn Model>, nn::VarStore) {
    let variables = nn::VarStore::new(Device::Cpu);
    let model = config.build(&variables.root(), &FeatureSpace::new(schema, &[6, 5])).unwrap();
    // Fixed numbers, so that no other test's draws matter.
    tch::no_grad(|| {
        for (index, (_, tensor)) in named_tensors(&variables).into_iter().enumerate() {
            if tensor.requires_grad() {
                let entries = Tensor::arange(tensor.numel() as i64, (Kind::Float, Device::Cpu));
                let waves = ((entries * 1.7 + index as f64) * 0.9).sin() * 0.4;
                tensor.shallow_clone().copy_(&waves.reshape(tensor.size()));
            }
        }
    });
    (model, variables)
}

/// Four rows; the third has neither history nor tags.
fn samples(weights: &[f32]) -> Samples {
    let items = Sequences { values: vec![1, 2, 3, 4, 5, 1], offsets: vec![0, 3, 4, 4, 6], weights: None };
    let tags = Sequences { values: vec![1, 2, 4, 3, 0], offsets: vec![0, 2, 3, 3, 5], weights: Some(weights.to_vec()) };
    Samples {
        rows: 4,
        columns: vec![Column::Category(vec![1, 2, 3, 4]), Column::Sequence(items), Column::Sequence(tags)],
        ..Samples::default()
    }
}

fn with_times(values: &[i64]) -> Samples {
    let mut samples = samples(&[1.0; 5]);
    samples.columns.push(Column::Times(Times { values: values.to_vec(), offsets: vec![0, 3, 4, 4, 6] }));
    samples
}

/// The lists of a column that has some.
fn list(samples: &mut Samples, column: usize) -> &mut Sequences {
    match &mut samples.columns[column] {
        Column::Sequence(lists) => Some(lists),
        _ => None,
    }
    .unwrap()
}

fn logits(model: &dyn Model, samples: &Samples) -> Vec<f32> {
    fain_models::logits(model, samples, Device::Cpu).unwrap()
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.detach().reshape([-1])).unwrap()
}

#[test]
fn weights_of_one_count_as_none() {
    for kind in KINDS {
        for pooling in ["mean", "sum"] {
            let own = format!("pooling = \"{pooling}\"");
            let (model, _) = build(&settings(kind, &own), &schema(""));
            let weighted = logits(model.as_ref(), &samples(&[1.0; 5]));

            let plain_schema: SchemaConfig = toml::from_str(&SCHEMA.replace("weight_separator = \":\", ", "")).unwrap();
            let (plain_model, _) = build(&settings(kind, &own), &plain_schema.check().unwrap());
            let mut plain = samples(&[1.0; 5]);
            list(&mut plain, 2).weights = None;
            assert_eq!(weighted, logits(plain_model.as_ref(), &plain), "{kind} {pooling}");
            assert_ne!(weighted, logits(model.as_ref(), &samples(&[1.0, 3.0, 1.0, 1.0, 2.0])), "{kind} {pooling}");
        }
    }
}

#[test]
fn a_mean_is_divided_by_the_weights_and_a_sum_is_not() {
    let (schema, config) = (schema(""), settings("base", "pooling = \"mean\""));
    let space = FeatureSpace::new(&schema, &[6, 5]);
    let store = nn::VarStore::new(Device::Cpu);
    let embeddings = FeatureEmbeddings::new(&store.root(), &space, config.embedding()).unwrap();
    let table = numbers(&store.variables()["tags.weight"]);
    let input = ModelInput::new(&samples(&[0.5, 1.5, 2.0, 0.0, 0.0]), Device::Cpu).unwrap();
    let row = |id: usize| &table[4 * id..4 * id + 4];
    let sum: Vec<f32> = row(1).iter().zip(row(2)).map(|(a, b)| 0.5 * a + 1.5 * b).collect();
    for (pooling, first, second) in [(fain_layers::Pooling::Sum, 1.0, 2.0), (fain_layers::Pooling::Mean, 0.5, 1.0)] {
        let pooled = numbers(&embeddings.flat(&input, 2, pooling).unwrap());
        let expected: Vec<f32> = sum.iter().map(|x| x * first).chain(row(4).iter().map(|x| x * second)).collect();
        for (got, expected) in pooled.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-6, "{pooling:?}: {got} {expected}");
        }
        // Without tags, and with tags that weigh nothing.
        assert_eq!(pooled[8..], [0.0; 8]);
    }
}

#[test]
fn the_linear_part_counts_an_entry_by_its_weight() {
    let (model, variables) = build(&settings("deepfm", ""), &schema(""));
    tch::no_grad(|| {
        for (name, tensor) in variables.variables() {
            if name == "first_order.tags.weight" {
                tensor.shallow_clone().copy_(&Tensor::from_slice(&[10.0f32, 1.0, 2.0, 3.0, 4.0]).reshape([5, 1]));
            } else {
                let _zero = tensor.shallow_clone().zero_();
            }
        }
    });
    assert_eq!(logits(model.as_ref(), &samples(&[0.5, 2.0, 3.0, 1.0, 0.25])), [4.5, 12.0, 0.0, 5.5]);
}

#[test]
fn what_has_weights_is_neither_a_history_nor_has_a_largest_term() {
    for (kind, own, expected) in [
        (
            "deepfm",
            "pooling = \"max\"",
            "model.pooling is max; allowed: `sum` or `mean`, because the terms of the feature `tags`",
        ),
        ("base", "pooling = { padded_max = 3 }", "model.pooling is padded_max = 3; allowed: `sum` or `mean`"),
        (
            "din",
            "interests = [{ candidate = [\"item\"], history = [\"tags\"] }]",
            "model.interests.0.history is `tags`, whose terms have weights; allowed: a sequence without weights (no schema",
        ),
    ] {
        let message = settings(kind, own).check(&schema("")).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message}");
    }
    // A list whose weights got lost on the way is not read as if they were 1.
    let (model, _) = build(&settings("base", ""), &schema(""));
    let mut lost = samples(&[1.0; 5]);
    list(&mut lost, 2).weights = None;
    let message = fain_models::logits(model.as_ref(), &lost, Device::Cpu).unwrap_err().to_string();
    assert_eq!(message, "the batch's column tags is a sequence, but the model was built for a weighted sequence");
}

const GAP: &str = r#"
    session_gap = "1m"
    limits = { sessions = 2, events = 10 }
    interests = [{ candidate = ["item"], history = ["items"], times = "times" }]
"#;

#[test]
fn dsin_divides_a_history_where_nothing_happened() {
    let (model, _) = build(&settings("dsin", GAP), &schema(TIMES));
    let together = logits(model.as_ref(), &with_times(&[10, 20, 80, 5, 7, 7]));
    // The same gaps at other times are the same sessions.
    assert_eq!(together, logits(model.as_ref(), &with_times(&[10, 11, 12, 500, -7, -7])));
    let apart = logits(model.as_ref(), &with_times(&[10, 71, 80, 5, 7, 7]));
    assert_ne!(together[..1], apart[..1]);
    assert_eq!(together[1..], apart[1..], "the other rows' sessions are as before");

    // One session, as if sessions were counted.
    let counted = GAP.replace("session_gap = \"1m\"", "").replace(", times = \"times\"", "");
    let (counted, _) = build(&settings("dsin", &counted), &schema(""));
    let mut plain = with_times(&[]);
    plain.columns.truncate(3);
    assert_eq!(together, logits(counted.as_ref(), &plain));

    let graph = model.graph();
    let times = graph.nodes().iter().position(|node| node.kind == "times: times").unwrap();
    assert!(graph.nodes().iter().any(|node| node.from.contains(&times)));
}

#[test]
fn times_belong_to_their_history() {
    let (model, _) = build(&settings("dsin", GAP), &schema(TIMES));
    let refused = |samples: &Samples| {
        let input = ModelInput::new(samples, Device::Cpu).unwrap();
        model.forward(&input, Mode::Evaluation).unwrap_err().to_string()
    };
    let message = refused(&with_times(&[10, 5, 80, 5, 7, 7]));
    assert!(message.ends_with("event 1 has 5 after 10"), "{message}");
    let mut other = with_times(&[1, 2, 3, 4, 5]);
    other.columns[3] = Column::Times(Times { values: vec![1, 2, 3, 4, 5], offsets: vec![0, 2, 3, 3, 5] });
    let message = refused(&other);
    assert!(message.contains("row 0 of the batch has 3 events in the one and 2 in the other"), "{message}");
    let config = settings("dsin", GAP);
    assert_eq!(config.equal_lengths(), [vec!["items".to_owned(), "times".to_owned()]]);

    // Where the shortest list counts, the times are cut with their history.
    let shortest = GAP.replace("times = \"times\"", "times = \"times\", lengths = \"shortest\"");
    let (model, _) = build(&settings("dsin", &shortest), &schema(TIMES));
    let mut cut = with_times(&[]);
    cut.columns[3] = Column::Times(Times { values: vec![10, 80, 3, 7, 9, 10], offsets: vec![0, 2, 3, 3, 6] });
    assert_eq!(list(&mut cut, 1).offsets, [0, 3, 4, 4, 6]);
    let mut same = with_times(&[10, 80, 3, 7, 9]);
    same.columns[1] =
        Column::Sequence(Sequences { values: vec![1, 2, 4, 5, 1], offsets: vec![0, 2, 3, 3, 5], weights: None });
    same.columns[3] = Column::Times(Times { values: vec![10, 80, 3, 7, 9], offsets: vec![0, 2, 3, 3, 5] });
    assert_eq!(logits(model.as_ref(), &cut), logits(model.as_ref(), &same));
}

#[test]
fn times_are_read_where_they_are_asked_for_only() {
    let interest = |times: &str| format!("interests = [{{ candidate = [\"item\"], history = [\"items\"]{times} }}]");
    let own = |gap: &str, times: &str| format!("{gap}\n{}", interest(times));
    for (kind, own, expected) in [
        ("base", String::new(), "schema.features.times is times; allowed: a feature that the model reads"),
        ("deepfm", String::new(), "schema.features.times is times; allowed: a feature that the model reads"),
        ("wide_deep", "wide = [\"times\"]".to_owned(), "schema.features.times is times; allowed: a feature that"),
        (
            "din",
            own("", ", times = \"times\""),
            "model.interests.0.times is `times`; allowed: nothing: they are read by DSIN",
        ),
        ("dien", own("", ", times = \"times\""), "model.interests.0.times is `times`; allowed: nothing"),
        ("bst", own("", ", times = \"times\""), "model.interests.0.times is `times`; allowed: nothing"),
        ("dsin", own("", ", times = \"times\""), "model.interests.0.times is `times`; allowed: nothing"),
        (
            "dsin",
            own("session_gap = 60", ""),
            "model.interests.0.times is missing; allowed: a feature of times for each",
        ),
        (
            "dsin",
            own("session_gap = 60", ", times = \"items\""),
            "model.interests.0.times is `items`; allowed: a feature of times: times",
        ),
        (
            "dsin",
            own("session_gap = 60\nbias = [\"times\"]", ", times = \"times\""),
            "model.bias.0 is `times`; allowed: a feature: item, items, tags",
        ),
        (
            "dsin",
            own("session_gap = 60\nblocks = [{ feature = \"times\" }]", ", times = \"times\""),
            "model.blocks.0 is `times`; allowed: a feature: item, items, tags",
        ),
    ] {
        let message = settings(kind, &own).check(&schema(TIMES)).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{kind}: {message}");
    }
}
