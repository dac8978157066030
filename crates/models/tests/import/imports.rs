//! What is taken in.

use std::collections::BTreeMap;

use fain_models::{WeightMapping, import_state, import_weights};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use tch::Kind;

use crate::support::{counted, mapping, model, numbers, pairs};

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

/// The example of the description is a mapping, and does what the description says.
#[test]
fn the_example_of_the_description_is_a_mapping() {
    let text = include_str!("../../../../docs/formats/mapping.md");
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
