//! Rows in pieces of any size, on any number of threads: the same encoders and samples as row by row.

use fain_features::{
    Binding, CsvConfig, DataError, EncoderFitter, Encoders, Parts, ReadPlan, Record, SampleReader, Samples, TableReader,
};
use proptest::prelude::*;
use rayon::ThreadPoolBuilder;

use crate::files::TestFile;
use crate::fitted::schema;
use crate::kinds::SCHEMA;

const HEADER: &str = "y,at,user,friends,item,basket,events,age,price,height,clicks,views";

/// A row with something in every column.
fn row() -> impl Strategy<Value = String> {
    let term = || "[a-e]{1,3}";
    let list = || prop::collection::vec("[a-e]{0,2}", 0..5).prop_map(|terms| terms.join("|"));
    let weighted = prop::collection::vec(("[a-e]{1,2}", 0..9_u32), 0..4).prop_map(|terms| {
        let terms: Vec<String> =
            terms.iter().map(|(term, weight)| format!("{term}:{}", f64::from(*weight) / 8.0)).collect();
        terms.join("|")
    });
    let times = prop::collection::vec(any::<i64>(), 0..4)
        .prop_map(|times| times.iter().map(i64::to_string).collect::<Vec<_>>().join("|"));
    let number =
        || prop::option::weighted(0.8, -0.9..1e3_f64).prop_map(|value| value.map_or(String::new(), |v| v.to_string()));
    let texts = (term(), list(), term(), weighted, times);
    let numbers = (number(), number(), number(), number(), number());
    (0..2, any::<i64>(), texts, numbers).prop_map(|(label, at, texts, numbers)| {
        let (user, friends, item, basket, events) = texts;
        let (age, price, height, clicks, views) = numbers;
        format!("{label},{at},{user},{friends},{item},{basket},{events},{age},{price},{height},{clicks},{views}")
    })
}

/// The first row has every number, so that each column has one.
fn file(rows: &[String]) -> TestFile {
    TestFile::new("rows.csv", format!("{HEADER}\n1,0,a,,a,,,1,2,3,4,5\n{}\n", rows.join("\n")))
}

fn records(file: &TestFile) -> (Vec<Record>, Binding) {
    let schema = schema(SCHEMA);
    let mut table = TableReader::open(file.path(), &CsvConfig::default()).unwrap();
    let binding = Binding::new(&schema, Parts::of(&schema), table.header(), file.path()).unwrap();
    let (mut records, mut record) = (Vec::new(), Record::new());
    while table.read(&mut record).unwrap() {
        records.push(record.clone());
    }
    (records, binding)
}

/// Encoders and samples, row by row.
fn one_by_one(records: &[Record], binding: &Binding) -> (Encoders, Samples) {
    let mut fitter = EncoderFitter::new(schema(SCHEMA));
    for record in records {
        fitter.observe(record, binding).unwrap();
    }
    let encoders = fitter.finish().unwrap();
    let mut samples = Samples::new(encoders.schema(), Parts::of(encoders.schema()));
    for record in records {
        encoders.encode(record, binding, &mut samples).unwrap();
    }
    (encoders, samples)
}

/// Encoders and samples of pieces of so many rows, on so many threads.
fn in_pieces(
    records: &[Record],
    binding: &Binding,
    size: usize,
    threads: usize,
) -> Result<(Encoders, Samples), DataError> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let mut fitter = EncoderFitter::new(schema(SCHEMA));
        for piece in records.chunks(size) {
            fitter.observe_rows(piece, binding)?;
        }
        let encoders = fitter.finish()?;
        let mut samples = Samples::new(encoders.schema(), Parts::of(encoders.schema()));
        for piece in records.chunks(size) {
            encoders.encode_rows(piece, binding, &mut samples)?;
        }
        Ok((encoders, samples))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn pieces_and_threads_make_no_difference(
        rows in prop::collection::vec(row(), 1..60),
        repeats in 1..120_usize,
        size in 1..5000_usize,
        threads in 1..5_usize,
    ) {
        let rows: Vec<String> = rows.iter().cycle().take(rows.len() * repeats).cloned().collect();
        let file = file(&rows);
        let (records, binding) = records(&file);
        let (encoders, samples) = one_by_one(&records, &binding);
        let (by_pieces, samples_by_pieces) = in_pieces(&records, &binding, size, threads).unwrap();
        prop_assert_eq!(by_pieces.to_json().unwrap(), encoders.to_json().unwrap());
        prop_assert_eq!(&samples_by_pieces, &samples);

        let plan = ReadPlan { parts: samples.parts(), unread: &[], rows_per_run: usize::MAX };
        let reader = SampleReader::open(file.path(), &CsvConfig::default(), encoders.clone().into(), plan);
        let mut read = Samples::default();
        prop_assert!(reader.unwrap().read(&mut read).unwrap());
        prop_assert_eq!(read, samples);
    }

    /// What is stored is read back as it was: every number, and the bytes of a second writing.
    #[test]
    fn stored_encoders_are_read_back(rows in prop::collection::vec(row(), 1..60)) {
        let (records, binding) = records(&file(&rows));
        let (encoders, _) = one_by_one(&records, &binding);
        let json = encoders.to_json().unwrap();
        let read = Encoders::from_json(&json).unwrap();
        prop_assert_eq!(read.to_json().unwrap(), json);
        prop_assert_eq!(read.digest(), encoders.digest());
        prop_assert_eq!(read, encoders);
    }
}

#[test]
fn the_error_is_that_of_the_first_wrong_row() {
    let mut rows = vec!["1,0,a,,a,,,1,2,3,4,5".to_owned(); 9000];
    for wrong in [8999, 5000, 4097] {
        rows[wrong] = rows[wrong].replace("1,2,3,4,5", &format!("1,2,3,4,wrong{wrong}"));
    }
    let (records, binding) = records(&file(&rows));
    for (size, threads) in [(9001, 1), (9001, 3), (4000, 2), (100, 4)] {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let error = pool.install(|| {
            let mut fitter = EncoderFitter::new(schema(SCHEMA));
            records.chunks(size).try_for_each(|piece| fitter.observe_rows(piece, &binding)).unwrap_err()
        });
        let encoders = crate::kinds::fitted();
        let encoded = pool.install(|| {
            let mut samples = Samples::new(encoders.schema(), Parts::of(encoders.schema()));
            records.chunks(size).try_for_each(|piece| encoders.encode_rows(piece, &binding, &mut samples)).unwrap_err()
        });
        assert_eq!(error.to_string(), encoded.to_string());
        // The file has one more row at its start, and rows count from 1.
        assert!(error.to_string().contains("row 4099 (byte 86125), column \"views\": \"wrong4097\""), "{error}");
    }
}

#[test]
fn samples_of_another_schema_are_refused() {
    let (records, binding) = records(&file(&vec!["1,0,a,,a,,,1,2,3,4,5".to_owned(); 3000]));
    let (encoders, _) = one_by_one(&records, &binding);
    let other = schema("label = 'y'\nfeatures.user = { kind = 'numeric' }");
    let mut samples = Samples::new(&other, Parts::of(encoders.schema()));
    let message = encoders.encode_rows(&records, &binding, &mut samples).unwrap_err().to_string();
    assert_eq!(message, "the samples was made for another schema, other parts or another file");
}
