//! Weights of other programs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;

use fain_models::{
    ImportError, ImportProblem, ImportReport, StateDict, WeightMapping, import_state, import_weights, named_tensors,
};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use tch::{Device, Kind, Tensor, nn};

/// Variables that are all 0.5.
fn model(sizes: &[(&str, &[i64])]) -> nn::VarStore {
    let variables = nn::VarStore::new(Device::Cpu);
    for (name, size) in sizes {
        let parts: Vec<&str> = name.split('.').collect();
        let path = parts[..parts.len() - 1].iter().fold(variables.root(), |path, part| &path / part);
        let _ = path.var(parts[parts.len() - 1], size, nn::Init::Const(0.5));
    }
    variables
}

/// 0, 1, 2, … in a shape.
fn counting(size: &[i64], kind: Kind) -> Tensor {
    Tensor::arange(size.iter().product::<i64>(), (Kind::Int64, Device::Cpu)).reshape(size).to_kind(kind)
}

fn state(tensors: Vec<(&str, Tensor)>) -> StateDict {
    StateDict::new("theirs", tensors.into_iter().map(|(name, tensor)| (name.to_owned(), tensor)).collect())
}

/// A state dict of tensors that count from 0.
fn counted(sizes: &[(&str, &[i64])]) -> StateDict {
    state(sizes.iter().map(|(name, size)| (*name, counting(size, Kind::Float))).collect())
}

fn mapping(text: &str) -> WeightMapping {
    WeightMapping::parse(text, "mapping.toml").unwrap()
}

fn numbers(variables: &nn::VarStore, name: &str) -> Vec<f64> {
    let variables = variables.variables();
    Vec::<f64>::try_from(variables[name].detach().to_kind(Kind::Double).reshape([-1])).unwrap()
}

fn pairs(report: &ImportReport) -> Vec<(&str, &str)> {
    report.tensors.iter().map(|tensor| (tensor.ours.as_str(), tensor.theirs.as_str())).collect()
}

/// The problems of an import, which leaves the model as it is.
fn problems(variables: &nn::VarStore, state: &StateDict, mapping: &WeightMapping) -> Vec<ImportProblem> {
    let before: Vec<Tensor> = named_tensors(variables).iter().map(|(_, tensor)| tensor.copy()).collect();
    let Err(ImportError::Mismatch { problems, .. }) = import_state(variables, state, mapping) else {
        panic!("no mismatch");
    };
    for ((name, after), before) in named_tensors(variables).iter().zip(&before) {
        assert_eq!(after, before, "{name}");
    }
    problems
}

#[test]
fn names_are_found_by_whole_names_then_prefixes_then_suffixes() {
    let sizes: [(&str, &[i64]); 8] = [
        ("embedding.item.weight", &[3, 2]),
        ("interest0.extractor.weight_ih", &[6, 2]),
        ("interest0.evolution.bias_hh", &[6]),
        ("interest1.extractor.weight_ih", &[6, 2]),
        ("interest1.evolution.bias_hh", &[6]),
        ("interest1.evolution.other", &[1]),
        ("mlp.dense0.bias", &[4]),
        ("output.bias", &[1]),
    ];
    let model = model(&sizes);
    let theirs: [(&str, &[i64]); 9] = [
        ("embedding:item.weight", &[3, 2]),
        ("pooling:group1.interest_extractor.weight_ih_l0", &[6, 2]),
        ("pooling:group1.interest_evolution.rnn.bias_hh", &[6]),
        ("pooling:group2.interest_extractor.weight_ih_l0", &[6, 2]),
        ("pooling:group2.interest_evolution.bias_hh_l0", &[6]),
        ("pooling:group2.evolution.other", &[1]),
        ("mlp.mlp.dense0.bias", &[4]),
        ("output.bias", &[1]),
        ("mlp.mlp.batchnorm0.num_batches_tracked", &[]),
    ];
    let mapping = mapping(
        r#"
        [names]
        "embedding.*" = "embedding:*"
        "interest1.evolution.bias_*" = "pooling:group2.interest_evolution.bias_*_l0"
        [prefixes]
        "interest" = "never, as others are longer"
        "interest0." = "pooling:group1."
        "interest1." = "pooling:group2."
        "mlp." = "mlp.mlp."
        "no such." = "prefix in this configuration"
        [suffixes]
        "extractor.*" = "interest_extractor.*_l0"
        "evolution.*" = "evolution.never, as the next says more: *"
        "evolution.bias_*" = "interest_evolution.rnn.bias_*"
        "evolution.other" = "evolution.other"
        "none.*" = "*"
        [ignore]
        theirs = ["*.num_batches_tracked", "*.none"]
        "#,
    );
    let report = import_state(&model, &counted(&theirs), &mapping).unwrap();
    let expected: Vec<(&str, &str)> =
        sizes.iter().zip(theirs).map(|((ours, _), (theirs, _))| (*ours, theirs)).collect();
    let mut sorted = expected.clone();
    sorted.sort_unstable();
    assert_eq!(pairs(&report), sorted);
    assert_eq!(report.ignored, ["mlp.mlp.batchnorm0.num_batches_tracked"]);
    for (name, size) in sizes {
        let count = size.iter().product::<i64>();
        assert_eq!(numbers(&model, name), (0..count).map(|value| value as f64).collect::<Vec<_>>(), "{name}");
    }
    assert!(model.variables()["output.bias"].requires_grad());
}

#[test]
fn everything_that_does_not_fit_is_said_at_once() {
    let model = model(&[
        ("a.missing", &[2]),
        ("b.shape", &[2, 3]),
        ("c.turned", &[2, 3]),
        ("d.kind", &[2]),
        ("e.finite", &[4]),
        ("f.one", &[1]),
        ("f.two", &[1]),
        ("g.either", &[1]),
        ("h.vector", &[2]),
    ]);
    let theirs = state(vec![
        ("b.shape", counting(&[3, 2], Kind::Float)),
        ("c.turned", counting(&[2, 3], Kind::Float)),
        ("d.kind", counting(&[2], Kind::Int64)),
        ("e.finite", Tensor::from_slice(&[f64::NAN, f64::INFINITY, 1e300, 1.0])),
        ("f", counting(&[1], Kind::Float)),
        ("g.either", counting(&[1], Kind::Float)),
        ("h.vector", counting(&[2], Kind::Float)),
        ("extra", counting(&[1], Kind::Float)),
    ]);
    let mapping = mapping(
        r#"
        names = { "f.one" = "f", "f.two" = "f", "g.*er" = "x*", "g.ei*" = "y*", "no.such" = "extra" }
        prefixes = { "a." = "a." }
        suffixes = { "mising" = "other" }
        operations = { "c.*" = { transpose = true }, "h.vector" = { transpose = true }, "*.none" = { reshape = true } }
        ignore = { theirs = ["g.*", "exra"] }
        shared = { theirs = ["ff"] }
        "#,
    );
    let name = str::to_owned;
    let rule = |table, rule| ImportProblem::Rule { table, rule: name(rule) };
    let pair = |text: &str| (name(text), name(text));
    let shape = |text: &str, got: [i64; 2], prepared: [i64; 2]| {
        let (ours, theirs) = pair(text);
        ImportProblem::Shape { ours, theirs, got: got.to_vec(), prepared: prepared.to_vec(), needed: vec![2, 3] }
    };
    let problems = problems(&model, &theirs, &mapping);
    let expected = [
        rule("names", "no.such"),
        rule("suffixes", "mising"),
        rule("operations", "*.none"),
        rule("ignore", "exra"),
        rule("shared", "ff"),
        ImportProblem::Missing { ours: name("a.missing"), theirs: name("a.missing") },
        shape("b.shape", [3, 2], [3, 2]),
        shape("c.turned", [2, 3], [3, 2]),
        ImportProblem::Kind {
            ours: name("d.kind"),
            theirs: name("d.kind"),
            got: name("Int64"),
            needed: name("float16, bfloat16, float32 or float64"),
        },
        ImportProblem::NotFinite { ours: name("e.finite"), theirs: name("e.finite"), count: 3 },
        ImportProblem::Ambiguous {
            ours: name("g.either"),
            table: "names",
            first: name("g.*er"),
            second: name("g.ei*"),
        },
        ImportProblem::Operation {
            ours: name("h.vector"),
            theirs: name("h.vector"),
            problem: name("transpose needs a matrix, got [2]"),
        },
        ImportProblem::ReadTwice { theirs: name("f"), ours: vec![name("f.one"), name("f.two")] },
        ImportProblem::Extra { theirs: name("extra") },
    ];
    assert_eq!(problems, expected);
    let text = ImportError::Mismatch { origin: name("weights"), problems: problems[6..8].to_vec() }.to_string();
    assert_eq!(
        text,
        "weights: 2 problems in the weights\n  b.shape is [3, 2], but b.shape needs [2, 3]\n  c.turned is [2, 3], [3, 2] \
         after its operations, but c.turned needs [2, 3]"
    );
}

#[test]
fn operations_do_not_hide_another_shape() {
    let model = model(&[("all", &[3, 2]), ("first", &[1, 4])]);
    let theirs = counted(&[("all", &[2, 1, 3]), ("first", &[1, 8])]);
    let mapping = mapping(
        r#"
        [operations]
        "all" = { reshape = true }
        "first" = { columns = { widths = [1, 2, 3, 2], order = [[3, 1], 0, 2] } }
        "#,
    );
    let problems: Vec<String> = problems(&model, &theirs, &mapping).iter().map(ToString::to_string).collect();
    let first = "first is [1, 8], [1, 6] after its operations, but first needs [1, 4]";
    assert_eq!(problems, ["all is [2, 1, 3], but all needs [3, 2]", first]);
}

#[test]
fn numbers_after_operations() {
    let sizes: [(&str, &[i64]); 5] =
        [("turned", &[3, 2]), ("gru.weight", &[6, 1]), ("gru.bias", &[6]), ("slope", &[3]), ("first", &[2, 6])];
    let model = model(&sizes);
    let theirs = counted(&[
        ("turned", &[2, 3]),
        ("gru.weight", &[1, 6]),
        ("gru.bias", &[6]),
        ("slope", &[1, 3, 1]),
        ("first", &[2, 8]),
    ]);
    let mapping = mapping(
        r#"
        [operations]
        "turned" = { transpose = true }
        "gru.weight" = { transpose = true, gates = { from = "run", to = "nru" } }
        "gru.bias" = { gates = { from = "run", to = "urn" } }
        "slope" = { reshape = true }
        "first" = { columns = { widths = [1, 2, 3, 2], order = [[3, 1], 0, 2] } }
        "#,
    );
    import_state(&model, &theirs, &mapping).unwrap();
    let expected: [(&str, &[f64]); 5] = [
        ("turned", &[0.0, 3.0, 1.0, 4.0, 2.0, 5.0]),
        ("gru.weight", &[4.0, 5.0, 0.0, 1.0, 2.0, 3.0]),
        ("gru.bias", &[2.0, 3.0, 0.0, 1.0, 4.0, 5.0]),
        ("slope", &[0.0, 1.0, 2.0]),
        // Blocks of a row 0 … 7: 0 | 1 2 | 3 4 5 | 6 7.
        ("first", &[7.0, 9.0, 0.0, 3.0, 4.0, 5.0, 9.0 + 14.0, 10.0 + 15.0, 8.0, 11.0, 12.0, 13.0]),
    ];
    for (name, values) in expected {
        assert_eq!(numbers(&model, name), values, "{name}");
    }
}

#[test]
fn operations_say_what_they_need() {
    for (operation, problem) in [
        ("gates = { from = 'run', to = 'urn' }", "gates \"run\" need a multiple of 3 rows, got [4, 2]"),
        (
            "columns = { widths = [1, 2], order = [1, 0] }",
            "columns of widths [1, 2] need a matrix of 3 columns, got [4, 2]",
        ),
    ] {
        let mapping = mapping(&format!("operations.a = {{ {operation} }}"));
        let problems = problems(&model(&[("a", &[4, 2])]), &counted(&[("a", &[4, 2])]), &mapping);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].to_string(), format!("a for a: {problem}"));
    }
}

#[test]
fn a_tensor_may_be_shared_where_the_mapping_says_so() {
    let model = model(&[("a.weight", &[2]), ("b.weight", &[2])]);
    let mapping = mapping("names = { 'a.*' = 'both.*', 'b.*' = 'both.*' }\nshared.theirs = ['both.*']");
    let report = import_state(&model, &counted(&[("both.weight", &[2])]), &mapping).unwrap();
    assert_eq!(pairs(&report), [("a.weight", "both.weight"), ("b.weight", "both.weight")]);
    assert_eq!(numbers(&model, "b.weight"), [0.0, 1.0]);
}

/// A safetensors file with 1.5 and -2 in every kind.
fn file_of_all_kinds(names: &[(&str, Dtype)]) -> tempfile::NamedTempFile {
    let bytes = |dtype: Dtype| -> Vec<u8> {
        match dtype {
            Dtype::F16 => [0x3e00_u16, 0xc000].into_iter().flat_map(u16::to_le_bytes).collect(),
            Dtype::BF16 => [0x3fc0_u16, 0xc000].into_iter().flat_map(u16::to_le_bytes).collect(),
            Dtype::F32 => [1.5_f32, -2.0].into_iter().flat_map(f32::to_le_bytes).collect(),
            Dtype::F64 => [1.5_f64, -2.0].into_iter().flat_map(f64::to_le_bytes).collect(),
            _ => vec![0, 1],
        }
    };
    let tensors: Vec<(&str, Dtype, Vec<u8>)> =
        names.iter().map(|(name, dtype)| (*name, *dtype, bytes(*dtype))).collect();
    let views: BTreeMap<&str, TensorView<'_>> =
        tensors.iter().map(|(name, dtype, bytes)| (*name, TensorView::new(*dtype, vec![2], bytes).unwrap())).collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), safetensors::serialize(views, None).unwrap()).unwrap();
    file
}

#[test]
fn every_kind_of_float_is_converted() {
    let names = [("half", Dtype::F16), ("brain", Dtype::BF16), ("single", Dtype::F32), ("double", Dtype::F64)];
    let mut with_bool = names.to_vec();
    with_bool.push(("mask", Dtype::BOOL));
    for kind in [Kind::Float, Kind::Double] {
        let mut model = model(&names.map(|(name, _)| (name, [2_i64].as_slice())));
        model.set_kind(kind);
        let ignore = mapping("ignore.theirs = ['mask']");
        let report = import_weights(&model, file_of_all_kinds(&with_bool).path(), &ignore).unwrap();
        assert_eq!(report.ignored, ["mask"]);
        for (name, _) in names {
            assert_eq!(numbers(&model, name), [1.5, -2.0], "{name}");
            assert_eq!(model.variables()[name].kind(), kind);
        }
    }
    let error = import_weights(
        &model(&[("mask", &[2])]),
        file_of_all_kinds(&[("mask", Dtype::BOOL)]).path(),
        &WeightMapping::default(),
    );
    let error = error.unwrap_err().to_string();
    assert!(
        error.ends_with(
            ": 1 problem in the weights\n  mask for mask is BOOL; allowed: float16, bfloat16, float32 or float64"
        ),
        "{error}"
    );
}

#[test]
fn a_mapping_that_means_nothing_is_refused() {
    for (text, problem) in [
        ("nams = {}", "unknown field `nams`"),
        ("operations.a = { transposed = true }", "unknown field `transposed`"),
        ("operations.a = {}", "[operations] \"a\": names no operation; allowed: transpose, gates, columns, reshape"),
        ("operations.a = { transpose = false }", "names no operation"),
        ("names = { 'a.*' = 'b' }", "[names] \"a.*\" has 1 `*` and \"b\" has 0; allowed: as many in both"),
        ("suffixes = { 'a.*' = 'b' }", "[suffixes] \"a.*\" has 1 `*` and \"b\" has 0; allowed: as many in both"),
        ("prefixes = { 'a*' = 'b' }", "[prefixes] \"a*\"; allowed: a start of a name without `*`"),
        ("prefixes = { 'a' = 'b*' }", "[prefixes] \"b*\"; allowed"),
        ("operations.a.gates = { from = 'run', to = 'rnu', up = 1 }", "unknown field `up`"),
        ("operations.a.gates = { from = 'run', to = 'run' }", "gates from \"run\" to \"run\"; allowed: a letter for"),
        ("operations.a.gates = { from = 'run', to = 'ru' }", "gates from \"run\" to \"ru\"; allowed: a letter for"),
        ("operations.a.gates = { from = 'rrn', to = 'nrr' }", "gates from \"rrn\" to \"nrr\"; allowed: a letter for"),
        ("operations.a.columns = { widths = [], order = [] }", "columns of widths [] in the order []; allowed: widths"),
        ("operations.a.columns = { widths = [1, 0], order = [1, 0] }", "columns of widths [1, 0] in the order"),
        ("operations.a.columns = { widths = [1, 1], order = [1, 1] }", "in the order [1, 1]; allowed: widths"),
        (
            "operations.a.columns = { widths = [1, 2], order = [[0, 1]] }",
            "sum of the blocks [0, 1]; allowed: blocks of",
        ),
        ("operations.a.columns = { widths = [1], order = [0, []] }", "sum of the blocks []; allowed: blocks of one"),
    ] {
        let error = WeightMapping::parse(text, "mapping.toml").unwrap_err().to_string();
        assert!(error.starts_with("mapping.toml: ") && error.contains(problem), "{text}: {error}");
    }
    let unchecked = WeightMapping { prefixes: [("*".to_owned(), String::new())].into(), ..WeightMapping::default() };
    let error = import_state(&model(&[]), &counted(&[]), &unchecked).unwrap_err().to_string();
    assert!(error.starts_with("the mapping: [prefixes] \"*\""), "{error}");
}

#[test]
fn a_mapping_is_written_as_it_is_read() {
    let text = r#"
        prefixes = { "" = "module." }
        operations.a = { gates = { from = "run", to = "urn" }, columns = { widths = [2, 2, 1], order = [2, [0, 1]] } }
    "#;
    let mapping = mapping(text);
    let again = WeightMapping::parse(&toml::to_string(&mapping).unwrap(), "again").unwrap();
    assert_eq!(again, mapping);
    let model = model(&[("b.weight", &[2])]);
    let plain = WeightMapping { operations: BTreeMap::new(), ..mapping };
    let report = import_state(&model, &counted(&[("module.b.weight", &[2])]), &plain).unwrap();
    assert_eq!(pairs(&report), [("b.weight", "module.b.weight")]);
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let model = model(&[]);
    let error = |file: &Path| import_weights(&model, file, &WeightMapping::default()).unwrap_err().to_string();
    assert!(error(Path::new("no/file")).starts_with("cannot read no/file: "));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), b"no tensors").unwrap();
    assert!(error(file.path()).contains("is no valid safetensors file: "));
    let missing = WeightMapping::read(Path::new("no/mapping.toml")).unwrap_err().to_string();
    assert!(missing.starts_with("cannot read no/mapping.toml: "), "{missing}");
}

/// The example of the description is a mapping, and does what the description says.
#[test]
fn the_example_of_the_description_is_a_mapping() {
    let text = include_str!("../../../docs/formats/mapping.md");
    let example = text.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let mapping = mapping(example);
    let model = model(&[
        ("embedding.item.weight", &[5, 4]),
        ("interest0.extractor.weight_ih", &[12, 4]),
        ("interest0.evolution.weight_hh", &[12, 4]),
        ("interest1.evolution.weight_hh", &[12, 4]),
        ("mlp.dense0.weight", &[8, 12]),
        ("output.weight", &[1, 8]),
    ]);
    let theirs = counted(&[
        ("embedding:item.weight", &[5, 4]),
        ("attention_pooling:group1.interest_extractor.weight_ih_l0", &[12, 4]),
        ("attention_pooling:group1.interest_evolution.rnn.weight_hh", &[12, 4]),
        ("attention_pooling:group2.interest_evolution.weight_hh_l0", &[12, 4]),
        ("mlp.mlp.dense0.weight", &[8, 16]),
        ("mlp.mlp.batchnorm0.num_batches_tracked", &[]),
        ("final_layer.weight", &[1, 8]),
    ]);
    let report = import_state(&model, &theirs, &mapping).unwrap();
    assert_eq!(report.tensors.len(), 6);
    // Our first gate is their second: rows 4 to 7 of 12.
    assert_eq!(numbers(&model, "interest0.evolution.weight_hh")[..2], [16.0, 17.0]);
    assert_eq!(numbers(&model, "interest1.evolution.weight_hh")[..2], [0.0, 1.0]);
    // The item's columns stand first with us; they have them twice, from the 4th and from the 12th on.
    assert_eq!(numbers(&model, "mlp.dense0.weight")[..5], [4.0 + 12.0, 5.0 + 13.0, 6.0 + 14.0, 7.0 + 15.0, 0.0]);
}
