//! What holds for every table.

use std::sync::Arc;

use fain_features::{Column, CsvConfig, Encoders, Parts, ReadPlan, SampleReader, Samples, Vocabulary};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::files::{TestFile, gzip, read_table};
use crate::fitted::{encode, fit, schema};

const SCHEMA: &str = "\
label = 'label'
group = 'user'
features.item = { kind = 'category', min_count = 2 }
features.history = { kind = 'sequence', max_length = 3, vocabulary = 'item' }
features.first = { kind = 'sequence', column = 'history', max_length = 2, keep = 'first' }
features.price = { kind = 'numeric' }
features.rank = { kind = 'numeric', column = 'price', scale = 'quantile', quantiles = 5 }
";

/// Label, user, item, history, price.
type Row = (bool, String, String, Vec<String>, Option<f64>);

fn term() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-d]", 1 => "[^|]{0,3}"]
}

fn row() -> impl Strategy<Value = Row> {
    (any::<bool>(), "[x-z]?", term(), vec(term(), 0..6), proptest::option::of(-1e6..1e6))
}

fn file(rows: &[Row]) -> TestFile {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["label", "user", "item", "history", "price"]).unwrap();
    for (label, user, item, history, price) in rows {
        let label = if *label { "1" } else { "0" };
        let price = price.map(|price| price.to_string()).unwrap_or_default();
        writer.write_record([label, user, item, &history.join("|"), &price]).unwrap();
    }
    TestFile::new("a.csv", writer.into_inner().unwrap())
}

/// Rows of which one has a price, and their encoders.
fn fitted(rows: &mut [Row]) -> (TestFile, Encoders) {
    rows[0].4 = Some(7.5);
    let file = file(rows);
    let encoders = fit(schema(SCHEMA), file.path()).unwrap();
    (file, encoders)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ids_and_terms_are_inverse(mut rows in vec(row(), 1..40)) {
        let (_, encoders) = fitted(&mut rows);
        for vocabulary in encoders.vocabularies() {
            for id in 1..vocabulary.size() as u32 {
                prop_assert_eq!(vocabulary.id(vocabulary.term(id).unwrap()), id);
            }
            prop_assert!(vocabulary.terms().is_sorted());
            prop_assert_eq!(vocabulary.term(Vocabulary::UNKNOWN), None);
            prop_assert_eq!(vocabulary.term(vocabulary.size() as u32), None);
        }
    }

    #[test]
    fn samples_hold_what_the_rows_say(mut rows in vec(row(), 1..40)) {
        let (file, encoders) = fitted(&mut rows);
        let samples = encode(&encoders, Parts::of(encoders.schema()), file.path()).unwrap();
        prop_assert_eq!(samples.rows, rows.len());
        let [Column::Category(items), Column::Sequence(history), Column::Sequence(first), Column::Numeric(prices), _] =
            samples.columns.as_slice() else { panic!("other columns") };
        prop_assert_eq!(history.offsets.len(), rows.len() + 1);
        prop_assert_eq!(history.offsets.last().copied(), Some(history.values.len() as u32));
        for (index, (label, _, item, list, price)) in rows.iter().enumerate() {
            prop_assert_eq!(samples.labels.as_ref().unwrap()[index], f32::from(u8::from(*label)));
            prop_assert_eq!(items[index], encoders.vocabulary(0).id(item));
            // A list of one empty term is written as the empty text, which is a list without terms.
            let list = if list.join("|").is_empty() { &[] } else { list.as_slice() };
            let last: Vec<u32> =
                list[list.len().saturating_sub(3)..].iter().map(|term| encoders.vocabulary(0).id(term)).collect();
            prop_assert_eq!(history.get(index), Some(last.as_slice()));
            let start: Vec<u32> = list.iter().take(2).map(|term| encoders.vocabulary(1).id(term)).collect();
            prop_assert_eq!(first.get(index), Some(start.as_slice()));
            prop_assert_eq!(prices[index], encoders.numeric(3).unwrap().transform(*price) as f32);
        }
        prop_assert_eq!(history.get(rows.len()), None);
    }

    #[test]
    fn counts_decide_what_is_known(mut rows in vec(row(), 1..40)) {
        let (_, encoders) = fitted(&mut rows);
        let mut seen: Vec<&str> = Vec::new();
        for (_, _, item, list, _) in &rows {
            seen.push(item);
            seen.extend(list[list.len().saturating_sub(3)..].iter().map(String::as_str));
        }
        seen.retain(|term| !term.is_empty());
        for term in &seen {
            let count = seen.iter().filter(|other| *other == term).count();
            prop_assert_eq!(encoders.vocabulary(0).id(term) != Vocabulary::UNKNOWN, count >= 2);
        }
    }

    #[test]
    fn stored_encoders_encode_alike(mut rows in vec(row(), 1..40)) {
        let (file, encoders) = fitted(&mut rows);
        let json = encoders.to_json().unwrap();
        let read = Encoders::from_json(&json).unwrap();
        prop_assert_eq!(&read, &encoders);
        prop_assert_eq!(read.to_json().unwrap(), json);
        prop_assert_eq!(read.digest(), encoders.digest());
        let parts = Parts::of(encoders.schema());
        prop_assert_eq!(encode(&read, parts, file.path()).unwrap(), encode(&encoders, parts, file.path()).unwrap());
    }

    #[test]
    fn the_size_of_a_run_does_not_matter(mut rows in vec(row(), 1..40), size in 1_usize..50) {
        let (file, encoders) = fitted(&mut rows);
        let parts = Parts::of(encoders.schema());
        let whole = encode(&encoders, parts, file.path()).unwrap();
        let plan = ReadPlan { parts, unread: &[], rows_per_run: size };
        let mut reader =
            SampleReader::open(file.path(), &CsvConfig::default(), Arc::new(encoders.clone()), plan).unwrap();
        let mut joined = Samples::new(encoders.schema(), parts);
        let mut run = Samples::default();
        while reader.read(&mut run).unwrap() {
            prop_assert!(run.rows == size || joined.rows + run.rows == rows.len());
            append(&mut joined, &run);
        }
        prop_assert_eq!(joined, whole);
    }

    #[test]
    fn the_order_of_training_rows_does_not_matter_for_vocabularies(mut rows in vec(row(), 1..40)) {
        let (_, forward) = fitted(&mut rows);
        rows.reverse();
        let backward = fit(schema(SCHEMA), file(&rows).path()).unwrap();
        prop_assert_eq!(forward.vocabularies(), backward.vocabularies());
    }

    #[test]
    fn every_text_survives_quoting(
        fields in vec(vec("[a,;\"'\r\n \t|é\u{1F600}]{0,4}", 3), 1..20),
        separator in prop_oneof![Just(','), Just(';'), Just('\t'), Just('|')],
        quote in prop_oneof![Just('"'), Just('\'')],
        compressed in any::<bool>(),
    ) {
        let mut writer = csv::WriterBuilder::new()
            .delimiter(separator as u8)
            .quote(quote as u8)
            .quote_style(csv::QuoteStyle::Always)
            .from_writer(Vec::new());
        for row in &fields {
            writer.write_record(row).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let file = TestFile::new("a.csv", if compressed { gzip(bytes) } else { bytes });
        let config = CsvConfig { separator: separator.into(), quote: quote.into(), ..CsvConfig::default() };
        prop_assert_eq!(read_table(file.path(), &config).unwrap(), fields);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in vec(any::<u8>(), 0..300), compressed in any::<bool>()) {
        let file = TestFile::new("a.csv", if compressed { gzip(&bytes) } else { bytes });
        if let Ok(rows) = read_table(file.path(), &CsvConfig::default()) {
            prop_assert!(rows.iter().all(|row| row.len() == rows[0].len()));
        }
    }
}

/// The rows of `run` after those of `joined`.
fn append(joined: &mut Samples, run: &Samples) {
    joined.rows += run.rows;
    joined.labels.as_mut().unwrap().extend_from_slice(run.labels.as_ref().unwrap());
    joined.groups.as_mut().unwrap().extend_from_slice(run.groups.as_ref().unwrap());
    for columns in joined.columns.iter_mut().zip(&run.columns) {
        match columns {
            (Column::Category(joined), Column::Category(run)) => joined.extend_from_slice(run),
            (Column::Numeric(joined), Column::Numeric(run)) => joined.extend_from_slice(run),
            (Column::Sequence(joined), Column::Sequence(run)) => {
                let before = joined.values.len() as u32;
                joined.values.extend_from_slice(&run.values);
                joined.offsets.extend(run.offsets[1..].iter().map(|offset| before + offset));
            }
            _ => panic!("columns of two kinds"),
        }
    }
}
