//! Settings and parts that are refused, and the presets.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Mutex, PoisonError};

use fain_layers::{Embedding, EmbeddingConfig, Linear, Mlp, MlpConfig, Pooling, ProductKind, ProductLayer};
use fain_models::{
    DeepComponent, DeepFm, FeatureEmbeddings, FeatureSpace, FirstOrder, ModelConfig, ModelError, Pnn, SpaceFeature,
    SpaceKind, WideDeep, complete,
};
use tch::{Device, nn};
use toml::Table;

use crate::support::{MODELS, settings, space};

/// The settings of a model with some more, from which those of the same key are taken out.
fn refused(name: &str, more: &str) -> String {
    let mut table: Table = settings(name).parse().unwrap();
    table.extend(more.parse::<Table>().unwrap());
    let variables = nn::VarStore::new(Device::Cpu);
    let config: ModelConfig = table.try_into().unwrap();
    let error = config.build(&variables.root(), &space()).unwrap_err().to_string();
    assert!(variables.is_empty(), "{name}: {more}");
    error
}

#[test]
fn a_refusal_names_the_key_and_what_is_allowed() {
    const ALL: &str = "user, item, shop, items, shops, words, price";
    for (name, more, expected) in [
        ("wide_deep", "wide = [\"user\", \"usr\"]", format!("model.wide.1 is `usr`; allowed: a feature: {ALL}")),
        ("wide_deep", "wide = [\"user\", \"user\"]", "model.wide.1 is `user`; allowed: each feature once".to_owned()),
        (
            "wide_deep",
            "crosses = [{ features = [\"user\"] }]",
            "model.crosses.0.features is [\"user\"]; allowed: at least two categories".to_owned(),
        ),
        (
            "wide_deep",
            "crosses = [{ features = [\"user\", \"items\"] }]",
            "model.crosses.0.features.1 is `items`; allowed: a category feature: user, item, shop".to_owned(),
        ),
        (
            "wide_deep",
            "crosses = [{ features = [\"user\", \"shop\", \"user\"] }]",
            "model.crosses.0.features.2 is `user`; allowed: each category once".to_owned(),
        ),
        (
            "wide_deep",
            "crosses = [{ features = [\"user\", \"shop\"], buckets = 0 }]",
            "model.crosses.0.buckets is 0; allowed: 1 to 2147483647".to_owned(),
        ),
        (
            "deepfm",
            "embedding = { dims = { item = 5 } }",
            "model.embedding.dims is {\"item\": 5} beside dim = 16; allowed: one width for all tables, because the model \
             multiplies their vectors"
                .to_owned(),
        ),
        (
            "opnn",
            "product = { outer = { kernels = 0 } }",
            "model.product.outer.kernels is 0; allowed: at least 1".to_owned(),
        ),
        (
            "dsin",
            "limits = { sessions = 0, events = 2 }",
            "model.limits.sessions is 0; allowed: at least 1".to_owned(),
        ),
        (
            "dsin",
            "transformer = { heads = 4 }",
            "model.transformer.heads is 4 for events of width 6; allowed: a number from 1 that divides the width"
                .to_owned(),
        ),
        (
            "bst",
            "transformer = { heads = 3 }",
            "model.transformer.heads is 3 for events of width 8; allowed: a number from 1 that divides the width"
                .to_owned(),
        ),
        ("bst", "max_length = 0", "model.max_length is 0; allowed: at least 1".to_owned()),
        ("bst", "transformer_blocks = 0", "model.transformer_blocks is 0; allowed: at least 1".to_owned()),
        (
            "bst",
            "positions = { concatenate = { width = 0 } }",
            "model.positions.concatenate.width is 0; allowed: at least 1".to_owned(),
        ),
    ] {
        assert_eq!(refused(name, more), expected, "{name}: {more}");
    }
    for name in ["dsin", "bst"] {
        let error = refused(name, "interests = []");
        let expected = "model.interests is empty; allowed: at least one interest with a candidate and a history";
        assert_eq!(error, expected, "{name}");
        let interest = r#"interests = [{ candidate = ["item"], history = ["items"], negative = ["items"] }]"#;
        assert!(refused(name, interest).starts_with("model.interests.0.negative is"), "{name}");
        assert!(refused(name, "bias = [\"item\", \"item\"]").starts_with("model.bias.1 is `item`"), "{name}");
    }
    for (name, _) in MODELS {
        assert_eq!(refused(name, "embedding = { dim = 0 }"), "model.embedding.dim is 0; allowed: at least 1", "{name}");
        assert!(refused(name, "mlp = { hidden = [] }").starts_with("model.mlp.hidden is []"), "{name}");
        assert_eq!(refused(name, "numbers = { width = 0 }"), "model.numbers.width is 0; allowed: at least 1", "{name}");
        let table = format!("misspelt = 1\n{}", settings(name)).parse::<Table>().unwrap();
        let error = table.try_into::<ModelConfig>().unwrap_err().to_string();
        assert!(error.contains("unknown field `misspelt`"), "{name}: {error}");
    }
}

/// One category of vocabulary 0 for each width, and a number.
fn categories(count: usize) -> FeatureSpace {
    let feature = |index: usize| SpaceFeature { name: format!("feature{index}"), kind: SpaceKind::Category(0) };
    let number = SpaceFeature { name: "number".to_owned(), kind: SpaceKind::Numeric };
    let features = (0..count).map(feature).chain([number]).collect();
    FeatureSpace::from_parts(features, vec![("ids".to_owned(), 4)]).unwrap()
}

/// A network over as many columns, on tables of these widths.
fn deep(variables: &nn::VarStore, space: &FeatureSpace, widths: &[i64], columns: i64) -> DeepComponent {
    // libtorch's generator belongs to the process, and no test here asks for its numbers; the lock keeps it from others.
    static DRAWS: Mutex<()> = Mutex::new(());
    let _draws = DRAWS.lock().unwrap_or_else(PoisonError::into_inner);
    let root = variables.root();
    let table = |(index, &dim): (usize, &i64)| {
        let config = EmbeddingConfig { dim, ..EmbeddingConfig::default() };
        Some(Embedding::new(&(&root / format!("table{index}")), 4, config).unwrap())
    };
    let tables = widths.iter().enumerate().map(table).chain([None]).collect();
    let mlp = Mlp::new(&(&root / "mlp"), columns, &MlpConfig { hidden: vec![3], ..MlpConfig::default() }).unwrap();
    let output = Linear::new(&(&root / "output"), 3, 1).unwrap();
    let embeddings = FeatureEmbeddings::from_tables(space.features(), tables).unwrap();
    DeepComponent { embeddings, pooling: Pooling::Mean, numbers: None, mlp, output }
}

fn message<T>(model: Result<T, ModelError>) -> String {
    model.err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let variables = nn::VarStore::new(Device::Cpu);
    let linear = |space: &FeatureSpace| FirstOrder::new(&(variables.root() / "linear"), space, &[0]).unwrap();
    let product = |fields: i64, width: i64| {
        ProductLayer::new(&(variables.root() / "product"), fields, width, ProductKind::Inner).unwrap()
    };

    let two = categories(2);
    let parts = |widths: &[i64], columns: i64| deep(&variables, &two, widths, columns);
    assert!(WideDeep::from_parts(&two, parts(&[2, 2], 5), linear(&two), Vec::new()).is_ok());
    let error = message(WideDeep::from_parts(&two, parts(&[2, 2], 4), linear(&two), Vec::new()));
    assert_eq!(error, "mlp: reads 4 columns, but there are 5");

    assert!(DeepFm::from_parts(&two, parts(&[2, 2], 5), linear(&two)).is_ok());
    let error = message(DeepFm::from_parts(&two, parts(&[2, 3], 6), linear(&two)));
    assert_eq!(error, "fields: feature1 has width 3, but feature0 has 2; products take one width");
    let one = categories(1);
    let error = message(DeepFm::from_parts(&one, deep(&variables, &one, &[2], 3), linear(&one)));
    assert_eq!(error, "fields: there are 1; products take at least 2 categories or sequences");

    assert!(Pnn::from_parts(&two, parts(&[2, 2], 6), product(2, 2)).is_ok());
    let error = message(Pnn::from_parts(&two, parts(&[2, 2], 5), product(2, 2)));
    assert_eq!(error, "mlp: reads 5 columns, but there are 6");
    let error = message(Pnn::from_parts(&two, parts(&[2, 2], 6), product(2, 3)));
    assert_eq!(error, "product: takes 2 fields of width 3, but there are 2 of width 2");
}

#[test]
fn one_field_has_no_product() {
    for (kind, product) in [("deepfm", ""), ("pnn", "product = \"inner\"")] {
        let variables = nn::VarStore::new(Device::Cpu);
        let config: ModelConfig = toml::from_str(&format!("kind = \"{kind}\"\n{product}")).unwrap();
        let error = config.build(&variables.root(), &categories(1)).unwrap_err().to_string();
        let expected = "schema.features is 1 categories and sequences; allowed: at least 2, because the model multiplies \
                        them";
        assert_eq!(error, expected, "{kind}");
    }
    // Tables of one width that is not `dim` are legal.
    let variables = nn::VarStore::new(Device::Cpu);
    let config: ModelConfig = toml::from_str("kind = \"deepfm\"\nembedding = { dims = { ids = 3 } }").unwrap();
    assert!(config.build(&variables.root(), &categories(2)).is_ok());
}

#[test]
fn presets_are_the_papers() {
    for (kind, dim, hidden, activation, dropout) in [
        ("wide_deep", 32, vec![1024, 512, 256], "relu", 0.0),
        ("deepfm", 10, vec![400, 400, 400], "relu", 0.5),
        ("bst", 16, vec![1024, 512, 256], "leaky_relu", 0.2),
    ] {
        let mut table: Table = format!("kind = \"{kind}\"\npreset = \"paper\"").parse().unwrap();
        complete(&mut table).unwrap();
        assert_eq!(table["embedding"]["dim"].as_integer(), Some(dim), "{kind}");
        let found: Vec<i64> =
            table["mlp"]["hidden"].as_array().unwrap().iter().filter_map(toml::Value::as_integer).collect();
        assert_eq!(found, hidden, "{kind}");
        assert_eq!(table["mlp"]["activation"].as_str(), Some(activation), "{kind}");
        assert_eq!(table["mlp"]["dropout"].as_float(), Some(dropout), "{kind}");
        assert!(toml::from_str::<ModelConfig>(&table.to_string()).is_ok(), "{kind}");
    }
}

#[test]
fn settings_are_written_as_they_are_read() {
    for (name, _) in MODELS {
        let config: ModelConfig = toml::from_str(&settings(name)).unwrap();
        let written = toml::to_string(&config).unwrap();
        assert_eq!(toml::from_str::<ModelConfig>(&written).unwrap(), config, "{written}");
        assert!(written.starts_with(&format!("kind = \"{}\"", config.name())), "{written}");
    }
}

/// Histories of one interest have equal lengths; lists that are pooled may differ.
#[test]
fn what_a_model_asks_of_the_data() {
    for (name, _) in MODELS {
        let config: ModelConfig = toml::from_str(&settings(name)).unwrap();
        let interests = name.starts_with("dsin") || name.starts_with("bst");
        let expected = if interests { vec![vec!["items".to_owned(), "shops".to_owned()]] } else { Vec::new() };
        assert_eq!(config.equal_lengths(), expected, "{name}");
        assert!(config.training_only().is_empty(), "{name}");
    }
}
