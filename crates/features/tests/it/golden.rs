//! Encoders against numbers that another implementation gave.
use std::path::Path;

use crate::files::TestFile;
use crate::fitted::{encode, fit, schema};
use fain_features::{Column, Encoders, Missing, NumericEncoder, NumericFitter, Parts, Scaling};
use serde_json::Value;

const PAD: &str = "__PAD__";
const UNKNOWN: &str = "__UNKNOWN__";

fn cases(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    let mut golden: Value = serde_json::from_str(&text).unwrap();
    match golden["cases"].take() {
        Value::Array(cases) => cases,
        other => panic!("cases: {other}"),
    }
}

fn id(case: &Value) -> &str {
    case["id"].as_str().unwrap()
}

/// Golden terms are texts or integers; a CSV file has texts.
fn texts(values: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    values.as_array().unwrap().iter().map(text).collect()
}

fn numbers(values: &Value) -> Vec<Option<f64>> {
    values.as_array().unwrap().iter().map(Value::as_f64).collect()
}

/// A file with the one column `x`, and an empty label so that no row is blank.
fn file(values: &[String]) -> TestFile {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["label", "x"]).unwrap();
    for value in values {
        writer.write_record(["", value]).unwrap();
    }
    TestFile::new("x.csv", writer.into_inner().unwrap())
}

/// The dictionary of a golden case, as fain keeps it: its terms in the order of their ids.
///
/// The golden dictionaries have a padding at 0 and the unknown at the end. fain pads nothing, and its unknown
/// is 0, so that it stays put when a vocabulary grows; the other terms start at 1 in both. A missing value is
/// the unknown in fain and not a term of its own. The texts of the two marks are ordinary terms in fain.
fn kept_terms(case: &Value, seen: &[String]) -> Vec<String> {
    let dictionary = case["expected_word2idx"].as_array().unwrap();
    let mut terms: Vec<String> = texts(&dictionary.iter().map(|entry| entry[0].clone()).collect());
    terms.retain(|term| !term.is_empty() && (![PAD, UNKNOWN].contains(&term.as_str()) || seen.contains(term)));
    terms.sort_unstable();
    terms
}

/// Whether the ids of a golden case are fain's but for padding and unknown.
fn same_numbers(case: &Value, seen: &[String]) -> bool {
    let integers = case["expected_word2idx"][0][0].is_i64();
    let marks = seen.iter().any(|term| term == PAD || term == UNKNOWN);
    let empty = case["expected_word2idx"][0][0] == "";
    !(integers || marks || empty)
}

fn without_unknown(golden: &Value, case: &Value) -> u32 {
    let unknown = case["expected_dimension"].as_u64().unwrap() - 1;
    let id = golden.as_u64().unwrap();
    if id == unknown { 0 } else { id as u32 }
}

fn id_of(terms: &[String], term: &str) -> u32 {
    terms.iter().position(|kept| kept == term).map_or(0, |index| index as u32 + 1)
}

fn assert_terms(encoders: &Encoders, terms: &[String], case: &Value) {
    assert_eq!(encoders.vocabulary(0).terms().collect::<Vec<_>>(), terms, "{}", id(case));
    assert_eq!(encoders.vocabulary(0).size(), terms.len() + 1, "{}", id(case));
}

#[test]
fn categories() {
    let mut compared = 0;
    for case in cases("category_encoder.json") {
        if case.get("given_word2idx").is_some() {
            // fain takes no dictionary from outside: what encodes is always what was fitted.
            continue;
        }
        // A lowest count of 0 keeps what 1 keeps, and fain's schema refuses it.
        let min_count = case["min_cnt"].as_u64().unwrap().max(1);
        let toml = format!("label = 'label'\nfeatures.x = {{ kind = 'category', min_count = {min_count} }}");
        let seen = texts(&case["fit"]);
        let encoders = fit(schema(&toml), file(&seen).path()).unwrap();
        let terms = kept_terms(&case, &seen);
        assert_terms(&encoders, &terms, &case);

        for (input, expected) in [("fit", "expected_fit_transform"), ("transform", "expected_transform")] {
            let values = texts(&case[input]);
            let samples = encode(&encoders, Parts::default(), file(&values).path()).unwrap();
            let Column::Category(ids) = &samples.columns[0] else { panic!("not a category") };
            assert_eq!(ids.len(), values.len());
            for (index, (&ours, value)) in ids.iter().zip(&values).enumerate() {
                assert_eq!(ours, id_of(&terms, value), "{}, {input} {index}", id(&case));
                // The integer 3 is another term than the text "3" there; a CSV file knows texts only.
                let typed = case[input][index].is_i64() && id(&case) == "string_digits";
                if same_numbers(&case, &seen) && !typed {
                    assert_eq!(ours, without_unknown(&case[expected][index], &case), "{}, {input} {index}", id(&case));
                    compared += 1;
                }
            }
        }
    }
    assert_eq!(compared, 574);
}

#[test]
fn sequences() {
    let mut compared = 0;
    for case in cases("sequence_encoder.json") {
        if case.get("given_word2idx").is_some() {
            continue;
        }
        let separator = case["sep"].as_str().unwrap();
        let length = case["expected_max_len"].as_u64().unwrap() as usize;
        let min_count = case["min_cnt"].as_u64().unwrap();
        let lists = texts(&case["fit"]);
        // The golden dictionary counts whole lists, fain what is kept of them. Where a case cuts the lists that
        // it learns from, fain learns from whole ones here, and the cut is compared at the end.
        let longest = lists.iter().map(|list| list.split(separator).count()).max().unwrap();
        let toml = format!(
            "label = 'label'\n[features.x]\nkind = 'sequence'\nkeep = 'first'\nseparator = '{separator}'\n\
             min_count = {min_count}\nmax_length = {}",
            longest.max(length)
        );
        let seen: Vec<String> = lists.iter().flat_map(|list| list.split(separator)).map(str::to_owned).collect();
        let encoders = fit(schema(&toml), file(&lists).path()).unwrap();
        let terms = kept_terms(&case, &seen);
        assert_terms(&encoders, &terms, &case);

        let values = texts(&case["transform"]);
        let samples = encode(&encoders, Parts::default(), file(&values).path()).unwrap();
        let Column::Sequence(sequences) = &samples.columns[0] else { panic!("not a sequence") };
        assert_eq!(sequences.offsets.len(), values.len() + 1);
        for (index, value) in values.iter().enumerate() {
            let ours: Vec<u32> = sequences.get(index).unwrap().iter().copied().take(length).collect();
            if value.is_empty() {
                // One empty term there; a list without terms in fain.
                assert!(ours.is_empty(), "{}", id(&case));
                continue;
            }
            let expected: Vec<u32> = value.split(separator).take(length).map(|term| id_of(&terms, term)).collect();
            assert_eq!(ours, expected, "{}, {value}", id(&case));
            if same_numbers(&case, &seen) {
                let golden = case["expected_transform"][index].as_array().unwrap();
                let golden: Vec<u32> = golden.iter().map(|id| without_unknown(id, &case)).collect();
                assert_eq!(ours, golden, "{}, {value}", id(&case));
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 44);
}

fn assert_close(ours: f64, golden: f64, tolerance: f64, what: &str) {
    let distance = (ours - golden).abs();
    assert!(distance <= tolerance * golden.abs().max(1.0), "{what}: {ours}, golden {golden}, distance {distance:e}");
}

fn fitted(case: &Value) -> Option<NumericEncoder> {
    let quantiles = case["n_quantiles_requested"].as_u64().unwrap() as usize;
    let mut fitter = NumericFitter::new(Scaling::Quantile { quantiles }, Missing::Mean);
    for value in numbers(&case["fit"]) {
        fitter.observe(value);
    }
    fitter.finish()
}

#[test]
fn quantiles() {
    let mut compared = 0;
    for case in cases("quantile_transformer.json") {
        match id(&case) {
            "all_nan" => {
                assert_eq!(fitted(&case), None);
                continue;
            }
            // Refused when it is read: see the test of bad values.
            "infinity" => continue,
            _ => {}
        }
        let tolerance = if id(&case) == "huge_range" { 1e-6 } else { 1e-12 };
        let encoder = fitted(&case).unwrap();
        assert_close(encoder.mean(), case["expected_mean"].as_f64().unwrap(), 1e-12, id(&case));

        let stored = serde_json::to_value(&encoder).unwrap();
        let (ours, golden) =
            (numbers(&stored["quantiles"]), case.get("expected_quantiles").map(numbers).unwrap_or_default());
        assert_eq!(ours.len() as u64, case["n_quantiles"].as_u64().unwrap(), "{}", id(&case));
        for (ours, golden) in ours.into_iter().zip(golden) {
            assert_close(ours.unwrap(), golden.unwrap(), 1e-12, id(&case));
            compared += 1;
        }
        for (input, expected) in [("fit", "expected_fit_transform"), ("transform", "expected_transform")] {
            let (values, golden) = (numbers(&case[input]), numbers(&case[expected]));
            assert_eq!(values.len(), golden.len());
            for (value, golden) in values.into_iter().zip(golden) {
                assert_close(
                    encoder.transform(value),
                    golden.unwrap(),
                    tolerance,
                    &format!("{}, {value:?}", id(&case)),
                );
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 2432);
}
