//! Vocabularies that gain terms.

use fain_features::{
    Binding, Column, CsvConfig, EncoderFitter, Encoders, Parts, Record, Schema, TableReader, Vocabulary,
};
use proptest::prelude::*;

use crate::files::TestFile;
use crate::fitted::{encode, fit, schema};

const SCHEMA: &str = "\
label = 'y'
features.item = { kind = 'category', min_count = 2 }
features.user = { kind = 'category', buckets = 7 }
features.price = { kind = 'numeric' }
";

fn csv(rows: &[(&str, f64)]) -> TestFile {
    let rows: Vec<String> = rows.iter().map(|(item, price)| format!("1,{item},{item},{price}\n")).collect();
    TestFile::new("rows.csv", format!("y,item,user,price\n{}", rows.concat()))
}

/// A fitter that has seen the rows of a file.
fn seen(schema: Schema, file: &TestFile) -> EncoderFitter {
    let mut table = TableReader::open(file.path(), &CsvConfig::default()).unwrap();
    let binding = Binding::new(&schema, Parts::default(), table.header(), file.path()).unwrap();
    let mut fitter = EncoderFitter::new(schema);
    let mut record = Record::new();
    while table.read(&mut record).unwrap() {
        fitter.observe(&record, &binding).unwrap();
    }
    fitter
}

fn grown(encoders: Encoders, rows: &[(&str, f64)]) -> Encoders {
    encoders.grow(&seen(schema(SCHEMA), &csv(rows))).unwrap()
}

#[test]
fn known_terms_keep_their_ids_and_numbers_stay() {
    let old = [("m", 1.0), ("m", 3.0), ("c", 1.0), ("c", 1.0), ("rare", 1.0)];
    let first = fit(schema(SCHEMA), csv(&old).path()).unwrap();
    let new = [("z", 9.0), ("z", 9.0), ("a", 9.0), ("a", 9.0), ("m", 9.0), ("once", 9.0), ("rare", 9.0)];
    let second = grown(first.clone(), &new);
    assert_eq!(second.vocabulary(0).terms().collect::<Vec<_>>(), ["c", "m", "a", "z"]);
    assert_eq!(second.vocabulary(0).generations(), [2, 2]);
    assert_eq!((second.vocabulary(1), second.numeric(2)), (first.vocabulary(1), first.numeric(2)));

    let file = csv(&old);
    let ids = |encoders: &Encoders| encode(encoders, Parts::default(), file.path()).unwrap().columns;
    assert_eq!(ids(&first), ids(&second));
    assert_eq!(ids(&second)[0], Column::Category(vec![2, 2, 1, 1, 0]));
    assert_eq!(second.summary()[0].detail, "terms of 2 fits: 2 + 2");

    // Nothing new, nothing changed.
    assert_eq!(grown(second.clone(), &new).digest(), second.digest());
    let third = grown(second, &[("b", 0.0), ("b", 0.0)]);
    assert_eq!(third.vocabulary(0).generations(), [2, 2, 1]);
    assert_eq!(third.vocabulary(0).id("b"), 5);
}

#[test]
fn generations_are_kept_when_encoders_are_stored() {
    let first = fit(schema(SCHEMA), csv(&[("m", 1.0), ("m", 1.0)]).path()).unwrap();
    let second = grown(first, &[("a", 1.0), ("a", 1.0)]);
    let json = second.to_json().unwrap();
    assert!(json.contains(r#""version":2"#) && json.contains(r#""terms":["m","a"],"generations":[1,1]"#), "{json}");
    let read = Encoders::from_json(&json).unwrap();
    assert_eq!((&read, read.digest()), (&second, second.digest()));
    let error = |old: &str, new: &str| Encoders::from_json(&json.replace(old, new)).unwrap_err().to_string();
    assert_eq!(error("[1,1]", "[2]"), "encoders: vocabularies, item: \"a\" is empty, repeated or not in order");
    assert_eq!(error("[1,1]", "[3]"), "encoders: vocabularies, item: generations of [3] terms, and there are 2");
    assert_eq!(error("[1,1]", "[2,0]"), "encoders: vocabularies, item: generations of [2, 0] terms, and there are 2");
    assert_eq!(error("\"version\":2", "\"version\":1"), "encoders: version: version 1 has no such content");
}

#[test]
fn a_fitter_of_another_schema_is_refused() {
    let file = csv(&[("m", 1.0), ("m", 1.0)]);
    let encoders = fit(schema(SCHEMA), file.path()).unwrap();
    let other = seen(schema(&SCHEMA.replace("min_count = 2", "min_count = 3")), &file);
    assert_eq!(
        encoders.grow(&other).unwrap_err().to_string(),
        "the fitter was made for another schema, other parts or another file"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// However often vocabularies grow, every term keeps the id it once had, and ids have no gaps.
    #[test]
    fn ids_never_change(fits in prop::collection::vec(prop::collection::vec("[a-f]{1,2}", 1..20), 1..6)) {
        let toml = "label = 'y'\nfeatures.item = { kind = 'category' }";
        let file = |terms: &[String]| TestFile::new("a.csv", format!("y,item\n1,{}\n", terms.join("\n1,")));
        let mut encoders = fit(schema(toml), file(&fits[0]).path()).unwrap();
        for terms in &fits[1..] {
            let before: Vec<String> = encoders.vocabulary(0).terms().map(str::to_owned).collect();
            encoders = encoders.grow(&seen(schema(toml), &file(terms))).unwrap();
            let vocabulary = encoders.vocabulary(0);
            for (term, id) in before.iter().zip(1..) {
                prop_assert_eq!(vocabulary.id(term), id);
            }
            prop_assert!(terms.iter().all(|term| vocabulary.id(term) != Vocabulary::UNKNOWN));
        }
        let vocabulary = encoders.vocabulary(0);
        let ids: Vec<u32> = vocabulary.terms().map(|term| vocabulary.id(term)).collect();
        prop_assert_eq!(ids, (1..vocabulary.size() as u32).collect::<Vec<_>>());
        prop_assert_eq!(vocabulary.generations().iter().sum::<u32>() as usize + 1, vocabulary.size());
        prop_assert_eq!(Encoders::from_json(&encoders.to_json().unwrap()).unwrap(), encoders);
    }
}
