//! Encoders of every kind, from the settings to the samples.

use fain_features::{Column, DataError, EncoderFitter, Encoders, FeatureSummary, Parts, Sequences, Times};

use crate::files::TestFile;
use crate::fitted::{encode, fit, schema};

/// Every kind of feature, and every setting that says how ids and numbers are made.
pub(crate) const SCHEMA: &str = "\
label = 'y'
time = 'at'
features.user = { kind = 'category', buckets = 1000 }
features.friends = { kind = 'sequence', max_length = 3, vocabulary = 'user' }
features.item = { kind = 'category' }
features.basket = { kind = 'sequence', max_length = 2, weight_separator = ':', vocabulary = 'item' }
features.events = { kind = 'times', max_length = 2 }
features.age = { kind = 'bucket', boundaries = [18, 65] }
features.price = { kind = 'bucket', quantiles = 2 }
features.height = { kind = 'numeric', missing = 'median', scale = 'min_max' }
features.clicks = { kind = 'numeric', missing = { constant = 0 }, scale = 'log1p' }
features.views = { kind = 'numeric', scale = 'log1p_standard' }
";

const ROWS: &str = "\
y,at,user,friends,item,basket,events,age,price,height,clicks,views
1,978300760,ann,bob|cid,hat,shoe:0.5|hat|coat:2,5|7|9,17.5,1,150,0,0
0,-3,bob,,coat,,,18,2,,,3
1,0,,ann|,,hat:0,8,,3,180,1.5,
0,12,ann,cid,shoe,:4,1|2,80,4,160,,8
";

pub(crate) fn fitted() -> Encoders {
    fit(schema(SCHEMA), TestFile::new("train.csv", ROWS).path()).unwrap()
}

fn lists(values: &[u32], offsets: &[u32], weights: Option<&[f32]>) -> Column {
    let (values, offsets) = (values.to_vec(), offsets.to_vec());
    Column::Sequence(Sequences { values, offsets, weights: weights.map(<[f32]>::to_vec) })
}

#[test]
fn every_kind_is_encoded() {
    let encoders = fitted();
    let file = TestFile::new("train.csv", ROWS);
    let samples = encode(&encoders, Parts::of(encoders.schema()), file.path()).unwrap();
    assert_eq!(samples.times, Some(vec![978_300_760, -3, 0, 12]));
    // xxh3-64 of "ann", "bob" and "cid", modulo 1000, plus 1.
    let hash = |term: &str| 1 + (xxhash_rust::xxh3::xxh3_64(term.as_bytes()) % 1000) as u32;
    let (ann, bob, cid) = (hash("ann"), hash("bob"), hash("cid"));
    assert_eq!(samples.columns[0], Column::Category(vec![ann, bob, 0, ann]));
    assert_eq!(samples.columns[1], lists(&[bob, cid, ann, 0, cid], &[0, 2, 2, 4, 5], None));
    // coat 1, hat 2, shoe 3.
    assert_eq!(samples.columns[2], Column::Category(vec![2, 1, 0, 3]));
    assert_eq!(samples.columns[3], lists(&[2, 1, 2, 0], &[0, 2, 2, 3, 4], Some(&[1.0, 2.0, 0.0, 4.0])));
    let times = Times { values: vec![7, 9, 8, 1, 2], offsets: vec![0, 2, 2, 3, 5] };
    assert_eq!(samples.columns[4], Column::Times(times));
    assert_eq!(samples.columns[5], Column::Category(vec![1, 2, 0, 3]));
    assert_eq!(encoders.vocabulary(3).boundaries(), Some([2.5].as_slice()));
    assert_eq!(samples.columns[6], Column::Category(vec![1, 1, 2, 2]));
    let third = (160.0_f64 - 150.0) / 30.0;
    assert_eq!(samples.columns[7], Column::Numeric(vec![0.0, third as f32, 1.0, third as f32]));
    assert_eq!(samples.columns[8], Column::Numeric(vec![0.0, 0.0, 2.5_f64.ln() as f32, 0.0]));
    let Column::Numeric(views) = &samples.columns[9] else { panic!("not numeric") };
    // The logarithms are 0, ln 4 and ln 9; the mean of the numbers is 11 / 3.
    let logarithms = [0.0, 4.0_f64.ln(), 9.0_f64.ln()];
    let mean = logarithms.iter().sum::<f64>() / 3.0;
    let deviation = (logarithms.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 3.0).sqrt();
    for (value, logarithm) in views.iter().zip([0.0, 4.0_f64.ln(), (14.0_f64 / 3.0).ln(), 9.0_f64.ln()]) {
        assert!((f64::from(*value) - (logarithm - mean) / deviation).abs() < 1e-6, "{views:?}");
    }
}

#[test]
fn wrong_values_are_named() {
    let header = "y,at,user,friends,item,basket,events,age,price,height,clicks,views";
    let good = "1,1,u,,i,,,1,1,1,1,1";
    let error = |column: usize, value: &str| {
        let mut fields: Vec<&str> = good.split(',').collect();
        fields[column] = value;
        let file = TestFile::new("a.csv", format!("{header}\n{good}\n{}\n", fields.join(",")));
        let encoders = fitted();
        let learnt = fit(schema(SCHEMA), file.path()).err().map(|error| error.to_string());
        let encoded = encode(&encoders, Parts::of(encoders.schema()), file.path()).unwrap_err().to_string();
        // The label and the time are not looked at when encoders are fitted.
        assert!(column < 2 || learnt.as_ref() == Some(&encoded), "{learnt:?}, {encoded}");
        encoded.split_once("a.csv, ").unwrap().1.to_owned()
    };
    let time = "is not a time in whole seconds since 1970";
    assert_eq!(error(1, ""), format!("row 2 (byte 88), column \"at\": \"\" {time}"));
    assert_eq!(error(6, "5|7.5|9.5"), format!("row 2 (byte 88), column \"events\": \"7.5\" {time}"));
    assert_eq!(
        error(5, "hat:1|coat:much"),
        "row 2 (byte 88), column \"basket\": \"coat:much\" is not a term whose weight is a number from 0 up, within the range \
         of 32-bit floats"
    );
    assert_eq!(
        error(10, "-1"),
        "row 2 (byte 88), column \"clicks\": \"-1\" is not a finite number above -1 within the range of 32-bit floats, or empty"
    );
    let number = "is not a finite number within the range of 32-bit floats, or empty";
    assert_eq!(error(7, "old"), format!("row 2 (byte 88), column \"age\": \"old\" {number}"));
}

#[test]
fn columns_teach_what_rows_teach() {
    let mut fitter = EncoderFitter::new(schema(SCHEMA));
    let schema = schema(SCHEMA);
    let place = |name: &str| schema.feature(name).unwrap().0;
    for (item, times) in [("hat", 1), ("coat", 1), ("shoe", 1)] {
        fitter.observe_term(place("item"), item, times).unwrap();
    }
    for (item, times) in [("hat", 2), ("coat", 1), ("", 1)] {
        fitter.observe_term(place("basket"), item, times).unwrap();
    }
    fitter.observe_term(place("user"), "ann", 2).unwrap();
    for (name, values) in [
        ("age", [Some(17.5), Some(18.0), None, Some(80.0)]),
        ("price", [Some(1.0), Some(2.0), Some(3.0), Some(4.0)]),
        ("height", [Some(150.0), None, Some(180.0), Some(160.0)]),
        ("clicks", [Some(0.0), Some(f64::NAN), Some(1.5), None]),
        ("views", [Some(0.0), Some(3.0), None, Some(8.0)]),
    ] {
        for value in values {
            fitter.observe_number(place(name), value).unwrap();
        }
    }
    let encoders = fitter.finish().unwrap();
    assert_eq!(encoders, fitted());

    let file = TestFile::new("train.csv", ROWS);
    let samples = encode(&encoders, Parts::of(encoders.schema()), file.path()).unwrap();
    let Column::Category(users) = &samples.columns[0] else { panic!("not a category") };
    assert_eq!(encoders.encode_term(place("user"), "bob").unwrap(), users[1]);
    assert_eq!(encoders.encode_term(place("basket"), "shoe").unwrap(), 3);
    let Column::Numeric(heights) = &samples.columns[7] else { panic!("not numeric") };
    assert_eq!(encoders.encode_number(place("height"), None).unwrap().to_bits(), heights[1].to_bits());
    assert_eq!(encoders.encode_number(place("height"), Some(160.0)).unwrap().to_bits(), heights[3].to_bits());
    assert_eq!(encoders.encode_bucket(place("age"), Some(65.0)).unwrap(), 3);
    assert_eq!(encoders.encode_bucket(place("age"), None).unwrap(), 0);
}

#[test]
fn a_value_for_another_kind_is_refused() {
    let encoders = fitted();
    let mut fitter = EncoderFitter::new(schema(SCHEMA));
    let text = |error: DataError| error.to_string();
    assert_eq!(text(fitter.observe_term(7, "a", 1).unwrap_err()), "the feature \"height\" does not take terms");
    assert_eq!(text(fitter.observe_number(0, None).unwrap_err()), "the feature \"user\" does not take numbers");
    assert_eq!(text(fitter.observe_number(99, None).unwrap_err()), "the feature 99 does not take numbers");
    assert_eq!(
        text(fitter.observe_number(8, Some(-1.0)).unwrap_err()),
        "feature \"clicks\": -1 is not a finite number above -1 within the range of 32-bit floats, or empty"
    );
    assert_eq!(text(encoders.encode_term(4, "a").unwrap_err()), "the feature \"events\" does not take terms");
    assert_eq!(
        text(encoders.encode_number(5, Some(1.0)).unwrap_err()),
        "the feature \"age\" does not take numbers that are scaled"
    );
    assert_eq!(
        text(encoders.encode_bucket(7, Some(1.0)).unwrap_err()),
        "the feature \"height\" does not take numbers that are divided into intervals"
    );
    assert_eq!(
        text(encoders.encode_number(7, Some(f64::INFINITY)).unwrap_err()),
        "feature \"height\": inf is not a finite number within the range of 32-bit floats, or empty"
    );
}

#[test]
fn the_summary_says_what_was_learnt() {
    let details = |lines: Vec<FeatureSummary>| -> Vec<String> { lines.into_iter().map(|line| line.detail).collect() };
    assert_eq!(
        details(schema(SCHEMA).summary()),
        [
            "1000 buckets of xxh3_64",
            "last 3, separated by \"|\"",
            "",
            "last 2, separated by \"|\", weights behind \":\"",
            "last 2, separated by \"|\"",
            "divided at 18, 65",
            "2 intervals of as many rows",
            "scaled to 0 to 1, missing as the median",
            "scaled to the logarithm of the number plus 1, missing as 0",
            "scaled to the logarithm of the number plus 1, then to mean 0 and standard deviation 1",
        ]
    );
    let lines = fitted().summary();
    let kinds: Vec<&str> = lines.iter().map(|line| line.kind).collect();
    assert_eq!(
        kinds,
        ["category", "sequence", "category", "sequence", "times", "bucket", "bucket", "numeric", "numeric", "numeric"]
    );
    let sizes: Vec<Option<usize>> = lines.iter().map(|line| line.size).collect();
    let (hashed, terms) = (Some(1001), Some(4));
    assert_eq!(sizes, [hashed, hashed, terms, terms, None, Some(4), Some(3), None, None, None]);
    let lines = details(lines);
    assert_eq!(lines[..2], ["1000 buckets of xxh3_64", "last 3, separated by \"|\", 1000 buckets of xxh3_64"]);
    assert_eq!(lines[5..7], ["divided at 18, 65", "divided at 2.5"]);
    assert_eq!(lines[7], "min_max: 150 to 180, mean 163.33333333333334, missing as 160");
    assert_eq!(lines[8], "log1p: mean 0.75, missing as 0");
}
