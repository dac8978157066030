//! What is refused, and that the model is as it was.

use std::path::Path;

use fain_models::{ImportError, ImportProblem, WeightMapping, import_state, import_weights};
use tch::{Kind, Tensor};

use crate::support::{counted, counting, mapping, model, problems, state};

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
fn operations_say_what_they_need() {
    for (operation, problem) in [
        (
            "gates = { from = 'run', to = 'urn' }",
            "stacked has shape [4, 2], but a multiple of 3 rows, for the gates \"run\", is needed",
        ),
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
        (
            "operations.a.gates = { from = 'run', to = 'run' }",
            "gates = \"run\" to \"run\" is not allowed: a letter for",
        ),
        ("operations.a.gates = { from = 'run', to = 'ru' }", "gates = \"run\" to \"ru\" is not allowed: a letter for"),
        (
            "operations.a.gates = { from = 'rrn', to = 'nrr' }",
            "gates = \"rrn\" to \"nrr\" is not allowed: a letter for",
        ),
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
